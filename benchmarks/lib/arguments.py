"""Command lines of the benchmarks."""

import argparse


def argument_parser(doc: str | None, module: str) -> argparse.ArgumentParser:
    """A parser whose help is the module's docstring and whose usage is `python -m <module>`."""
    return argparse.ArgumentParser(
        prog=f"python -m {module}",
        description=doc,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
