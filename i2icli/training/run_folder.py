"""runs/x: the files of a training run, written atomically."""

import errno
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any, TypeVar

import torch
from filelock import FileLock, Timeout

from i2icli import marks
from i2icli.data.pairing.lists import is_list
from i2icli.errors import UserError, quoted
from i2icli.files import atomic_write, clear_temporary, locks_work, write_through
from i2icli.home import runs_home
from i2icli.logs import LOG
from i2icli.originals.torch_pickles import check_saved
from i2icli.report.log import Row, read_log
from i2icli.runs import COUNTS, SEGMENTER
from i2icli.runtime.memory import is_out_of_memory
from i2icli.training.followed import followed

PASSING = frozenset({errno.EMFILE, errno.ENFILE, errno.EAGAIN, errno.EINTR, errno.EBUSY, errno.ESTALE})
"""What systems answer that lack something for a while: it says nothing about the file."""
R = TypeVar("R")
NO_THREADS = "can't start new thread"


def default_folder(system: str, data: Sequence[Path]) -> Path:
    """runs/<system>-<name of the data folder, of both, or of a list without its suffix>."""
    places = [Path(each).resolve() for each in data]
    names = (place.stem if is_list(place) else place.name for place in places)
    return runs_home() / "-".join([system, *names])


class DamagedStateError(UserError):
    """No state of a run can be read."""


class RunFolder:
    """Paths, log and resume state of one run."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.model = path / "model.safetensors"
        self.best = path / "best.safetensors"
        self.segmenter = path / SEGMENTER
        self.recipe = path / "recipe.toml"
        self.counts = path / COUNTS
        self.report = path / "report.html"
        self.log_file = path / "log.jsonl"
        self.samples = path / marks.SAMPLES
        self.strip, self.film = path / marks.STRIP, path / marks.FILM  # of the last validation
        self.states = (path / "resume.pt", path / "resume.previous.pt")
        self.lock = path / ".lock"
        self.followed: Callable[[], Path | None] = lambda: None
        self._sound: tuple[int, ...] | None = None  # how the newest state was when known as sound

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep a second process out. Raises UserError if one is already training here.

        On a file system without locks there is a warning instead. A new folder into which nothing was
        written, as the data are not what the system learns from, is gone afterwards.
        """
        new = [each for each in (self.path, *self.path.parents) if not each.exists()]
        try:
            str(self.path).encode()  # safetensors requires UTF-8 paths
            self.path.mkdir(parents=True, exist_ok=True)
            locks = locks_work(self.path)
            self.lock.touch()
        except (OSError, UnicodeEncodeError) as error:
            why = error.strerror if isinstance(error, OSError) else "its name is not in UTF-8"
            raise UserError(
                f"--out {self.path}: cannot be a run folder ({why}); choose another --out"
            ) from None
        try:
            with self._alone() if locks else nullcontext(), followed(self.path) as self.followed:
                (self.path / marks.RUN).touch()
                clear_temporary((self.path, self.samples), alone=locks)
                yield
        finally:
            self._remove_empty(new)

    def _remove_empty(self, folders: Sequence[Path]) -> None:
        """Remove new folders, the innermost first, if they hold nothing but the marks of a run."""
        own = {self.lock.name, marks.RUN}
        with suppress(OSError):  # moved, or another process has put something there
            if folders and {each.name for each in self.path.iterdir()} <= own:
                for name in own:
                    (self.path / name).unlink(missing_ok=True)
                for folder in folders:
                    folder.rmdir()

    @contextmanager
    def _alone(self) -> Iterator[None]:
        lock = FileLock(self.lock)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            raise UserError(
                f"{self.path}: another process is training here; wait for it or choose another --out"
            ) from None
        try:
            yield
        finally:
            lock.release()

    def gone(self) -> UserError | None:
        """What to say if the folder was moved or removed since it was locked."""
        moved = None if self.lock.exists() else self.followed()
        if self.lock.exists() or moved == self.path.resolve():
            return None
        what = f"moved to {moved}" if moved else "removed"
        return UserError(f"{self.path}: the run folder was {what} while training", exit_code=1)

    def check_there(self) -> None:
        """Raise UserError if the folder was moved or removed: writing into it would make another."""
        if error := self.gone():
            raise error

    def current(self) -> "RunFolder":
        """Where the folder is now, if that is known; this one if it is gone."""
        found = None if self.lock.exists() else self.followed()
        return self if found in (None, self.path.resolve()) else RunFolder(found)

    def check_unused(self) -> None:
        """Raise UserError if there is what a run writes, but no state to go on from: it would be replaced."""
        written = (
            self.model, self.best, self.segmenter, self.recipe, self.counts, self.log_file, self.report,
            self.samples, self.strip, self.film,
        )  # fmt: skip
        there = [path for path in written if _holds_something(path)]
        if not there:
            return
        names = ", ".join(path.name for path in there)
        start = (
            f", or add --init-from {quoted(self.model)} to start from its weights"
            if self.model in there
            else ""
        )
        raise UserError(
            f"{self.path} holds {names} but no {self.states[0].name} to resume from, and a new run would "
            f"replace {'them' if len(there) > 1 else 'it'}; choose another --out{start}"
        )

    # -- the state for resuming ----------------------------------------------------------

    def save_state(self, state: dict[str, Any]) -> None:
        """Save the state; the previous one, if it is undamaged, is kept as resume.previous.pt."""
        newest, previous = self.states
        with atomic_write(newest) as beside:
            torch.save(state, beside)
            write_through(beside)  # before an older copy gives way to it
            if self._newest_is_sound():
                newest.replace(previous)  # if killed here, the previous state is still there to load
        self._sound = _identity(newest)

    def load_state(self, warn: Callable[[str], None] = LOG.warning) -> dict[str, Any] | None:
        """The newest undamaged state, None in a new folder; `warn` is told if it is not the newest.

        Raises DamagedStateError if all are damaged, UserError where one cannot be read for want of memory or
        the like.
        """
        newest, _ = self.states
        found = [path for path in self.states if os.path.lexists(path)]
        for path in found:
            about = _identity(path)
            state = _read(path)
            if state is None:
                continue
            if path == newest:
                self._sound = about
            else:
                lost = "is damaged" if newest in found else "is missing"
                step = state.get("clock", {}).get("total", 0)
                warn(f"{newest} {lost}; resuming from the copy before it, of step {step}")
            return state
        if found:
            raise DamagedStateError(
                f"{found[0]}: damaged, and so is any older copy; "
                "start a new run from its last weights with "
                f"--init-from {quoted(self.model)} --out NEW_FOLDER"
            )
        return None

    def _newest_is_sound(self) -> bool:
        """Whether the newest state is undamaged: as this process left or found it, or by its check sums."""
        newest = self.states[0]
        if not os.path.lexists(newest):
            return False
        if self._sound is not None and _identity(newest) == self._sound:
            return True
        try:
            check_saved(newest)
        except Exception:  # whatever damage causes
            return False
        return True

    def save_counts(self, counts: Mapping[str, int | bool | str]) -> None:
        """Save how many examples the run has, `counts_of` its data, and on what it computes."""
        with atomic_write(self.counts) as beside:
            beside.write_text(json.dumps(counts) + "\n", encoding="utf-8")

    def about(self) -> dict[str, str]:
        """What `save_counts` saved, in words; nothing where it did not."""
        try:
            found = json.loads(self.counts.read_text(encoding="utf-8"))
            told = {
                "examples": f"{found['training']:,} to learn from, {found['validation']:,} for validation"
            }
            return told | ({"computes on": str(found["device"])} if "device" in found else {})
        except (OSError, ValueError, TypeError, KeyError):  # of an older run, or changed by hand
            return {}

    def data_folders(self) -> tuple[Path, ...]:
        """The folders that the run learned from, as far as they are there; none where it has no state."""
        found = self._described("data", lambda data: [str(each) for each in data]) or []
        return tuple(folder for folder in map(Path, found) if folder.is_dir())

    def threads(self) -> int | None:
        """The number of threads that was asked for when the run was started; None where none was."""
        return self._described("threads", lambda kept: int(kept["number"]) if kept["asked"] else None)

    def _described(self, name: str, read: Callable[[Any], R]) -> R | None:
        """What the newest sound state tells of the run; None where there is none."""
        for path in self.states:
            try:
                # Mapped: of all tensors none is read.
                return read(torch.load(path, map_location="cpu", weights_only=True, mmap=True)[name])
            except Exception:  # missing, truncated or not ours
                continue
        return None

    # -- the log -------------------------------------------------------------------------

    def log(self, row: Row) -> None:
        """Append one line."""
        with self.log_file.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")

    def rewind_log(self, step: int) -> None:
        """Drop the rows after a step: these steps are about to be repeated."""
        if not self.log_file.exists():
            return
        kept = [row for row in read_log(self.log_file) if row["step"] <= step]
        with atomic_write(self.log_file) as beside:
            beside.write_text("".join(json.dumps(row) + "\n" for row in kept), encoding="utf-8")


def _read(path: Path) -> dict[str, Any] | None:
    """A state; None if it is damaged or something else. Raises UserError if it does not fit the memory."""
    try:
        check_saved(path)
        state = torch.load(path, map_location="cpu", weights_only=True)
    except PermissionError:
        raise
    except Exception as error:  # truncated, changed, or not ours
        if is_out_of_memory(error):
            raise UserError(f"{path}: not enough memory to load it", exit_code=1) from None
        if (isinstance(error, OSError) and error.errno in PASSING) or NO_THREADS in str(error):
            raise UserError(f"{path}: cannot be read now ({error}); try again", exit_code=1) from None
        return None
    return state if isinstance(state, dict) else None


def _identity(path: Path) -> tuple[int, ...]:
    """Numbers that change when a file is written; none for a link to nothing."""
    try:
        about = path.stat()
    except OSError:
        return ()
    return about.st_ino, about.st_size, about.st_mtime_ns


def _holds_something(path: Path) -> bool:
    """Whether there is a file, even a link to nothing, or a folder that is not empty."""
    return any(path.iterdir()) if path.is_dir() else os.path.lexists(path)
