"""What computes the outputs of a model: networks in torch, or exported graphs elsewhere. No torch here."""

from collections.abc import Mapping
from typing import Any, Protocol

from i2icli.config import Config
from i2icli.request import Array, Arrays
from i2icli.stage import Stage
from i2icli.task import Task


class Backend(Protocol):
    """A model ready to compute. What goes in and comes out are arrays: float32, ids int64."""

    @property
    def name(self) -> str:
        """What messages call the model: its system."""

    @property
    def config(self) -> Config:
        """Its settings."""

    @property
    def stage(self) -> Stage:
        """The stage of training that it reached."""

    @property
    def tasks(self) -> tuple[Task, ...]:
        """What it can be asked for, the default first."""

    @property
    def facts(self) -> Mapping[str, Any]:
        """What it knows beside its settings, for `Request.facts`."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What a user should know about it, in lines."""

    @property
    def rows(self) -> int:
        """Images of a forward pass, where the user does not say."""

    @property
    def device(self) -> str:
        """Where networks that compute its conditions run best."""

    def expect(self, task: Task, outputs: int) -> None:
        """Learn that so many outputs more of a task will be asked for, so that preparing for them can pay.

        Raises UserError if it cannot compute any.
        """

    def encode(self, task: Task, conditions: Arrays, inputs: Arrays) -> Arrays:
        """What its networks make of conditions, see `System.encode`; what they leave stays."""

    def forward(self, task: Task, inputs: Arrays, memory: Arrays | None) -> tuple[Array, Arrays]:
        """The output (B, C, H, W) and the memory for the next frame, see `System.forward`."""

    def memory(self, task: Task, inputs: Arrays) -> int | None:
        """Bytes that `forward` takes for inputs, estimated from their shapes; None: not known."""

    def begin(self, task: Task, inputs: Arrays, output: Array) -> Arrays:
        """The memory after a frame whose output was given, see `System.begin`."""

    def is_out_of_memory(self, error: Exception) -> bool:
        """Whether an error of the methods above means that memory does not suffice."""
