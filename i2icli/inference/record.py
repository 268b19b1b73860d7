"""What each result in an output folder was made from, by content: inputs of the same name differ."""

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from types import MappingProxyType
from typing import Any, Literal

from i2icli.files import atomic_write, real
from i2icli.inference.truth import Scores
from i2icli.marks import RECORD, read_rows

SPARE = 1000  # superseded lines that a record may hold

Standing = Literal["none", "there", "changed", "other", "unknown"]
"""No result; one of this input; of this file before it changed; of another file; not of these settings."""
ADVICE = "choose another --out, or add --overwrite"


_NONE: Mapping[Path, Scores] = MappingProxyType({})

Read = tuple[list[list[int]], str]
"""State and content of files."""


@dataclass(frozen=True)
class Origin:
    """The files that a result is made from."""

    files: tuple[Path, ...] = ()  # the input first

    def state(self) -> list[list[int]]:
        """Numbers that change when a file does. Raises OSError."""
        found = (path.stat() for path in self.files)
        return [[each.st_size, each.st_mtime_ns, each.st_ctime_ns, each.st_ino] for each in found]

    def content(self) -> str:
        """Text that changes when what the files hold does. Raises OSError."""
        whole = hashlib.blake2b(digest_size=16)
        for path in self.files:
            with path.open("rb") as file:
                whole.update(hashlib.file_digest(file, "blake2b").digest())
        return whole.hexdigest()

    def read(self) -> Read:
        """Both, as they are now. Raises OSError."""
        return self.state(), self.content()


class Record:
    """The results in an output folder; a line is appended before one is written, and another one after.

    A result between its lines is half made, or was when its program was killed: it is made again. Safe to
    use from several threads.
    """

    def __init__(self, out: Path, settings: Mapping[str, object]) -> None:
        """settings: of the results that count, as in the manifest."""
        self.out = out
        self.path = out / RECORD
        text = json.dumps(dict(settings), sort_keys=True, default=str)
        self._made_with = hashlib.blake2b(text.encode(), digest_size=8).hexdigest()
        rows = read_rows(self.path)
        self._rows: dict[str, dict[str, Any]] = {str(row["result"]): row for row in rows}
        self._superfluous = len(rows) - len(self._rows)
        self._cut = not _ends_with_a_line(self.path)  # by a kill, or by a full disk
        self._lock = Lock()

    def standing(self, target: Path, origin: Origin) -> Standing:
        """What there is where a result would go. Raises OSError if the input cannot be read."""
        if not os.path.lexists(target):
            return "none"
        row = self._rows.get(self._name(target))
        if row is not None and row.get("content") is None:
            return "none"  # half made
        if row is None or row.get("with") != self._made_with:
            return "unknown"
        if row.get("state") == origin.state() or row["content"] == origin.content():
            return "there"
        return "changed" if row.get("input") == self._input(origin) else "other"

    def refusal(self, target: Path, standing: Standing) -> str | None:
        """Why what is there stays, in words; None where a result may be written."""
        if standing == "unknown":
            return f"{target} exists and was not made with this model; {ADVICE}"
        if standing == "other":
            made_from = os.path.normpath(self.out / str(self._rows[self._name(target)].get("input", "")))
            return f"{target} is the result of another image, {made_from}; {ADVICE}"
        return None

    def begin(self, targets: Iterable[Path]) -> None:
        """Results are about to be written."""
        self._add([{"result": self._name(target)} for target in targets])

    def made(
        self, targets: Iterable[Path], origin: Origin, read: Read, scores: Mapping[Path, Scores] = _NONE
    ) -> None:
        """Results were written; read: the files as they were when they were read."""
        row = {"with": self._made_with, "input": self._input(origin), "state": read[0], "content": read[1]}
        scored = {path: {"psnr": each.psnr, "ssim": each.ssim} for path, each in scores.items()}
        self._add([{"result": self._name(path), **row, **scored.get(path, {})} for path in targets])

    def scores(self, target: Path) -> Scores | None:
        """Those of a result that was made before; None if it has none."""
        row = self._rows.get(self._name(target), {})
        psnr, ssim = row.get("psnr"), row.get("ssim")
        if isinstance(psnr, int | float) and isinstance(ssim, int | float):
            return Scores(psnr, ssim)
        return None

    def _add(self, rows: list[dict[str, Any]]) -> None:
        with self._lock:
            self.out.mkdir(parents=True, exist_ok=True)
            if self._superfluous > SPARE + 4 * len(self._rows):
                self._rewrite()
            text = "".join(f"{json.dumps(row)}\n" for row in rows)
            start, self._cut = "\n" * self._cut, True
            with self.path.open("a", encoding="utf-8") as file:
                file.write(start + text)
            self._cut = False
            for row in rows:
                self._superfluous += row["result"] in self._rows
                self._rows[row["result"]] = row

    def _rewrite(self) -> None:
        with atomic_write(self.path) as beside:
            beside.write_text(
                "".join(f"{json.dumps(row)}\n" for row in self._rows.values()), encoding="utf-8"
            )
        self._superfluous = 0

    def _name(self, target: Path) -> str:
        return os.path.relpath(target, self.out)

    def _input(self, origin: Origin) -> str:
        """Relative, so that a project can be moved as a whole."""
        return os.path.relpath(real(origin.files[0]), real(self.out)) if origin.files else ""


def _ends_with_a_line(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            file.seek(-1, os.SEEK_END)
            return file.read(1) == b"\n"
    except OSError:  # there is none, or nothing in it
        return True
