"""Label maps without networks: converted from what annotation programs write, and edited."""
