"""Where the frames of a result go: a video in segments that are joined, or a folder of images."""

from contextlib import ExitStack, suppress
from fractions import Fraction
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from i2icli.errors import UserError
from i2icli.image import DecodedImage, change_type, convert_channels, write_image
from i2icli.image.items import FileItem
from i2icli.inference.video_segments import Segment, Segments, State
from i2icli.video import Encoding, Frame, Source, VideoWriter, join, verify


class Sink(Protocol):
    """Takes the frames of one result, in order."""

    def write(self, frame: Frame, image: DecodedImage, lasting: Fraction | None) -> None:
        """The result of a frame, and its seconds, if known. Raises UserError or OSError if it cannot."""

    def end_segment(self, segment: Segment, state: State) -> None:
        """The frames since the last call are a finished segment, kept with the state after it."""

    def finish(self) -> None:
        """All segments are the result: put it at its place. Raises UserError if it is not whole."""

    def partial(self, rest: Segment) -> Path | None:
        """Make what there is so far usable, with the frames since the last segment; where that is."""

    def close(self) -> None:
        """Let go of everything, whatever has happened."""


class VideoSink:
    """A video file: every segment is a file, joined at the end without encoding anew."""

    def __init__(
        self,
        segments: Segments,
        encoding: Encoding,
        source: Source,
        span: tuple[Fraction | None, Fraction | None],
    ) -> None:
        """span: start and end in the source, which its sound is cut to."""
        self.segments, self.encoding, self.source, self.span = segments, encoding, source, span
        self.stack = ExitStack()
        self.writer: VideoWriter | None = None

    def write(self, frame: Frame, image: DecodedImage, lasting: Fraction | None) -> None:
        """See `Sink`."""
        if self.writer is None:
            path = self._open_path
            path.parent.mkdir(parents=True, exist_ok=True)
            path.unlink(missing_ok=True)  # the ffmpeg of a killed job may still complete its own
            self.writer = self.stack.enter_context(
                VideoWriter(path, self.encoding, self.source.info.time_base)
            )
        self.writer.write(pixels_for(image, self.encoding), frame.time, lasting)

    def end_segment(self, segment: Segment, state: State) -> None:
        """See `Sink`."""
        if segment.frames:
            self._close_file(self.segments.path(len(self.segments.done)))
        self.segments.add(segment, state)

    def finish(self) -> None:
        """See `Sink`."""
        segments = self.segments
        first, last, lasting = segments.lasting()
        whole = segments.whole
        try:
            self._join(segments.paths, whole, self.span[1], lasting)
            verify(whole, segments.frames, last + lasting - first, self.encoding.streams, lasting)
        except UserError as error:
            raise UserError(str(error).replace(str(whole), str(segments.target)), exit_code=1) from None
        segments.place()

    def partial(self, rest: Segment) -> Path | None:
        """See `Sink`."""
        paths = list(self.segments.paths)
        if rest.frames:
            loose = self._open_path.with_stem("unfinished")
            self._close_file(loose)
            paths.append(loose)
        if not paths:
            return None
        _, last, lasting = self.segments.lasting(rest)
        with self.segments.part() as target:
            self._join(paths, target, last + lasting, lasting)
        return target

    def close(self) -> None:
        """See `Sink`. What goes wrong now must not hide why it is left."""
        with suppress(UserError, OSError):
            self.stack.close()

    @property
    def _open_path(self) -> Path:
        return self.segments.folder / f"open{self.segments.suffix}"

    def _close_file(self, path: Path) -> None:
        self.stack.close()
        self._open_path.replace(path)
        self.writer = None

    def _join(self, paths: list[Path], target: Path, end: Fraction | None, lasting: Fraction) -> None:
        join(paths, target, self.source, self.encoding, self.span[0], end, lasting)


class FolderSink:
    """A folder of images, one for each frame."""

    def __init__(self, segments: Segments, suffix: str, *, numbered: bool, keep_gps: bool = False) -> None:
        """numbered: whether frames are named by their numbers, not as the images of a sequence.

        keep_gps: whether images say where those of the sequence were taken.
        """
        self.segments, self.suffix, self.numbered = segments, suffix, numbered
        self.keep_gps = keep_gps
        self.number = segments.frames

    def write(self, frame: Frame, image: DecodedImage, lasting: Fraction | None) -> None:  # noqa: ARG002
        """See `Sink`."""
        if isinstance(frame.item, FileItem) and not self.numbered:
            path = self.segments.target / f"{frame.item.path.stem}{self.suffix}"
        else:
            path = self._numbered(self.number)
        write_image(path, image.keeping_gps(self.keep_gps))
        self.number += 1

    def end_segment(self, segment: Segment, state: State) -> None:
        """See `Sink`."""
        self.segments.add(segment, state)

    def finish(self) -> None:
        """See `Sink`. Numbered frames that follow are those of a longer result, which this one replaces."""
        behind = self.number
        while self.numbered and (path := self._numbered(behind)).is_file():
            path.unlink()
            behind += 1

    def partial(self, rest: Segment) -> Path | None:  # noqa: ARG002 - every frame is a file already
        """See `Sink`."""
        return self.segments.target if self.number else None

    def close(self) -> None:
        """See `Sink`."""

    def _numbered(self, number: int) -> Path:
        return self.segments.target / f"{number:06}{self.suffix}"


def pixels_for(image: DecodedImage, encoding: Encoding) -> NDArray[Any]:
    """The result of a frame as it is encoded: (H, W, 3 or 4), uint8 or uint16.

    Raises UserError for channels that are no colours.
    """
    dtype = np.uint16 if encoding.bits > 8 else np.uint8
    colours = change_type(convert_channels(image.pixels, 3), dtype)
    if not encoding.alpha:
        return colours
    if image.alpha is None:
        alpha: NDArray[Any] = np.full(colours.shape[:2], np.iinfo(dtype).max, dtype)
    else:
        alpha = change_type(image.alpha, dtype)
    return np.concatenate([colours, alpha[..., None]], axis=2)  # (H, W, 4)
