"""How good predictions are: figures, regions, intervals, tables."""
