"""The way in for Python: load a model, translate images and files, generate samples."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from i2icli.config import Precision
from i2icli.errors import UserError, called_from_python, warn
from i2icli.image import DecodedImage
from i2icli.image.finding import collect
from i2icli.inference.batching import together
from i2icli.inference.given import Given, Made, Named, as_item, batch_of, images_of, in_form_of
from i2icli.inference.inference import Inference
from i2icli.inference.inputs import folders_above
from i2icli.inference.loading import Tell, load_backend
from i2icli.inference.options import RuntimeChoice, TranslateOptions
from i2icli.inference.other_inputs import OtherInputs, inputs_in
from i2icli.inference.outputs import OutputSpec, inputs_of
from i2icli.inference.pipeline import Translation
from i2icli.inference.results import Results
from i2icli.inference.sampling import Sampling, plan_sampling
from i2icli.inference.scale_notes import scale_notes
from i2icli.inference.stacks import Stacks
from i2icli.weights import Weights, find_weights

if TYPE_CHECKING:  # what translating images need not load
    from i2icli.inference.video import VideoTranslation
    from i2icli.inference.video_first import FirstFrame
    from i2icli.inference.video_options import VideoRequest
    from i2icli.inference.video_results import Watch

_OF_FILES = ("format", "compare", "overwrite", "pairs", "batch_size")  # options about writing many files


class Translator(Inference):
    """Translates with a system that was trained before.

    >>> model = Translator.load("runs/horse2zebra")
    >>> model.translate("photo.jpg", to="zebra").save("zebra.jpg")
    """

    _warned = False  # of the scale of an image

    @classmethod
    def load(
        cls,
        model: str | Path,
        device: str | None = None,
        precision: Precision = "auto",
        runtime: RuntimeChoice = "auto",
        *,
        weights: Weights | None = None,
        tell: Tell = lambda _: None,
    ) -> "Translator":
        """A model by path, by the name of a run under runs/, or by its system (the newest run).

        weights: of a run, the best by its validation or the last; None: the best where one is known. `tell`
        is told, in a line, which they are, and what computes the model and why, as soon as that is decided.
        Raises UserError if there is none, or if the file cannot be used.
        """
        path, which = find_weights(str(model), weights)
        if which:
            tell(which)
        return cls(load_backend(path, device, precision, runtime, tell), path)

    @called_from_python()
    def translate(
        self, image: "Given | Named | list[Given | Named] | tuple[Any, ...]", **options: Any
    ) -> Any:
        """Translate an image; `options` are those of `i2i translate` with underscores: to="zebra", samples=3.

        `--from` is `source` here, as `from` means something else in Python; format, compare, overwrite, pairs
        and batch_size are for `run`: here images are translated as they are. A reference may be all that an
        image may be, a latent code an array or a tensor (Z,). Integers of 8 and 16 bits span their type,
        floats and tensors are in [-1, 1]; for a model with a range arrays and tensors hold its values, and so
        do those that come back.

        The result is an array for an array, a tensor for a tensor, else a Pillow image. With several outputs
        (targets, references, codes) it is a dictionary of them by name. A list gives a list, and so does a
        folder, of the images below it; a batch, a tensor (B, C, H, W) or an array (B, H, W, C), gives one. A
        model of several inputs takes them by name: {"labels": ..., "instances": ...}; beside a path those
        that are left out are found as the command finds them. Raises UserError for what cannot be read and
        for options that the model does not take.
        """
        if not self.translates:
            raise UserError("this model generates images from noise; call sample instead of translate")
        for name in _OF_FILES:
            if name in options:
                raise UserError(f"{name} is about files; call run, which writes some, or leave it out")
        asked = TranslateOptions.of(options)
        specs = self.specs(asked)
        others = OtherInputs(inputs_of(specs), asked)
        stacks = Stacks(inputs_of(specs)[others.first], asked.more_inputs)
        if isinstance(image, list | tuple):
            return [self._translated(each, specs, others, asked, stacks) for each in image]
        if batch := images_of(image):
            return batch_of([self._translated(each, specs, others, asked, stacks) for each in batch])
        if isinstance(image, str | Path) and Path(image).is_dir():
            folder = Path(image)
            images = inputs_in(folder, collect(folder, recursive=asked.recursive).images, others.kind)
            ours = stacks.ours(images)
            return [self._translated(each, specs, others, asked, stacks, folder) for each in ours]
        return self._translated(image, specs, others, asked, stacks)

    def _translated(
        self,
        given: "Given | Named",
        specs: list[OutputSpec],
        others: OtherInputs,
        asked: TranslateOptions,
        stacks: Stacks,
        folder: Path | None = None,
    ) -> "Made | dict[str, Made]":
        first = others.first
        named: Named = given if isinstance(given, Mapping) else {first: given}
        items = {name: as_item(each, f"the {name}") for name, each in named.items()}
        items, whole = stacks.by_name(first, items)
        if first not in items:
            reads = stacks.names or specs[0].task.inputs
            raise UserError(f"no {next(iter(reads))} given; this model reads {', '.join(reads)}")
        main, folders = named[stacks.names[0] if whole else first], tuple[str, ...]()
        if isinstance(main, str | Path) and not whole:
            folders = folders_above(Path(main), folder or Path(main).parent)
            items = {**others.find(Path(main), items), **items}
            items[first] = stacks.stacked(items[first], Path(main))
        outputs = self.outputs()
        image = self.decode(items[first], specs[0].task).keeping_gps(asked.keep_gps)
        self._warn_of_scale(specs[0], image)
        specs = [outputs.infer_source(spec, folders) for spec in specs]
        inputs = self.read_all(image, items, specs)
        made: dict[str, Made] = {}
        for numbers in together(self, specs, inputs, None):
            chosen = [specs[number] for number in numbers]
            output = self.compute(inputs[numbers[0]], *chosen)  # (B, C, H, W)
            rows = np.split(output, len(output))
            for spec, row in zip(chosen, rows, strict=True):
                made[spec.name] = in_form_of(main, self.result(image, row, spec))
        return made if len(specs) > 1 else made[specs[0].name]

    def _warn_of_scale(self, spec: OutputSpec, image: DecodedImage) -> None:
        """A warning, once, where an image is of another scale than those the model learned from."""
        size = image.pixels.shape[0], image.pixels.shape[1]
        for line in scale_notes(spec, {"the image": size}, 'size="trained"'):
            if not self._warned:
                warn(line)
            self._warned = True

    def run(self, inputs: Iterable[str], out: Path, options: TranslateOptions | None = None) -> Results:
        """Translate files into a folder, one result per output as it is iterated; a bad input is reported.

        What an earlier run of the same model and settings left there stands. Where an input gets several
        outputs, each goes to a folder of its own below `out`, and contact sheets show them together. With a
        system that reads latent codes alone the inputs are projected: the nearest images it can generate are
        found. Raises UserError if the request as a whole is wrong.
        """
        if self.translates:
            return Translation(self, inputs, out, options or TranslateOptions())
        from i2icli.inference.projection import plan_projection  # torch loads only when it is needed

        return plan_projection(self, inputs, out, options or TranslateOptions())

    @called_from_python()
    def video(
        self,
        inputs: str | Path | Iterable[str | Path],
        out: str | Path = "translated",
        *,
        watch: "Watch | None" = None,
        **options: Any,
    ) -> "VideoTranslation":
        """Translate videos or image sequences, one result per video and output as it is iterated.

        `options` are those of `i2i video` with underscores: end=10, codec="libx265"; `--from` is `source`.
        `out` is a file, whose suffix is the container, or a folder. `watch` is told how far it is. What an
        earlier run of the same model and options left is kept, and gone on from. Raises UserError if the
        request as a whole is wrong.
        """
        from i2icli.inference.video_options import VideoRequest

        given = [inputs] if isinstance(inputs, str | Path) else inputs
        return self.video_of([str(each) for each in given], Path(out), VideoRequest.of(options), watch)

    def video_of(
        self, inputs: Iterable[str], out: Path, request: "VideoRequest", watch: "Watch | None" = None
    ) -> "VideoTranslation":
        """As `video`, with options that have been checked."""
        if not self.translates:
            raise UserError("this model generates images from noise; it cannot translate videos")
        from i2icli.inference.video import VideoTranslation

        translation = VideoTranslation(self, inputs, out, request, watch)
        translation.first = self._first(request)
        return translation

    def _first(self, request: "VideoRequest") -> "FirstFrame | None":
        """What the memory of videos begins with. Raises UserError for what cannot be read."""
        from i2icli.inference.video_first import GivenFrame, TranslatedFrame

        if request.video.first_frame is not None:
            return GivenFrame(request.video.first_frame, self.tasks[0].output)
        name = request.video.first_model
        if name is None:
            return None
        return TranslatedFrame(Translator.load(name, self.backend.device), name, request.translate)

    def sample(self, out: Path, options: TranslateOptions | None = None) -> Sampling:
        """Generate images from latent codes alone, into a folder, one result each as it is iterated.

        Raises UserError for a system that needs an image, and for what it does not read or know.
        """
        return plan_sampling(self, out, options or TranslateOptions())
