"""`-q` and `-v`, which every command has: results and errors alone, or also decisions and timings."""

import logging
import time
from functools import cache
from typing import Annotated, Any

import typer

from i2icli.errors import UserError

MESSAGES = "Messages"  # the help panel
_KEY = "i2icli.verbosity"


class _State:
    quiet = False


def is_quiet() -> bool:
    """Whether only results and errors are wanted."""
    return _State.quiet


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
        ctx.call_on_close(_be_normal)


def _be_verbose(ctx: typer.Context, wanted: bool) -> None:
    if wanted:
        _choose_one(ctx, "--verbose")
        _log_lines(ctx)


def _choose_one(ctx: typer.Context, option: str) -> None:
    if ctx.meta.setdefault(_KEY, option) != option:
        raise UserError("--quiet and --verbose: choose one")


def _be_normal() -> None:
    _State.quiet = False


def _log_lines(ctx: typer.Context) -> None:
    """Until the command ends, what is logged are lines on stderr, each with the time since the start."""
    logger, handler = logging.getLogger("i2icli"), _Lines()
    before = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)

    def end() -> None:
        logger.info("done")
        logger.removeHandler(handler)
        logger.setLevel(before)

    ctx.call_on_close(end)


class _Lines(logging.Handler):
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
        help="show results and errors alone",
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
