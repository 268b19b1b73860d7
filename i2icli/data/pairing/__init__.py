"""Finding out which images are pairs: by patterns of names, by lists."""
