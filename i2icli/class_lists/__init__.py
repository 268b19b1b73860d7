"""Classes of well-known data sets: TOML files, each with what its ids mean."""
