"""Clips: where their frames lie, how they are matched, searched for scene cuts, cached and given flow."""
