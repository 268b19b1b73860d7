"""The command line: `i2i`, or `python -m i2icli`."""

import sys
from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: 0 well, 1 failed, 2 wrong use, 130 interrupted."""
    try:
        from i2icli.cli.app import app
        from i2icli.cli.console import run
    except KeyboardInterrupt:  # while libraries load
        return 130
    return run(app, sys.argv[1:] if arguments is None else arguments)


if __name__ == "__main__":
    sys.exit(main())
