"""Files that want to do harm, and files that were damaged."""
