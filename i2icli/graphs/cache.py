"""The cache of proven graphs, by which ordinary models start without torch."""
