"""Reference numbers of the papers' own programs, one safetensors file per case.

A file holds the weights of the reference under its own names ("state.<key>", or "state[<net>].<key>"
where there are several networks), the inputs ("in.<name>") and the results ("out", "out.<name>",
"out.post_state[<net>].<key>" for weights after a step). Its metadata has the constructor's arguments.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from torch import Tensor, nn

ROOT = Path(__file__).parent


@dataclass(frozen=True)
class Case:
    """One reference case."""

    name: str
    config: dict[str, Any]
    mode: str  # "train" or "eval": how the reference ran
    tensors: dict[str, Tensor]

    def state(self, network: str | None = None) -> dict[str, Tensor]:
        """The weights of one network under the reference's names."""
        return self._under("state" if network is None else f"state[{network}]")

    def after(self, network: str | None = None) -> dict[str, Tensor]:
        """What the case changed in the weights of one network."""
        return self._under("out.post_state" if network is None else f"out.post_state[{network}]")

    def given(self, name: str = "x") -> Tensor:
        """One input."""
        return self.tensors[f"in.{name}"]

    def expected(self, name: str = "") -> Tensor:
        """One result; without a name the only one."""
        return self.tensors[f"out.{name}" if name else "out"]

    def has(self, name: str) -> bool:
        """Whether there is such a result."""
        return f"out.{name}" in self.tensors

    def _under(self, prefix: str) -> dict[str, Tensor]:
        start = f"{prefix}."
        return {
            name.removeprefix(start): value for name, value in self.tensors.items() if name.startswith(start)
        }


def names(system: str, start: str = "") -> list[str]:
    """The names of a system's cases that start so."""
    return sorted(path.stem for path in (ROOT / system).glob(f"{start}*.safetensors"))


def read(system: str, name: str) -> Case:
    """One case from its file."""
    with safe_open(ROOT / system / f"{name}.safetensors", "pt") as file:
        metadata = file.metadata()
        tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 (no mapping)
    return Case(name, json.loads(metadata["config"]), metadata["mode"], tensors)


def assert_images(actual: Tensor, expected: Tensor) -> None:
    """Outputs and input gradients of networks agree."""
    torch.testing.assert_close(actual, expected, atol=5e-5, rtol=1e-4)


def assert_loss(actual: Tensor, expected: Tensor) -> None:
    """Scalar losses agree."""
    torch.testing.assert_close(actual.detach(), expected, atol=1e-7, rtol=1e-5)


def assert_gradient_norms(actual: Tensor, expected: Tensor) -> None:
    """Gradient norms and penalties agree."""
    torch.testing.assert_close(actual.detach(), expected, atol=1e-7, rtol=1e-4)


def assert_after_adam(network: nn.Module, expected: dict[str, Tensor], lr: float, noisy: set[str]) -> None:
    """Weights and statistics after one step of Adam agree.

    Adam's first step has the size of `lr` whatever the gradient, so where the gradient is nearly zero
    its sign is noise. `noisy` names weights whose gradient is zero by the mathematics (biases in front
    of a norm that subtracts the mean); elsewhere one value in a hundred may differ.
    """
    state = network.state_dict()
    for name, value in expected.items():
        difference = (state[name].double() - value.double()).abs()
        assert difference.max() <= 2.01 * lr, f"{name}: {difference.max()}"
        far = (difference > 1e-6 + 1e-6 * value.double().abs()).double().mean()
        assert name in noisy or far <= 0.01, f"{name}: {far:.1%} of the values differ"
