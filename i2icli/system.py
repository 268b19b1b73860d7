"""The contract between the engine and a system (CycleGAN, SPADE, vid2vid, ...).

A system knows its paper: networks, losses, the order in which they are updated.
The engine knows everything else: devices, precision, gradients, optimisers' steps,
averaging, logging, saving and resuming. They meet in `System.training_step`.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar

from torch import Tensor, nn
from torch.optim import Adam, Optimizer

from i2icli.config import Config
from i2icli.data.examples import DataFolder
from i2icli.data.options import DataOptions
from i2icli.errors import one_of
from i2icli.growable import GrowableConfig
from i2icli.nn.growth import Standing, learning

Batch = dict[str, Tensor]
Pairs = dict[str, tuple[Tensor, Tensor]]
"""Generated images beside real ones of their kind, (B, C, H, W) each, of one size, by name ("" for the only
one). They need not show the same."""
Answers = dict[str, Tensor]
"""What the networks made of a validation batch, by names of the system's own."""
C = TypeVar("C", bound=Config)


@dataclass(frozen=True)
class Stage:
    """A stretch of training with its own data shape and its own trainable weights."""

    name: str
    steps: int
    batch_size: int | None = None  # None: as configured
    resolution: int | None = None  # side of the training crops, in pixels
    fading: bool = False  # whether a new level of the networks is blended in, from alpha 0 to 1


@dataclass
class Clock:
    """Where training stands. The engine turns it; systems only read it."""

    stage: Stage
    step: int = 0  # steps done in this stage
    total: int = 0  # steps done in all stages

    @property
    def progress(self) -> float:
        """Fraction of the current stage that is done, in [0, 1]."""
        return self.step / self.stage.steps

    @property
    def alpha(self) -> float:
        """How far the newest level of the networks is faded in: in [0, 1], 1 where nothing fades."""
        return min(1.0, self.progress) if self.stage.fading else 1.0


@dataclass(frozen=True)
class Update:
    """One optimiser step: minimise the sum of `losses` over the weights of `optimizer`."""

    optimizer: str
    losses: dict[str, Tensor]  # already weighted; logged under these names
    metrics: dict[str, Tensor] = field(default_factory=dict)  # logged, not minimised
    fakes: Pairs = field(default_factory=dict)  # what its weights generated, for `--spectral-weight`


@dataclass(frozen=True)
class Request:
    """What a user may ask of a trained system. Images are (B, C, H, W) in [-1, 1]."""

    image: Tensor | None = None  # photo, sketch or label map to translate
    to: str | None = None  # target domain or attributes
    source: str | None = None  # domain or attributes of the image itself, `--from`
    reference: Tensor | None = None  # (B, C, h, w), of any size: image whose look is to be taken over
    latent: Tensor | None = None  # (B, Z) style or noise code
    truncate: float | None = None  # `--truncate`, for systems that truncate themselves
    instances: Tensor | None = None  # (B, 1, H, W) instance ids


class System(nn.Module, Generic[C]):
    """Base class of every model that `i2i train` can train."""

    config_type: ClassVar[type[Config]]
    accepts: ClassVar[frozenset[str]] = frozenset({"image"})  # fields of Request it reads
    truncates: ClassVar[bool] = False  # samples: it reads `truncate`; or else codes are drawn within it
    sources_are_folders: ClassVar[bool] = False  # whether a folder named like a source tells it
    inference_modules: ClassVar[tuple[str, ...]] = ("G",)  # averaged, published, exported
    criterion: ClassVar[str] = "psnr"  # the validation number whose highest mean keeps the best model

    def __init__(self, config: C) -> None:
        """Build every network of every stage, so that all checkpoints have the same keys."""
        super().__init__()
        self.config = config
        self.clock = Clock(self.stages()[0])

    # -- a system must write these four -------------------------------------------------

    @staticmethod
    def open_data(folders: Sequence[Path], options: DataOptions, config: Any) -> DataFolder:
        """Scan a user's folders as the kind of data it learns from, with the parameters its config gives.

        Raises UserError for data that do not suit it.
        """
        raise NotImplementedError

    def optimizers(self) -> dict[str, Optimizer]:
        """Optimisers of the current stage; a weight in none of them stays frozen."""
        raise NotImplementedError

    def training_step(self, batch: Batch) -> Iterator[Update]:
        """Yield this step's updates, in order. Each one is applied before the next line runs."""
        raise NotImplementedError

    def translate(self, request: Request) -> Tensor:
        """Answer one request with images (B, C, H, W) in [-1, 1]."""
        raise NotImplementedError

    # -- and may change these -----------------------------------------------------------

    def stages(self) -> list[Stage]:
        """The stages of training, in order: one, or those in which the networks grow (`i2i grow --from`)."""
        growth = self.config.growth if isinstance(self.config, GrowableConfig) else ()
        if not growth:
            return [Stage("main", self.config.steps or 1)]
        return [Stage(part.name, part.steps, resolution=part.side, fading=part.fading) for part in growth]

    def standing(self) -> Standing:
        """How far networks built of nn.growth have grown; they ask it at every call."""
        assert isinstance(self.config, GrowableConfig)
        for part in self.config.growth:
            if part.name == self.clock.stage.name:
                return Standing(part.level, self.clock.alpha, part.fading, part.alone)
        return Standing(self.config.grown)

    def check_start(self, taken: frozenset[str]) -> None:
        """Raise UserError if training cannot begin with these weights from `--init-from`, none without it."""

    def lr_factor(self) -> float:
        """Constant, then a straight line to zero (pix2pix, CycleGAN and their heirs).

        Over all stages together where the networks grow.
        """
        start, done = self.config.decay_from, self.clock.progress
        if isinstance(self.config, GrowableConfig) and self.config.growth:
            done = self.clock.total / sum(part.steps for part in self.config.growth)
        return linear_decay(done, start, 1.0 - start)

    def lr_factor_of(self, optimizer: str) -> float:  # noqa: ARG002 - for those that tell them apart
        """The factor of one optimiser's learning rate; `lr_factor` for all unless overridden."""
        return self.lr_factor()

    def targets(self) -> tuple[str, ...]:
        """The names `Request.to` may hold, the default first; empty where it reads none."""
        return self.config.targets

    def resolve_target(self, to: str) -> str:
        """What the user wrote as target -> the value for `Request.to`. Raises UserError listing them."""
        return one_of(to, self.targets(), "target")

    def targets_from(self, source: str | None) -> tuple[str, ...]:  # noqa: ARG002 - for those that differ
        """The targets that an image of a source (None: unknown) can be translated to."""
        return self.targets()

    def can_sample(self, to: str | None = None) -> bool:  # noqa: ARG002 - the same for all
        """Whether it makes pictures of latent codes alone, of that target, without an image to translate."""
        return "image" not in self.accepts

    def sources(self) -> tuple[str, ...]:
        """The names `Request.source` may hold; empty where it reads none."""
        return ()

    def resolve_source(self, source: str) -> str:
        """What the user wrote as source -> the value for `Request.source`. Raises UserError as above."""
        return one_of(source, self.sources(), "source")

    def needs(self, to: str | None = None) -> frozenset[str]:  # noqa: ARG002 - for those with targets
        """Fields that a request to this target must hold beside the image."""
        return frozenset()

    def reads(self, to: str | None = None) -> frozenset[str]:  # noqa: ARG002 - as above
        """Fields of a request that the answer for a target depends on: those it accepts, or fewer."""
        return self.accepts

    def check_reference(self, reference: Tensor, to: str | None = None) -> None:
        """Raise UserError if the look of an image (1, C, h, w) cannot be taken over for a target."""

    def latent_size(self, to: str | None = None) -> int:  # noqa: ARG002 - as above
        """Numbers in a latent code, Z, for a target; 0 where it reads none. Codes are drawn from N(0, 1)."""
        return 0

    def channels(self, to: str | None = None) -> tuple[int, int]:  # noqa: ARG002 - for those with targets
        """Channels of the images it reads and of those it answers with, for a target."""
        found = self.config.channels or (3,)
        return found[0], found[-1]

    def multiple_of(self) -> int:
        """Image sides are padded to a multiple of this before `translate`."""
        return 1

    def scale(self, to: str | None = None) -> float:  # noqa: ARG002 - for those that enlarge
        """Sides of an answer over sides of its image, for a target: round(side * scale) pixels."""
        return 1.0

    def stream(self, requests: Iterable[Request]) -> Iterator[Tensor]:
        """Translate a film frame by frame. Recurrent systems carry state from frame to frame."""
        for request in requests:
            yield self.translate(request)

    def adam(self, *networks: nn.Module, lr: float | None = None) -> Adam:
        """The usual optimiser over the weights of some networks, as far as those that grow learn now."""
        weights = chain.from_iterable(map(learning, networks))
        return Adam(weights, lr=lr or self.config.lr, betas=self.config.betas, fused=True)

    def preview(self, batch: Batch) -> dict[str, Tensor]:  # noqa: ARG002 - for those that override it
        """Images (B, C, H, W) for the sample sheet, one column per name, in order."""
        return {}

    def answers(self, batch: Batch) -> Answers:  # noqa: ARG002 - as above
        """What it makes of a validation batch, once; `compare`, `samples` and `measure` are given it."""
        return {}

    def compare(self, batch: Batch, answers: Answers) -> Pairs:  # noqa: ARG002 - as above
        """Answers beside the truth, by name, to be scored; empty where the batch holds no truth."""
        return {}

    def measure(self, batch: Batch, answers: Answers) -> dict[str, Tensor]:  # noqa: ARG002 - as above
        """Other validation numbers, one per image: name -> (B,), e.g. an accuracy; their means are logged."""
        return {}

    def samples(self, batch: Batch, answers: Answers) -> Pairs:
        """What it generates of a validation batch beside real images, to compare their spectra.

        By default what `compare` gives: override it where the truth is not known.
        """
        return self.compare(batch, answers)

    def finish(self, batches: Iterable[Batch]) -> None:
        """Compute what inference needs once training is over (e.g. feature clusters)."""


def linear_decay(t: float, constant: float, decay: float) -> float:
    """1 until `constant`, then a straight line that reaches 0 at `constant + decay` (same unit as t)."""
    return 1.0 if t <= constant else max(0.0, 1.0 - (t - constant) / decay)
