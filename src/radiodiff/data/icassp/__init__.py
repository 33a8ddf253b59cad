"""The ICASSP 2025 indoor challenge: readers, views, scores."""
