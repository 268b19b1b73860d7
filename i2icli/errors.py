"""The one exception that users are meant to read, and what keeps texts readable."""

import math
import sys
import unicodedata
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

JOINERS = "\u200c\u200d"  # within words of Persian and Indian scripts, and within emoji

FORMULAS = tuple("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")
"""What formulas begin with in spreadsheets, in wide letters too."""


class UserError(Exception):
    """Something a user can mend: what was found, where, what was expected, what to do.

    The command line prints it as one line and exits with `exit_code`: 2 for wrong use
    (an option, a path, a layout), 1 for a failure while working.
    """

    def __init__(self, message: str, *, exit_code: int = 2) -> None:
        super().__init__(message)
        self.exit_code = exit_code

    def _render_traceback_(self) -> list[str]:
        """What IPython shows in the place of a traceback."""
        return [f"error: {self}"]


class I2IWarning(UserWarning):
    """Something that a Python caller should know and that ends nothing."""


def warn(text: str) -> None:
    """A warning that names the line which called i2icli, wherever in it the trouble was found."""
    frame, ours = sys._getframe(1), ("i2icli", "contextlib")  # which calls what it decorates
    while frame.f_back is not None and frame.f_globals.get("__name__", "").partition(".")[0] in ours:
        frame = frame.f_back
    warnings.warn_explicit(for_python(text), I2IWarning, frame.f_code.co_filename, frame.f_lineno)


def for_python(text: str) -> str:
    """A line with options as Python has them: --crop-size -> `crop_size`, --no-flip -> `flip=False`.

    Commands in it stay as they are.
    """
    import re  # the package itself does without

    def spelled(found: "re.Match[str]") -> str:
        if found[1] is None:
            return found[0]
        name = "source" if found[1] == "from" else found[1].replace("-", "_")  # it is a word of Python
        return f"`{name[3:]}=False`" if name.startswith("no_") else f"`{name}`"

    return re.sub(r"\bi2i [^;]+|(?<![\w/-])--([a-z][a-z0-9-]*)", spelled, text)


@contextmanager
def called_from_python() -> Iterator[None]:
    """Errors raised inside the block, or the function it decorates, spell options as Python has them."""
    try:
        yield
    except UserError as error:
        error.args = (for_python(str(error)),)
        raise


def one_of(name: str, known: Sequence[str], what: str) -> str:
    """The known name that was meant, case aside. Raises UserError listing them all."""
    meant = [each for each in known if each == name] or [
        each for each in known if each.casefold() == name.casefold()
    ]
    if len(meant) != 1:
        raise UserError(f"unknown {what} {name!r}; this model knows: {', '.join(known)}")
    return meant[0]


@contextmanager
def about(subject: str) -> Iterator[None]:
    """Errors raised inside the block begin with what they are about, such as "--to winter"."""
    try:
        yield
    except UserError as error:
        raise UserError(f"{subject}: {error}", exit_code=error.exit_code) from None


def several(troubles: Sequence[str]) -> str:
    """The first of some troubles in full, and how many more there are; "" where there is none."""
    if len(troubles) < 2:
        return "".join(troubles)
    return f"{troubles[0]}, and {len(troubles) - 1:,} more like it"


def readable(text: str) -> str:
    """A text, such as a file's name, on one line that every terminal and file can hold.

    What is no part of words (newlines, escape sequences, bytes that are not UTF-8) is spelled out: \\n.
    """
    return text if text.isprintable() else "".join(map(_spelled, text))


def print_number(value: float, digits: int = 3) -> str:
    """So many digits at least of a measured number, without exponents: 1530.4 -> "1,530", 0.0530 -> "0.053".

    What is no finite number is "-"; only below a millionth there is an exponent.
    """
    if not math.isfinite(value):
        return "-"
    if value == 0 or abs(value) < 1e-6:
        return f"{value:.{digits}g}"
    decimals = max(0, digits - 1 - math.floor(math.log10(abs(value))))
    text = f"{value:,.{decimals}f}"
    return text.rstrip("0").rstrip(".") if decimals else text


def quoted(path: object) -> str:
    """A path, or another word, of a command that is printed to be typed."""
    from shlex import quote  # loads regular expressions, which the package itself does without

    return quote(str(path))


def cell(text: str) -> str:
    """A text, such as a file's name, for a table that spreadsheets open: none takes it for a formula."""
    shown = readable(text)
    return f"'{shown}" if shown.lstrip()[:1] in FORMULAS or text[:1] in FORMULAS else shown


def _spelled(letter: str) -> str:
    plain = letter.isprintable() or letter in JOINERS or unicodedata.category(letter) == "Zs"  # any space
    return letter if plain else repr(letter)[1:-1]
