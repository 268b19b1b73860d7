"""`-q` and `-v`, which every command has: neither progress nor notes, or also decisions and timings."""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Annotated, Any

import typer

from i2icli.errors import UserError
from i2icli.logs import LOG

MESSAGES = "Messages"  # the help panel
_KEY = "i2icli.verbosity"


class _State:
    quiet = False
    lines: "_Lines | None" = None  # while a command is verbose
    level = logging.NOTSET  # of the logger, before


def is_quiet() -> bool:
    """Whether neither progress nor notes are wanted."""
    return _State.quiet


@contextmanager
def as_usual() -> Iterator[None]:
    """Inside the block a command may be quiet or verbose; afterwards nothing is."""
    try:
        yield
    finally:
        _State.quiet = False
        if _State.lines is not None:
            LOG.info("done")
            LOG.removeHandler(_State.lines)
            LOG.setLevel(_State.level)
            _State.lines = None


@cache
def options() -> tuple[Any, ...]:
    """The parameters `--quiet` and `--verbose`, for a command to add to its own."""
    single = typer.Typer(add_completion=False)

    @single.command()
    def messages(quiet: _QUIET = False, verbose: _VERBOSE = False) -> None:
        """Never called."""

    return tuple(typer.main.get_command(single).params)


def _be_quiet(ctx: typer.Context, wanted: bool) -> None:
    if wanted:
        _choose_one(ctx, "--quiet")
        _State.quiet = True


def _be_verbose(ctx: typer.Context, wanted: bool) -> None:
    if wanted:
        _choose_one(ctx, "--verbose")
        _State.lines, _State.level = _Lines(), LOG.level
        LOG.addHandler(_State.lines)
        LOG.setLevel(logging.INFO)


def _choose_one(ctx: typer.Context, option: str) -> None:
    if ctx.meta.setdefault(_KEY, option) != option:
        raise UserError("--quiet and --verbose: choose one")


class _Lines(logging.Handler):
    """What is logged as lines on stderr, each with the time since the start."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self._started = time.perf_counter()

    def emit(self, record: logging.LogRecord) -> None:
        from i2icli.cli.console import errors, say

        say(errors(), f"[{time.perf_counter() - self._started:.1f} s] {record.getMessage()}")


_QUIET = Annotated[
    bool,
    typer.Option(
        "--quiet",
        "-q",
        callback=_be_quiet,
        is_eager=True,
        expose_value=False,
        help="show results, warnings and errors alone",
        rich_help_panel=MESSAGES,
    ),
]
_VERBOSE = Annotated[
    bool,
    typer.Option(
        "--verbose",
        "-v",
        callback=_be_verbose,
        is_eager=True,
        expose_value=False,
        help="also show what is decided and how long it takes",
        rich_help_panel=MESSAGES,
    ),
]
