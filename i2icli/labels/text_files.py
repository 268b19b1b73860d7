"""Texts of others: their size is limited, and trouble with them is one line."""

from pathlib import Path

from i2icli.errors import UserError

LARGEST_TEXT = 100_000_000  # bytes


def read_bytes(path: Path, most: int) -> bytes:
    """The content of a file of at most so many bytes. Raises UserError, also for pipes and devices."""
    try:
        if path.exists() and not path.is_file():
            raise UserError(f"cannot read {path}: not a file", exit_code=1)
        size = path.stat().st_size
        if size > most:
            raise UserError(f"{path} has {size:,} bytes; expected at most {most:,}", exit_code=1)
        return path.read_bytes()
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise UserError(f"cannot read {path}: {reason}", exit_code=1) from error


def read_text(path: Path) -> str:
    """A text of limited size. Raises UserError."""
    try:
        return read_bytes(path, LARGEST_TEXT).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: not a text in UTF-8", exit_code=1) from error
