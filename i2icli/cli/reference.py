"""docs/cli.md from the real --help of every command: `python -m i2icli.cli.reference > docs/cli.md`."""

import io
import os
import re
from contextlib import redirect_stdout

from i2icli import registry
from i2icli.cli.app import app
from i2icli.cli.console import run

COMMANDS = (
    [],
    ["train"],
    *(["train", name] for name in registry.SYSTEMS),
    ["grow"],
    ["translate"],
    ["detect-fake"],
    ["detector"],
    ["detector", "fit"],
    ["detector", "evaluate"],
    ["spectrum"],
    ["info"],
    ["systems"],
    ["demo"],
)

_HEAD = """# The command line

Written by `python -m i2icli.cli.reference > docs/cli.md` from the `--help` of every command; do not edit.
"""


def reference() -> str:
    """The text of docs/cli.md."""
    return "\n".join([_HEAD, *map(_chapter, COMMANDS)])


def _chapter(command: list[str]) -> str:
    return f"## `{' '.join(['i2i', *command])}`\n\n```text\n{help_text(command)}\n```\n"


def help_text(command: list[str]) -> str:
    """What `i2i COMMAND --help` prints on a terminal 80 columns wide, without colours."""
    before = os.environ.get("COLUMNS")
    os.environ["COLUMNS"] = "80"
    try:
        with redirect_stdout(io.StringIO()) as printed:
            run(app, [*command, "--help"])
    finally:
        if before is None:
            del os.environ["COLUMNS"]
        else:
            os.environ["COLUMNS"] = before
    plain = re.sub(r"\x1b\[[0-9;]*m", "", printed.getvalue())
    return "\n".join(line.rstrip() for line in plain.splitlines()).strip()


if __name__ == "__main__":
    print(reference(), end="")
