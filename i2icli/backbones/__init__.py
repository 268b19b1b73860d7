"""Networks that others trained on photographs: which there are, and how to get their weights."""
