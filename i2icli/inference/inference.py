"""A trained system at work: items in, images out."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from threading import Lock

import numpy as np

from i2icli.backend import Backend
from i2icli.conditions import Condition
from i2icli.errors import UserError
from i2icli.extractors.extract import Extractor, extractor
from i2icli.image import DecodedImage, change_type, crop_back, from_output, kinds, resize
from i2icli.image.items import FileItem, Item
from i2icli.image.joint_upsampling import joint_upsample
from i2icli.inference.latents import draw_noise
from i2icli.inference.options import TranslateOptions
from i2icli.inference.outputs import Outputs, OutputSpec, about_reference
from i2icli.inference.reference_cache import ReferenceCache
from i2icli.inference.resizing import AS_IT_IS
from i2icli.request import Array, Arrays, Request
from i2icli.task import Port, Task


class Inference:
    """A model, the file it came from, and what computes its outputs."""

    def __init__(self, backend: Backend, model: Path) -> None:
        self.backend, self.model = backend, model
        self.notes = backend.notes  # what a user should know about the model
        self.tasks = backend.tasks
        self.references = ReferenceCache()
        self._extractors: dict[Condition, Extractor] = {}
        self._making = Lock()  # frames are read by several threads

    def __repr__(self) -> str:
        """What it is, and what it can be asked for."""
        targets = [task.name for task in self.tasks if task.name is not None]
        to = f", to {', '.join(targets[:8])}{', ...' if len(targets) > 8 else ''}" if targets else ""
        return f"<{type(self).__name__} {self.backend.name}, {self.model}{to}>"

    @property
    def translates(self) -> bool:
        """Whether it has tasks that translate what is given."""
        return not self.tasks[0].generates

    def outputs(self, *, generating: bool = False) -> Outputs:
        """What can be asked for with inputs, or without."""
        tasks = [task for task in self.tasks if task.generates is generating]
        return Outputs(self.backend.name, self.backend.config, tasks, self.backend.stage)

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
                    self._conditions(replace(spec, style=()), {})
            if spec.style:
                self._conditions(replace(spec, reference=None), {})
        return specs

    def decode(self, item: Item, task: Task) -> DecodedImage:
        """The first input of a task: an image, or a map (H, W, 1), see `kinds.decode`. Raises UserError."""
        return kinds.decoded(item, next(iter(task.inputs.values())))

    def read(self, items: Mapping[str, Item | DecodedImage], spec: OutputSpec) -> Arrays:
        """Items as the task reads them, by the names of its inputs: (1, C, H, W) each.

        Resized as the spec says, or to the only size there is, and padded. Raises UserError for what cannot
        be read, for inputs of another size than the first, and for those that are missing unless they are
        optional.
        """
        found: Arrays = {}
        size: tuple[int, int] | None = None
        for name, port in spec.task.inputs.items():
            if name not in items and port.instead is not None:
                continue  # `_filled` does it
            if name not in items:
                raise UserError(f"this model also needs {name}; give {', '.join(spec.task.inputs)} by name")
            item = items[name]
            pixels = item.pixels if isinstance(item, DecodedImage) else kinds.decode(item, port)
            size = size or (pixels.shape[0], pixels.shape[1])
            if pixels.shape[:2] != size:
                height, width = pixels.shape[:2]
                which = f" ({item.name})" if isinstance(item, FileItem) else ""
                first = f"{next(iter(found))} of {size[1]}x{size[0]} px"
                raise UserError(f"{first}, but {name} of {width}x{height} px{which}; expected the same size")
            prepared = kinds.prepare(pixels, port, port.fixed or spec.resizing.of(size))
            if port.condition is not None:
                prepared = self._extractor(port.condition)(change_type(prepared, np.uint8))
            found[name] = kinds.pad(kinds.to_array(prepared, port.kind)[None], port)
        return found

    def read_all(
        self, image: DecodedImage, others: Mapping[str, Item], specs: Sequence[OutputSpec]
    ) -> tuple[Arrays, ...]:
        """What the task of each spec reads of an image; those that read alike have the same dictionary."""
        known: list[tuple[Mapping[str, Port], Arrays]] = []
        found: list[Arrays] = []
        for spec in specs:
            inputs = next((each for ports, each in known if ports == spec.task.inputs), None)
            if inputs is None:
                inputs = self.read({**others, next(iter(spec.task.inputs)): image}, spec)
                known.append((spec.task.inputs, inputs))
            found.append(inputs)
        return tuple(found)

    def compute(self, inputs: Arrays, *specs: OutputSpec) -> Array:
        """The output (B, C, H', W') for inputs (B, C, H, W) that `read` gave.

        Of several specs, which only differ in reference, latent code and style, each has a row, for one
        input or for none at all.
        """
        output, _ = self._step(inputs, specs, None)
        return output

    def stream(self, frames: Iterable[Arrays], spec: OutputSpec) -> Iterator[Array]:
        """The output for every frame of a video, in order, with the memory of those before it."""
        memory: Arrays | None = None
        for inputs in frames:
            output, memory = self.step(inputs, spec, memory)
            yield output

    def step(self, inputs: Arrays, spec: OutputSpec, memory: Arrays | None) -> tuple[Array, Arrays]:
        """The output for a frame that `read` gave, as `compute` gives it, and the memory for the next one.

        memory: that of the frame before; None for the first.
        """
        return self._step(inputs, [spec], memory)

    def begin(self, inputs: Arrays, spec: OutputSpec, image: DecodedImage, size: tuple[int, int]) -> Arrays:
        """The memory after a frame whose result is given, as an image of any size.

        inputs: of that frame, as `read` gave them; size: its (height, width). Raises UserError for an image
        whose channels cannot be converted.
        """
        port, primary = spec.task.output, next(iter(spec.task.inputs.values()))
        pixels = kinds.prepare(image.pixels, port, primary.fixed or spec.resizing.of(size))
        output = kinds.pad(kinds.to_array(pixels, port.kind)[None], replace(primary, kind=port.kind))
        return self.backend.begin(spec.task, self._everything(inputs, [spec]), output)

    def memory(self, spec: OutputSpec, inputs: Arrays) -> int | None:
        """Bytes that computing the output for inputs (1, C, H, W) takes; None where that is not known."""
        return self.backend.memory(spec.task, self._everything(inputs, [spec]))

    def result(self, image: DecodedImage, output: Array, spec: OutputSpec) -> DecodedImage:
        """The output (1, C, H', W') as an image of the kind that came in, alpha kept unless it was learned.

        Its files hold values of the target domain's range and number type, where it has them, else those of
        the input; 8 bit for label maps. Raises UserError for an output with NaN or infinity.
        """
        if not np.isfinite(np.asarray(output)).all():
            raise UserError("the model gives values that are no numbers; try --precision fp32", exit_code=1)
        port, primary = spec.task.output, next(iter(spec.task.inputs.values()))
        given = image.pixels.shape[0], image.pixels.shape[1]
        if primary.fixed is None:
            translated = (round(side * port.scale) for side in spec.resizing.of(given))
            output = crop_back(output, (next(translated), next(translated)))
        if spec.resizing.detail:
            output = joint_upsample(output[0], image.pixels)[None]
        height, width = spec.resizing.of_result(given, port.scale)
        dtype = np.dtype(port.dtype or ("uint8" if kinds.holds_ids(primary.kind) else image.number_type))
        made = from_output(output[0], dtype, port.range, alpha=port.reading.alpha)
        alpha = made.alpha if port.reading.alpha else image.alpha
        if alpha is not None:
            resized = resize(alpha[:, :, None], (height, width))[:, :, 0]
            alpha = change_type(resized, made.pixels.dtype)
        pixels = resize(made.pixels, (height, width))
        metadata = None if kinds.holds_ids(port.kind) else image.metadata
        return replace(image, pixels=pixels, alpha=alpha, stored=made.stored, metadata=metadata)

    def _extractor(self, condition: Condition) -> Extractor:
        """What computes a condition; made once, as it may have a network. Raises UserError."""
        with self._making:
            if condition not in self._extractors:
                self._extractors[condition] = extractor(condition, device=self.backend.device)
            return self._extractors[condition]

    def _step(
        self, inputs: Arrays, specs: Sequence[OutputSpec], memory: Arrays | None
    ) -> tuple[Array, Arrays]:
        return self.backend.forward(specs[0].task, self._everything(inputs, specs), memory)

    def _everything(self, inputs: Arrays, specs: Sequence[OutputSpec]) -> Arrays:
        """What `System.forward` reads: inputs, noise and conditions."""
        task, seed = specs[0].task, specs[0].seed
        first = next(iter(inputs.values()), None)  # none where it generates
        noise = {} if first is None else draw_noise(task, first.shape[-2:], seed)
        conditions = _stacked([self._conditions(spec, inputs) for spec in specs])
        everything = _filled(inputs, task) | noise | conditions
        if len(specs) == 1 or not task.broadcasts:
            return with_rows(everything, max(len(specs), 1 if first is None else len(first)))
        return everything

    def _conditions(self, spec: OutputSpec, inputs: Arrays) -> Arrays:
        """What the networks read beside inputs and noise; of a reference once, if it reads no inputs."""

        def made() -> Arrays:
            reads = inputs if spec.task.condition_per_input else {}
            reference, latent = self._reference(spec), self._latent(spec)
            style, facts = dict(spec.style), self.backend.facts
            request = Request(reads, reference, latent, spec.truncate, style, facts)
            conditions = self.backend.config.conditions(spec.task, request)
            if spec.task.condition_per_input and not inputs:
                return {}  # there is only something to check
            return self.backend.encode(spec.task, conditions, _filled(reads, spec.task))

        if spec.reference is None or spec.task.condition_per_input:
            return made()
        return self.references.get(replace(spec, name="", resizing=AS_IT_IS, seed=0), made)

    def _reference(self, spec: OutputSpec) -> Array | None:
        """The style reference, (1, C, h, w), at its own size."""
        if spec.reference is None or spec.task.reference is None:
            return None
        return self.references.image(spec.reference, spec.task.reference)

    def _latent(self, spec: OutputSpec) -> Array | None:
        """The code of all images of a batch, (1, Z)."""
        return None if spec.latent is None else np.array([spec.latent], np.float32)


def _filled(inputs: Arrays, task: Task) -> Arrays:
    """The inputs of a task, with stand-ins for those that are absent; none for none."""
    if not inputs:
        return {}
    absent = {name: port.instead for name, port in task.inputs.items() if name not in inputs}
    return inputs | {name: inputs[other] for name, other in absent.items() if other is not None}


def _stacked(conditions: Sequence[Arrays]) -> Arrays:
    """The conditions of several specs, a row for each."""
    if len(conditions) == 1:
        return conditions[0]
    return {
        name: value if value.ndim == 0 else np.concatenate([each[name] for each in conditions])
        for name, value in conditions[0].items()
    }


def with_rows(inputs: Arrays, count: int) -> Arrays:
    """Every array with a row for each of `count` images."""
    return {
        name: value if value.ndim == 0 or len(value) == count else np.repeat(value, count, axis=0)
        for name, value in inputs.items()
    }
