"""Writing a model's networks as graphs that other runtimes run, and proving that they compute the same."""
