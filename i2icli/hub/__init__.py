"""Models by name: those that others published, pulling them, and publishing a run. No torch here."""
