"""Layers that the networks of the second stage are made of."""
