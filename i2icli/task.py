"""What a model can be asked for. No torch: command line, info, export and server read it."""

ALL = "all"  # the value of --to that means every target
