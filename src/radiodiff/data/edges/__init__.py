"""Edge maps: made from radio maps, and read back."""
