"""A trained system at work: items in, images out."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
import torch
from torch import Tensor

from i2icli.conditions import Condition
from i2icli.errors import UserError
from i2icli.extractors.extract import Extractor, extractor
from i2icli.image import DecodedImage, change_type, crop_back, kinds, resize, to_pixels
from i2icli.image.items import FileItem, Item
from i2icli.inference.latents import draw_noise
from i2icli.inference.options import TranslateOptions
from i2icli.inference.outputs import Outputs, OutputSpec, about_reference
from i2icli.inference.reference_cache import ReferenceCache
from i2icli.runtime.device import Placement
from i2icli.system import Inputs, Memory, Request, System
from i2icli.task import Port, Task


class Inference:
    """A system, the file it came from, and the device where its networks compute."""

    def __init__(
        self, system: System[Any], placement: Placement, model: Path, notes: tuple[str, ...] = ()
    ) -> None:
        self.system = system
        self.placement = placement
        self.model = model
        self.notes = notes  # what an original checkpoint cannot tell about itself
        self.tasks: tuple[Task, ...] = system.config.tasks(system.clock.stage)
        for name in system.inference_modules:
            placement.prepare_for_inference(system.get_submodule(name))
        self.references = ReferenceCache(placement)
        self._extractors: dict[Condition, Extractor] = {}
        self._making = Lock()  # frames are read by several threads

    @property
    def translates(self) -> bool:
        """Whether it has tasks that translate what is given."""
        return not self.tasks[0].generates

    def outputs(self, *, generating: bool = False) -> Outputs:
        """What can be asked for with inputs, or without."""
        tasks = [task for task in self.tasks if task.generates is generating]
        return Outputs(type(self.system).__name__, self.system.config, tasks)

    def specs(self, options: TranslateOptions) -> list[OutputSpec]:
        """One spec for every output that an input is to get.

        Raises UserError naming what the model takes, a reference whose style cannot be taken, or a style
        that it does not know.
        """
        specs = self.outputs().plan(options)
        for spec in dict.fromkeys(replace(each, name="", latent=None) for each in specs):
            if spec.reference is not None:
                with about_reference(spec.reference, named=True):
                    self._reference(spec)
                with about_reference(spec.reference):
                    self._condition(replace(spec, style=()), {})
            if spec.style:
                self._condition(replace(spec, reference=None), {})
        return specs

    def decode(self, item: Item, task: Task) -> DecodedImage:
        """The first input of a task: an image, or a map (H, W, 1), see `kinds.decode`. Raises UserError."""
        port = next(iter(task.inputs.values()))
        if not kinds.holds_ids(port.kind):
            return item.read()
        return DecodedImage(kinds.decode(item, port), None, item.header().format)

    def read(self, items: Mapping[str, Item | DecodedImage], spec: OutputSpec) -> Inputs:
        """Items as the task reads them, by the names of its inputs: (1, C, H, W) each.

        Resized as the spec says, or to the only size there is, and padded. Raises UserError for what cannot
        be read, for inputs of another size than the first, and for those that are missing unless they are
        optional.
        """
        found: Inputs = {}
        size: tuple[int, ...] = ()
        for name, port in spec.task.inputs.items():
            if name not in items and port.optional:
                continue
            if name not in items:
                raise UserError(f"this model also needs {name}; give {', '.join(spec.task.inputs)} by name")
            item = items[name]
            pixels = item.pixels if isinstance(item, DecodedImage) else kinds.decode(item, port)
            size = size or pixels.shape[:2]
            if pixels.shape[:2] != size:
                height, width = pixels.shape[:2]
                which = f" ({item.name})" if isinstance(item, FileItem) else ""
                first = f"{next(iter(found))} of {size[1]}x{size[0]} px"
                raise UserError(f"{first}, but {name} of {width}x{height} px{which}; expected the same size")
            prepared = kinds.prepare(pixels, port, port.fixed or spec.size)
            if port.condition is not None:
                prepared = self._extractor(port.condition)(change_type(prepared, np.uint8))
            found[name] = kinds.pad(kinds.to_tensor(prepared, port.kind)[None], port)
        return found

    def read_all(
        self, image: DecodedImage, others: Mapping[str, Item], specs: Sequence[OutputSpec]
    ) -> tuple[Inputs, ...]:
        """What the task of each spec reads of an image; those that read alike have the same dictionary."""
        known: list[tuple[Mapping[str, Port], Inputs]] = []
        found: list[Inputs] = []
        for spec in specs:
            inputs = next((each for ports, each in known if ports == spec.task.inputs), None)
            if inputs is None:
                inputs = self.read({**others, next(iter(spec.task.inputs)): image}, spec)
                known.append((spec.task.inputs, inputs))
            found.append(inputs)
        return tuple(found)

    def compute(self, inputs: Inputs, *specs: OutputSpec) -> Tensor:
        """The output for inputs (B, C, H, W) that `read` gave; float32 on the CPU.

        Of several specs, which only differ in reference, latent code and style, each has a row, for one
        input or for none at all.
        """
        output, _ = self._step(inputs, specs, None)
        return output

    def stream(self, frames: Iterable[Inputs], spec: OutputSpec) -> Iterator[Tensor]:
        """The output for every frame of a video, in order, with the memory of those before it."""
        memory: Memory | None = None
        for inputs in frames:
            output, memory = self.step(inputs, spec, memory)
            yield output

    def step(self, inputs: Inputs, spec: OutputSpec, memory: Memory | None) -> tuple[Tensor, Memory]:
        """The output for a frame that `read` gave, as `compute` gives it, and the memory for the next one.

        memory: that of the frame before; None for the first. It stays on the device.
        """
        return self._step(inputs, [spec], memory)

    def begin(self, inputs: Inputs, spec: OutputSpec, image: DecodedImage, size: tuple[int, int]) -> Memory:
        """The memory after a frame whose result is given, as an image of any size.

        inputs: of that frame, as `read` gave them; size: its (height, width). Raises UserError for an image
        whose channels cannot be converted.
        """
        port, primary = spec.task.output, next(iter(spec.task.inputs.values()))
        pixels = kinds.prepare(image.pixels, port, primary.fixed or spec.size or size)
        output = kinds.pad(kinds.to_tensor(pixels, port.kind)[None], replace(primary, kind=port.kind))
        everything = self._everything(inputs, [spec])
        with torch.inference_mode(), self.placement.autocast():
            return self.system.begin(spec.task, everything, self.placement.tensor(output))

    def result(self, image: DecodedImage, output: Tensor, spec: OutputSpec) -> DecodedImage:
        """The output (1, C, H', W') as an image of the kind that came in, alpha kept.

        Its number type is that of the target domain, where it differs from the inputs'; 8 bit for label maps.
        """
        port, primary = spec.task.output, next(iter(spec.task.inputs.values()))
        height, width = (round(side * port.scale) for side in spec.size or image.pixels.shape[:2])
        if primary.fixed is None:
            output = crop_back(output, (height, width))
        dtype = np.dtype(port.dtype or ("uint8" if kinds.holds_ids(primary.kind) else image.pixels.dtype))
        pixels = resize(to_pixels(output[0], dtype), (height, width))
        alpha = image.alpha
        if alpha is not None:
            alpha = change_type(resize(alpha[:, :, None], (height, width))[:, :, 0], dtype)
        return replace(image, pixels=pixels, alpha=alpha)

    def _extractor(self, condition: Condition) -> Extractor:
        """What computes a condition; made once, as it may have a network. Raises UserError."""
        with self._making:
            if condition not in self._extractors:
                self._extractors[condition] = extractor(condition, device=str(self.placement.device))
            return self._extractors[condition]

    def _step(
        self, inputs: Inputs, specs: Sequence[OutputSpec], memory: Memory | None
    ) -> tuple[Tensor, Memory]:
        everything = self._everything(inputs, specs)
        with torch.inference_mode(), self.placement.autocast():
            output, memory = self.system(specs[0].task, everything, memory)
        return output.float().cpu(), memory

    def _everything(self, inputs: Inputs, specs: Sequence[OutputSpec]) -> Inputs:
        """What `System.forward` reads, on the device: inputs, noise and conditions."""
        task, seed = specs[0].task, specs[0].seed
        given = {name: self.placement.tensor(value) for name, value in inputs.items()}
        first = next(iter(given.values()), None)  # none where it generates
        drawn = {} if first is None else draw_noise(task, first.shape[-2:], seed)
        noise = {name: self.placement.tensor(plane) for name, plane in drawn.items()}
        everything = given | noise | _stacked([self._condition(spec, given) for spec in specs])
        if len(specs) == 1 or not task.broadcasts:
            return with_rows(everything, max(len(specs), 1 if first is None else len(first)))
        return everything

    def _condition(self, spec: OutputSpec, inputs: Inputs) -> Inputs:
        """What `System.condition` makes of a spec; of a reference once, if it reads no inputs."""

        def made() -> Inputs:
            reads = inputs if spec.task.condition_per_input else {}
            reference, latent = self._reference(spec), self._latent(spec)
            request = Request(reads, reference, latent, spec.truncate, dict(spec.style))
            with torch.inference_mode(), self.placement.autocast():
                return self.system.condition(spec.task, request)

        if spec.reference is None or spec.task.condition_per_input:
            return made()
        return self.references.get(replace(spec, name="", size=None, seed=0), made)

    def _reference(self, spec: OutputSpec) -> Tensor | None:
        """The style reference, (1, C, h, w), at its own size."""
        if spec.reference is None or spec.task.reference is None:
            return None
        return self.references.image(spec.reference, spec.task.reference)

    def _latent(self, spec: OutputSpec) -> Tensor | None:
        """The code of all images of a batch, (1, Z)."""
        return None if spec.latent is None else self.placement.tensor(torch.tensor([spec.latent]))


def _stacked(conditions: Sequence[Inputs]) -> Inputs:
    """The conditions of several specs, a row for each."""
    if len(conditions) == 1:
        return conditions[0]
    return {
        name: value if value.ndim == 0 else torch.cat([each[name] for each in conditions])
        for name, value in conditions[0].items()
    }


def with_rows(inputs: Inputs, count: int) -> Inputs:
    """Every tensor with a row for each of `count` images."""
    return {
        name: value if value.ndim == 0 or len(value) == count else value.expand(count, *value.shape[1:])
        for name, value in inputs.items()
    }
