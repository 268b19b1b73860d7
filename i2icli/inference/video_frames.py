"""The frames of a video through a network, in order: batches, memory, first frames, scene cuts."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from i2icli.errors import UserError
from i2icli.flow.cuts import SceneCuts
from i2icli.image import DecodedImage, change_type, convert_channels, kinds
from i2icli.image.items import FileItem, Item
from i2icli.inference.batching import compute, images_together
from i2icli.inference.inference import Inference
from i2icli.inference.other_inputs import OtherInputs
from i2icli.inference.outputs import OutputSpec
from i2icli.inference.video_first import FirstFrame
from i2icli.inference.video_segments import LENGTH, State, part
from i2icli.request import Array, Arrays
from i2icli.video import Damage, Frame

MESSAGES = 5  # about frames that cannot be read


@dataclass(frozen=True)
class LoadedFrame:
    """A frame, decoded and as the network reads it."""

    frame: Frame
    image: DecodedImage
    inputs: Arrays  # (1, C, H, W) each

    @property
    def batch_key(self) -> tuple[object, ...]:
        """Frames of equal keys can be computed together."""
        return tuple((name, value.shape) for name, value in self.inputs.items())


@dataclass(frozen=True)
class LostFrame:
    """A frame that cannot be read, and why."""

    frame: Frame
    error: UserError


@dataclass(frozen=True)
class MadeFrame:
    """A frame and what the network makes of it."""

    loaded: LoadedFrame
    output: Array | DecodedImage  # (1, C, H', W'); a result where that was given
    state: State | None = None  # after the last frame of a segment


class FrameTranslator:
    """Translates the frames of one video for one spec. Its memory goes from frame to frame."""

    def __init__(
        self,
        inference: Inference,
        spec: OutputSpec,
        others: OtherInputs,
        size: tuple[int, int],
        *,
        batch_size: int | None = None,
        first: FirstFrame | None = None,
        cuts: bool = False,
    ) -> None:
        """size: (height, width) of the frames.

        first: what memory begins with; cuts: whether it starts anew at cuts. For tasks with memory.
        """
        self.inference, self.spec, self.others, self.size = inference, spec, others, size
        self.count = 1 if spec.task.memory else images_together(inference, batch_size)
        self.first = first
        self.cuts = SceneCuts() if cuts else None
        self.finding = Lock()
        self.damage = Damage()  # that reading the source alone does not find
        self.memory: Arrays | None = None
        self.done = 0  # frames of the result
        self.stopped = False  # whether it ended before the last frame

    def load(self, frame: Frame) -> LoadedFrame | LostFrame:
        """Decode a frame and its further inputs. Raises UserError for what does not suit the model."""
        task = self.spec.task
        others: dict[str, FileItem] = {}
        if isinstance(frame.item, FileItem):
            with self.finding:  # it remembers what it has found
                others = self.others.find(frame.item.path)
        try:
            image = self.inference.decode(frame.item, task)
        except UserError as error:
            return LostFrame(frame, error)
        height, width = image.pixels.shape[:2]
        if (height, width) != self.size:
            sizes = f"{width}x{height} px, the first frame {self.size[1]}x{self.size[0]} px"
            raise UserError(f"{frame.item.name}: {sizes}; expected frames of one size")
        items: dict[str, Item | DecodedImage] = {**others, next(iter(task.inputs)): image}
        return LoadedFrame(frame, image, self.inference.read(items, self.spec))

    def compute(
        self, frames: Iterable[LoadedFrame | LostFrame], stopped: Callable[[], bool]
    ) -> Iterator[MadeFrame]:
        """The output for every frame, in order, until `stopped`; lost ones go to `damage`.

        Raises UserError where there is no output, and if the very first frame cannot be read.
        """
        for group in self._batches(frames):
            if stopped():
                self.stopped = True
                return
            outputs = self._recurrent(group[0]) if self.spec.task.memory else self._batch(group)
            for loaded, output in zip(group, outputs, strict=True):
                self.done += 1
                yield MadeFrame(loaded, output, self._state() if self.done % LENGTH == 0 else None)

    def restore(self, state: State, done: int) -> None:
        """Go on after `done` frames, with the state that the last of them left."""
        self.done = done
        self.memory = part(state, "memory") or None
        if self.cuts is not None:
            self.cuts.load(part(state, "cuts"))

    def _batches(self, frames: Iterable[LoadedFrame | LostFrame]) -> Iterator[list[LoadedFrame]]:
        """Frames that are computed together: they lie in one segment, so that going on gives the same."""
        group: list[LoadedFrame] = []
        for loaded in frames:
            if isinstance(loaded, LostFrame):
                if not self.done and not group:
                    raise loaded.error
                self.damage.add(loaded.frame.index, lost=True)
                if len(self.damage.messages) < MESSAGES:
                    self.damage.messages.append(str(loaded.error))
                continue
            if group and loaded.batch_key != group[0].batch_key:
                yield group
                group = []
            group.append(loaded)
            if len(group) == self.count or (self.done + len(group)) % LENGTH == 0:
                yield group
                group = []
        if group:
            yield group

    def _batch(self, group: list[LoadedFrame]) -> list[Array]:
        outputs: list[Array] = []
        for output in compute(self.inference, [loaded.inputs for loaded in group], [self.spec]):
            if isinstance(output, str):
                raise UserError(output)
            outputs.append(output)
        return outputs

    def _recurrent(self, loaded: LoadedFrame) -> list[Array | DecodedImage]:
        """The output for one frame; its memory is kept."""
        if self.cuts is not None and self.cuts(as_seen(loaded.image, self.spec)):
            self.memory = None
        if self.memory is None and self.first is not None and not (self.first.once and self.done):
            given = self.first.result(loaded.frame.item)
            size = (loaded.image.pixels.shape[0], loaded.image.pixels.shape[1])
            self.memory = self.inference.begin(loaded.inputs, self.spec, given, size)
            return [given]
        try:
            output, self.memory = self.inference.step(loaded.inputs, self.spec, self.memory)
        except Exception as error:
            if not self.inference.backend.is_out_of_memory(error):
                raise
            height, width = next(iter(loaded.inputs.values())).shape[-2:]
            raise UserError(f"out of memory at {width}x{height} px; try a smaller --size") from error
        return [output]

    def _state(self) -> State:
        """What the next frame needs."""
        state = {f"memory.{name}": value for name, value in (self.memory or {}).items()}
        if self.cuts is not None:
            state |= {f"cuts.{name}": value for name, value in self.cuts.state().items()}
        return state


def as_seen(image: DecodedImage, spec: OutputSpec, size: tuple[int, int] | None = None) -> NDArray[np.uint8]:
    """A frame of the input as colours (height, width, 3), maps in the colours of their classes."""
    port = next(iter(spec.task.inputs.values()))
    pixels = kinds.displayed(image.pixels, port, size or (image.pixels.shape[0], image.pixels.shape[1]))
    seen: NDArray[np.uint8] = change_type(convert_channels(pixels, 3), np.uint8)
    return seen
