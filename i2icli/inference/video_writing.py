"""Outputs of a network become the frames of a result: smoothed, beside the input, in segments."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from i2icli.flow.smooth import Smoother
from i2icli.image import DecodedImage, change_type
from i2icli.inference.inference import Inference
from i2icli.inference.outputs import OutputSpec
from i2icli.inference.video_compare import Compare, compared
from i2icli.inference.video_first import fitted
from i2icli.inference.video_frames import MadeFrame, as_seen
from i2icli.inference.video_segments import Segment, Segments, State, part
from i2icli.inference.video_sinks import Sink
from i2icli.video import Damage, Frame


@dataclass(frozen=True)
class ReadyFrame:
    """A frame of the result, but for what depends on the one before."""

    frame: Frame
    image: DecodedImage
    seen: NDArray[np.uint8] | None  # the input, (H, W, 3) of the size of the result, where it is needed
    state: State | None


class ResultWriter:
    """Writes the frames of one result into a sink, in order."""

    def __init__(
        self,
        inference: Inference,
        spec: OutputSpec,
        sink: Sink,
        damage: Callable[[], Damage],
        *,
        size: tuple[int, int],
        every: int = 1,
        smooth: bool = False,
        compare: Compare | None = None,
    ) -> None:
        """damage: what was found in the input so far; size: (height, width) of the network's result.

        every: of which frames there is a result, to notice those that are missing.
        """
        self.inference, self.spec, self.sink, self.damage, self.size = inference, spec, sink, damage, size
        self.smoother = Smoother() if smooth else None
        self.compare: Compare | None = compare
        self.every = every
        self.count = 0  # frames since the last segment
        self.times = Fraction(0), Fraction(0)  # of the first and last of these frames
        self.step = Fraction(0)  # how long the last of them lasts
        self.gaps: list[int] = []  # frames of the input that did not come, lost if it is damaged
        self.last = -1  # index of the last frame in the input
        self.known = Damage()  # that segments have noted
        self.failed = False

    def restore(self, segments: Segments) -> None:
        """Go on after the finished segments."""
        done = segments.done[-1]
        self.last, self.step = done.last, Fraction(done.step)
        self.times = Fraction(done.first_time), Fraction(done.last_time)
        self.known = segments.damage
        if self.smoother is not None:
            self.smoother.load(part(segments.state(), "smooth"))

    def prepare(self, made: MadeFrame) -> ReadyFrame:
        """The result of a frame as an image. Several threads may do so at a time."""
        loaded, spec = made.loaded, self.spec
        if isinstance(made.output, DecodedImage):
            image = fitted(made.output, loaded.image, self.size, spec.task.output)
        else:
            image = self.inference.result(loaded.image, made.output, spec)
        beside = self.smoother is not None or self.compare is not None
        if beside and image.pixels.dtype.kind == "f":
            image = replace(image, pixels=change_type(image.pixels, np.uint16))
        seen = as_seen(loaded.image, spec, self.size) if beside else None
        return ReadyFrame(loaded.frame, image, seen, made.state)

    def write(self, ready: ReadyFrame) -> None:
        """Write a frame, one after another. Raises UserError or OSError, and after that for every frame."""
        if self.failed:
            return
        self.failed = True
        image = ready.image
        if self.smoother is not None:
            image = replace(image, pixels=self.smoother(_needed(ready.seen), image.pixels))
        if self.compare is not None:
            image = self._compared(ready, image)
        self._count(ready.frame)
        self.sink.write(ready.frame, image, self.step or None)
        if ready.state is not None:
            smooth = self.smoother.state() if self.smoother is not None else {}
            self.end_segment(ready.state | {f"smooth.{name}": value for name, value in smooth.items()})
        self.failed = False

    def _count(self, frame: Frame) -> None:
        if self.last >= 0:
            self.step = frame.time - self.times[1]
        if frame.duration:  # until the next frame of the result
            self.step = frame.duration * self.every
        if self.last >= 0:
            self.gaps += range(self.last + self.every, frame.index, self.every)
        self.times = (self.times[0] if self.count else frame.time), frame.time
        self.count, self.last = self.count + 1, frame.index

    def segment(self, *, end: bool = False) -> Segment:
        """What is known of the frames since the last segment."""
        found = self.damage()
        return Segment(
            self.count,
            self.last,
            end,
            str(self.times[0]),
            str(self.times[1]),
            str(self.step),
            damaged=tuple(sorted({*found.frames} - {*self.known.frames})),  # another thread adds to them
            lost=tuple(sorted({*found.lost} - {*self.known.lost})),
            gaps=tuple(self.gaps),
            behind=found.behind,
            messages=tuple(each for each in found.messages if each not in self.known.messages),
        )

    def end_segment(self, state: State, *, end: bool = False) -> None:
        """The frames since the last call are a segment."""
        new = self.segment(end=end)
        self.sink.end_segment(new, state)
        self.known.take(Damage(list(new.damaged), list(new.lost), new.behind, list(new.messages)))
        self.count, self.gaps = 0, []

    def _compared(self, ready: ReadyFrame, image: DecodedImage) -> DecodedImage:
        """Input and result in one image; alpha, which differs for neither, beside itself."""
        dtype, time = image.pixels.dtype, float(ready.frame.time)
        before = change_type(_needed(ready.seen), dtype)
        pixels = np.repeat(image.pixels, 3, axis=2) if image.pixels.shape[2] == 1 else image.pixels
        alpha = image.alpha
        if alpha is not None and self.compare == "side":
            alpha = np.concatenate([alpha, alpha], axis=1)  # (H, 2 W)
        return replace(image, pixels=compared(before, pixels, self.compare, time), alpha=alpha)


def _needed(seen: NDArray[Any] | None) -> NDArray[Any]:
    assert seen is not None
    return seen
