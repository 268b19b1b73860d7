"""Writing frames with their times to one file, through a pipe to ffmpeg."""

from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from i2icli.errors import UserError
from i2icli.video import matroska
from i2icli.video.colours import writing_filter
from i2icli.video.containers import ANIMATIONS
from i2icli.video.encoders import crash_safe, lossless, possible_base
from i2icli.video.encoding import Encoding
from i2icli.video.ffmpeg import Child, address, pipe_size
from i2icli.video.packets import count_packets


class VideoWriter:
    """Writes one segment: the frames alone, in `encoding.segment`, whatever the suffix of `path`.

    A context manager. However the block is left, by Ctrl-C or an error, too, what has been written is
    complete and playable; only when it is left without an error is the number of frames checked. The file
    appears at `path` itself, so whoever needs to tell finished segments apart writes to another name and
    renames. Raises UserError (exit code 1) when ffmpeg fails or the disk is full.
    """

    def __init__(self, path: Path, encoding: Encoding, time_base: Fraction) -> None:
        """`time_base`: seconds, of which every time is a multiple, as in the source."""
        self.path, self.encoding, self.time_base = path, encoding, time_base
        self.frames = 0
        self._last_duration: Fraction | None = None
        self._held: tuple[NDArray[Any], Fraction] | None = None
        self._step = Fraction(1, 25)
        self._child: Child | None = None

    def __enter__(self) -> "VideoWriter":
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._child = Child(self._words(), writes=True)
        pipe_size(self._child.input)
        self._send(matroska.head(self.encoding.size, self._format(), self.encoding.rate))
        return self

    def write(self, pixels: NDArray[Any], time: Fraction, duration: Fraction | None = None) -> None:
        """One frame (H, W, 3 or 4), uint8 or uint16 as `encoding` says, at a time in seconds.

        It is kept until the next call and must not be changed meanwhile. A time that is not after the one
        before becomes the next one possible. `duration`: in seconds; it counts for the last frame, others
        last until the next. Raises ValueError for pixels of another shape or type.
        """
        if self._held is not None:
            time = max(time, self._held[1] + self.time_base)
            self._step = time - self._held[1]
            self._flush(self._step)
        self._held = (self._fitted(pixels), time)
        self._last_duration = duration

    def close(self) -> None:
        """Complete the file and check it."""
        self._end()
        written = count_packets(self.path)
        if written != self.frames:
            raise UserError(
                f"cannot write {self.path}: ffmpeg wrote {written} of {self.frames} frames", exit_code=1
            )

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.close()
            return
        self._end(quiet=True)

    def _end(self, quiet: bool = False) -> None:
        child = self._child
        if child is None:
            return
        try:
            if self._held is not None:
                self._flush(self._last_duration or self._step)
            child.input.close()
            code = child.wait()
        except (UserError, OSError):
            code = child.process.returncode
            if not quiet:
                raise
        finally:
            child.stop()
            self._child = None
        if code and not quiet:
            raise self._failed(child)

    def _flush(self, duration: Fraction) -> None:
        assert self._held
        pixels, time = self._held
        self._held = None
        data = pixels.reshape(-1).view(np.uint8).data
        self._send(matroska.before_frame(time, duration, len(data)))
        self._send(data)
        self.frames += 1

    def _send(self, data: bytes | memoryview) -> None:
        assert self._child
        view = memoryview(data)
        try:
            while len(view):
                view = view[self._child.input.write(view) :]
        except BrokenPipeError:
            self._child.wait(10)
            raise self._failed(self._child) from None

    def _failed(self, child: Child) -> UserError:
        text = "\n".join(child.tail)
        reason = "no space left on the disk" if "No space left" in text else child.reason()
        return UserError(f"cannot write {self.path}: {reason}", exit_code=1)

    def _fitted(self, pixels: NDArray[Any]) -> NDArray[Any]:
        """The frame padded by replicated rows and columns to the size that is written."""
        wanted = (
            4 if self.encoding.alpha else 3,
            np.dtype(np.uint16 if self.encoding.bits > 8 else np.uint8),
        )
        rows, columns = self.encoding.size[0] - pixels.shape[0], self.encoding.size[1] - pixels.shape[1]
        if (pixels.shape[2], pixels.dtype) != wanted or not (0 <= rows <= 1 and 0 <= columns <= 1):
            raise ValueError(f"pixels {pixels.shape} {pixels.dtype} for {self.encoding.size}, {wanted}")
        if rows or columns:
            pixels = np.pad(pixels, ((0, rows), (0, columns), (0, 0)), mode="edge")
        return np.ascontiguousarray(pixels)

    def _format(self) -> str:
        if self.encoding.bits > 8:
            return "rgba64le" if self.encoding.alpha else "rgb48le"
        return "rgba" if self.encoding.alpha else "rgb24"

    def _words(self) -> list[str]:
        encoding = self.encoding
        base = possible_base(encoding.codec, self.time_base)
        pixels, codec = encoding.pixel_format, [encoding.codec, *encoding.arguments]
        if encoding.container in ANIMATIONS:  # encoded when joined: until then without loss
            pixels, codec = lossless(encoding.alpha, encoding.bits)
        filters = writing_filter(encoding.colour, pixels)
        if encoding.sample_aspect != 1:
            filters += f",setsar={encoding.sample_aspect}"
        words = ["-y", "-loglevel", "repeat+level+warning", "-nostats", "-copyts", "-f", "matroska"]
        words += ["-i", "pipe:0", "-vf", filters, "-fps_mode", "passthrough"]
        words += ["-enc_time_base", f"{base.numerator}:{base.denominator}", "-c:v", *codec]
        if encoding.segment in ("mp4", "mov"):
            words += ["-movflags", crash_safe()]
        return [*words, "-map_metadata", "-1", "-f", encoding.segment, address(self.path)]
