"""The contract between the engine and a system (CycleGAN, SPADE, vid2vid, ...).

A system knows its paper: networks, losses, the order in which they are updated. The engine knows everything
else: devices, precision, gradients, optimisers' steps, averaging, random draws of inference, logging, saving
and resuming. They meet in `System.training_step` and `System.forward`. What a model can be asked for, and in
which stages it is trained, is in its settings (`Config.tasks`, `Config.stages`), which need no torch.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any, ClassVar, Generic, Self, TypeVar

from torch import Tensor, nn
from torch.optim import Adam, Optimizer

from i2icli.config import Config
from i2icli.data.examples import DataFolder
from i2icli.data.options import DataOptions
from i2icli.nn.growth import trainable_weights
from i2icli.stage import Clock
from i2icli.task import Task

Batch = dict[str, Tensor]
Inputs = dict[str, Tensor]
"""What `System.forward` reads, by name: `Task.inputs`, `Task.noise` and what `encode` gives."""
Memory = dict[str, Tensor]
"""What a recurrent system carries from frame to frame, by the names of `Task.memory`; empty for others."""
Pairs = dict[str, tuple[Tensor, Tensor]]
"""Generated images beside real ones, (B, C, H, W) each, of one size, by name ("" for the only one)."""
C = TypeVar("C", bound=Config)


@dataclass(frozen=True)
class Update:
    """One optimiser step: minimise the sum of `losses` over the weights of `optimizer`."""

    optimizer: str
    losses: dict[str, Tensor]  # already weighted; logged under these names
    metrics: dict[str, Tensor] = field(default_factory=dict)  # logged, not minimised
    fakes: Pairs = field(default_factory=dict)  # what its weights generated, for `--spectral-weight`
    reconstructed: Pairs = field(default_factory=dict)  # beside what it should show: `--perceptual-weight`


@dataclass(frozen=True)
class Evaluation:
    """What a system makes of a validation batch, and how good it is."""

    generated: Pairs = field(default_factory=dict)  # beside real images that need not show the same
    compared: Pairs = field(default_factory=dict)  # beside the ground truth, to be scored
    measured: dict[str, Tensor] = field(default_factory=dict)  # other numbers, one per image: name -> (B,)
    labels: Tensor | None = None  # (B, 1, H, W) class indices that `compared` was made from, to be segmented
    clips: dict[str, Tensor] = field(default_factory=dict)
    """Of systems of videos, to be shown: (B, T, C, H, W) in [-1, 1] by the names of `System.preview`. Where
    "fake" and "truth" are among them, the flicker of what is at rest is measured."""


class System(nn.Module, Generic[C]):
    """Base class of every model that `i2i train` can train."""

    inference_modules: ClassVar[tuple[str, ...]] = ("G",)  # averaged, published, exported
    frozen: ClassVar[tuple[str, ...]] = ()  # networks it only asks (a VGG, a flow teacher): never saved
    criterion: ClassVar[str] = "psnr"  # the validation number whose highest mean keeps the best model
    legend: ClassVar[Mapping[str, str]] = {}
    """What each loss and metric measures, in a sentence: by "optimiser/name", where * stands for any text."""

    def __init__(self, config: C) -> None:
        """Build every network of every stage, so that all checkpoints have the same keys."""
        super().__init__()
        self.config = config
        self.clock = Clock(config.stages()[0])

    @staticmethod
    def open_data(folders: Sequence[Path], options: DataOptions, config: Any) -> DataFolder:
        """Scan a user's folders as the kind of data it learns from, with the parameters its config gives.

        Raises UserError for data that do not suit it.
        """
        raise NotImplementedError

    # -- training ------------------------------------------------------------------------

    def optimizers(self) -> dict[str, Optimizer]:
        """Optimisers of the current stage; a weight in none of them stays frozen."""
        raise NotImplementedError

    def training_step(self, batch: Batch) -> Iterator[Update]:
        """Yield this step's updates, in order. Each one is applied before the next line runs."""
        raise NotImplementedError

    def lr_factor(self, optimizer: str) -> float:  # noqa: ARG002 - for those that tell them apart
        """Of an optimiser's learning rate: constant, then a straight line to zero (pix2pix, CycleGAN).

        Over each stage, or over all together: `Config.decay_over_stages`.
        """
        start, done = self.config.decay_from, self.clock.progress
        if self.config.decay_over_stages:
            done = self.clock.total / sum(stage.steps for stage in self.config.stages())
        return linear_decay(done, start, 1.0 - start)

    def check_start(self, loaded: frozenset[str]) -> None:
        """Raise UserError if training cannot begin with these weights from `--init-from`, none without it."""

    def finish(self, batches: Iterable[Batch]) -> None:
        """Compute what inference needs beside the weights, from training batches (e.g. feature clusters).

        Called whenever a model is published, in evaluation mode and without gradients. The result replaces
        what buffers of the inference modules held.
        """

    # -- inference -----------------------------------------------------------------------

    @property
    def facts(self) -> dict[str, Any]:
        """What `Config.conditions` needs to know of a trained model beside its settings, as JSON values."""
        return {}

    def encode(self, task: Task, conditions: Inputs, inputs: Inputs) -> Inputs:  # noqa: ARG002 - as above
        """What `forward` reads of what `Config.conditions` gave: networks turn references into codes here.

        It is given the inputs where `Task.condition_per_input`; what it makes of a reference alone is kept
        for all inputs. Pure, like `forward`.
        """
        return conditions

    def forward(self, task: Task, inputs: Inputs, memory: Memory | None = None) -> tuple[Tensor, Memory]:
        """The output of a task, (B, C, H, W) in [-1, 1], and the memory for the next frame.

        Pure: it depends on its arguments, the weights and the stage reached alone, draws nothing, raises
        nothing and reads no names but the task's, which selects networks. So it can be exported, tiled and
        streamed. Inputs and conditions have B rows each; where `Task.broadcasts`, those of `Task.inputs` and
        `Task.noise` may have one.
        """
        raise NotImplementedError

    def begin(self, task: Task, inputs: Inputs, output: Tensor) -> Memory:  # noqa: ARG002 - as above
        """The memory after a frame whose output was given instead of computed (a real first frame).

        output: (B, C, H, W) in [-1, 1], of the sides of the inputs. Pure, like `forward`.
        """
        return {}

    # -- looking at it -------------------------------------------------------------------

    def preview(self, batch: Batch) -> dict[str, Tensor]:  # noqa: ARG002 - for those that override it
        """Images (B, C, H, W) for the sample sheet, one column per name, in order."""
        return {}

    def evaluate(self, batch: Batch) -> Evaluation:  # noqa: ARG002 - as above
        """What it makes of a validation batch; no network runs twice on the same."""
        return Evaluation()

    # -- for systems ---------------------------------------------------------------------

    def adam(self, *networks: nn.Module, lr: float | None = None) -> Adam:
        """The usual optimiser over the weights of some networks, as far as those that grow learn now."""
        weights = chain.from_iterable(map(trainable_weights, networks))
        return Adam(weights, lr=lr or self.config.lr, betas=self.config.betas, fused=True)

    def train(self, mode: bool = True) -> Self:
        """As usual, but networks that are only asked stay in evaluation mode, without gradients."""
        super().train(mode)
        for name in self.frozen:
            self.get_submodule(name).eval().requires_grad_(False)
        return self


def linear_decay(t: float, constant: float, decay: float) -> float:
    """1 until `constant`, then a straight line that reaches 0 at `constant + decay` (same unit as t)."""
    return 1.0 if t <= constant else max(0.0, 1.0 - (t - constant) / decay)


def aligned(batch: Batch, pairs: Pairs) -> Pairs:
    """Of some pairs those rows whose images show the same scene in both domains; usually there are none.

    batch["truth"]: (B,) bool, or absent.
    """
    if "truth" not in batch or not batch["truth"].any():
        return {}
    rows = batch["truth"]
    return {name: (fake[rows], real[rows]) for name, (fake, real) in pairs.items()}  # (B', C, H, W) each
