"""What a data set on disk is, and whether it is sound."""
