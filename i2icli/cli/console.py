"""Running a command so that whatever goes wrong ends in one readable line and an exit code."""

import os
import re
import signal
import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import TextIOWrapper
from threading import current_thread, main_thread
from types import FrameType
from typing import TYPE_CHECKING, TextIO

import typer
from typer.main import get_command

from i2icli import __version__
from i2icli.chatter import without_chatter
from i2icli.cli.verbosity import as_usual, is_quiet
from i2icli.errors import UserError, readable
from i2icli.files import NO_ROOM, FileSystemWarning
from i2icli.home import VARIABLES

if TYPE_CHECKING:
    from rich.console import Console

INTERRUPTED = 130
ENDING = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
PIPE_WIDTH = 160  # columns of a table that no terminal bounds


def run(app: typer.Typer, arguments: Sequence[str]) -> int:
    """Run the app and return the exit code; errors that users can mend are one line on stderr."""
    if isinstance(sys.stdout, TextIOWrapper) and sys.stdout.errors == "strict":
        sys.stdout.reconfigure(errors="backslashreplace")  # names may be of letters that it cannot hold
    try:
        with as_usual(), _pressed() as pressed, _warnings_as_lines():
            code = _run(app, arguments, pressed)
        sys.stdout.flush()
        return code
    except BrokenPipeError:  # the reader of a pipe has gone, as in `i2i systems | head -1`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError:  # the terminal has gone, and with it whoever could read about it
        return 1


@contextmanager
def _pressed() -> Iterator[list[int]]:
    """Inside the block, Ctrl-C is noted as well: its KeyboardInterrupt may get lost while a library loads.

    What else ends a program from outside is the same to it, so that it clears what it has half written;
    schedulers and closed terminals repeat theirs, which changes nothing.
    """
    found: list[int] = []

    def note(number: int, _frame: FrameType | None) -> None:
        found.append(number)
        if len(found) == 1 or number == signal.SIGINT:
            raise KeyboardInterrupt

    usual = (signal.default_int_handler, signal.SIG_DFL)
    before = {number: signal.getsignal(number) for number in ENDING if current_thread() is main_thread()}
    own = {number: handler for number, handler in before.items() if handler in usual}
    for number in own:
        signal.signal(number, note)
    try:
        yield found
    finally:
        for number, handler in own.items():
            signal.signal(number, handler)


@contextmanager
def _warnings_as_lines() -> Iterator[None]:
    """Inside the block, warnings about file systems are lines like any other; a run shows its own.

    What libraries write about themselves is not shown.
    """
    with without_chatter():
        warnings.simplefilter("always", FileSystemWarning)
        default = warnings.showwarning

        def show(
            message: Warning | str,
            category: type[Warning],
            filename: str,
            lineno: int,
            file: TextIO | None = None,
            line: str | None = None,
        ) -> None:
            if issubclass(category, FileSystemWarning):
                warned(str(message))
            else:
                default(message, category, filename, lineno, file, line)

        warnings.showwarning = show
        yield


def _run(app: typer.Typer, arguments: Sequence[str], pressed: Sequence[int]) -> int:
    try:
        code = get_command(app).main(list(arguments), prog_name="i2i", standalone_mode=False)
        return code if isinstance(code, int) else 0
    except UserError as error:
        complain(_as_given(str(error), arguments))
        return error.exit_code
    except typer.TyperException as error:
        if message := error.format_message():  # empty where the help was shown instead
            known = _known_elsewhere(error, arguments)
            complain((known or _sentence(message) + _where_to_look(error)) + _as_a_file(arguments))
        return error.exit_code
    except (KeyboardInterrupt, typer.Abort):
        return INTERRUPTED
    except BrokenPipeError:
        raise
    except OSError as error:  # disk full, not permitted, gone
        advice = "; make room and run the same command again" if error.errno in NO_ROOM else ""
        complain(f"{error.filename or 'a file'}: {error.strerror or error}{advice}")
        return 1
    except UnicodeEncodeError as error:
        piece = error.object[max(0, error.start - 30) : error.end + 30]
        complain(f"a name is not in UTF-8, in which files are written: {piece}; rename it")
        return 1
    except Exception as error:
        return INTERRUPTED if pressed else _failed(error)


def _failed(error: Exception) -> int:
    """Say what went wrong that no user can mend."""
    if isinstance(error, ImportError):
        complain(f"a library is missing or broken ({error}); install i2icli again with pip")
        return 1
    import traceback

    for line in "".join(traceback.format_exception(error)).splitlines():
        say(errors(), line)
    complain(f"unexpected {type(error).__name__} in i2icli {__version__}; please report the lines above")
    return 1


def errors() -> "Console":
    """The console on stderr: progress and notes; it drops them all where the command is to be quiet.

    Warnings go through `warned`.
    """
    from rich.console import Console

    return Console(stderr=True, highlight=False, quiet=is_quiet())


def output() -> "Console":
    """The console on stdout: results. Of the processes that torchrun starts only the first one prints."""
    from rich.console import Console

    width = None if sys.stdout.isatty() else PIPE_WIDTH
    return Console(highlight=False, width=width, quiet=os.environ.get("RANK", "0") != "0")


def complain(text: str) -> None:
    """One line on stderr: `error: ...`; names keep the spaces they hold."""
    from rich.console import Console

    console = Console(stderr=True, highlight=False)
    console.print("[bold red]error:[/]", end=" ")
    say(console, " ".join(line.strip() for line in text.strip().split("\n")))


def warned(text: str) -> None:
    """One line on stderr about what may be amiss: `warning: ...`, also where the command is to be quiet."""
    from rich.console import Console

    console = Console(stderr=True, highlight=False)
    console.print("[yellow]warning:[/]", end=" ")
    say(console, text)


def failed(text: str) -> None:
    """One line on stderr about one of many inputs: `failed: ...`, also where the command is to be quiet."""
    from rich.console import Console

    say(Console(stderr=True, highlight=False), f"failed: {text}")


def say(console: "Console", text: str) -> None:
    """One line as it is: no markup in it, nothing that a terminal would obey, not wrapped."""
    console.print(readable(text), markup=False, soft_wrap=True)


def plain(text: str) -> str:
    """A text for a table: as `say` prints it."""
    from rich.markup import escape

    return escape(readable(text))


def _sentence(message: str) -> str:
    """Typer's message in the style of ours: one line, no capital, no full stop."""
    line = " ".join(message.split()).rstrip(".?")
    return line[:1].lower() + line[1:]


def _as_given(message: str, arguments: Sequence[str]) -> str:
    """An error about options that variables stand for, about those variables."""
    for name in VARIABLES:
        option, value = f"--{name[4:].lower()}", os.environ.get(name)
        typed = any(word.partition("=")[0] == option for word in arguments)
        if value and not typed:
            words = rf"{re.escape(f'{option} {value}')}(?!\w|[.:]\w)"
            message = f"{name}={value}".join(re.split(words, message))
    return message


def _as_a_file(arguments: Sequence[str]) -> str:
    """How to name a file that looks like an option."""
    files = [word for word in arguments if word.startswith("-") and os.path.lexists(word)]
    return f"; the file of that name is ./{files[0]}" if files else ""


def _known_elsewhere(error: typer.TyperException, arguments: Sequence[str]) -> str:
    """An option of another repository or of a command after it, and what to type; "" for other mistakes."""
    option, context = vars(error).get("option_name"), vars(error).get("ctx")
    if option is None or context is None:
        return ""
    from i2icli.cli.elsewhere import answer
    from i2icli.cli.placement import where_it_goes

    parameters = context.command.get_params(context)
    known = {name for each in parameters for name in (*each.opts, *each.secondary_opts)}
    if behind := where_it_goes(option, context, arguments):
        return f"no such option: {option}; it goes after {behind}"
    found = answer(option, known)
    return f"no such option: {option}; here: {found}" if found else ""


def _where_to_look(error: typer.TyperException) -> str:
    """An example, where something is missing, and which help to read."""
    context: typer.Context | None = vars(error).get("ctx")
    if context is None:
        return ""
    from i2icli.cli.help import examples

    example = next(examples(context), "") if "param_type" in vars(error) else ""  # something is missing
    return f"{example and f'; as in: {example}'}; see {context.command_path} --help"
