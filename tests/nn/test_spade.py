"""SPADE layers and blocks. Numbers of the reference: tests/parity/test_spade.py."""

from copy import deepcopy
from typing import Literal

import pytest
import torch

from i2icli.nn.label_conv import LabelPlanes
from i2icli.nn.recomputation import checkpointed
from i2icli.nn.spade import SPADE, Modulation, SPADEBlock


def labels(rows: int = 2) -> LabelPlanes:
    return LabelPlanes(torch.randint(3, (rows, 1, 16, 16)), 3)


def block(norm: Literal["batch", "instance"] = "batch") -> SPADEBlock:
    return SPADEBlock(6, 4, Modulation(3, hidden=5, norm=norm))


def test_one_map_modulates_many_rows_and_is_read_once() -> None:
    made, x, one = block().eval(), torch.randn(4, 6, 8, 8), labels(1)
    many = LabelPlanes(one.labels.expand(4, -1, -1, -1), 3)
    seen: list[int] = []
    made.norm_0.shared.register_forward_hook(lambda _module, _inputs, output: seen.append(len(output)))
    torch.testing.assert_close(made(x, one), made(x, many))
    assert seen == [1, 4]


def test_a_layer_without_modulation_is_its_norm() -> None:
    layer = SPADE(6, Modulation(3, hidden=5, norm="instance"))
    for weight in layer.gamma_beta.parameters():
        weight.data.zero_()
    out = layer(10 + 3 * torch.randn(2, 6, 8, 8), labels())
    torch.testing.assert_close(out.mean((2, 3)), torch.zeros(2, 6), rtol=0, atol=1e-5)
    torch.testing.assert_close(out.std((2, 3), correction=0), torch.ones(2, 6), rtol=0, atol=1e-4)


@pytest.mark.parametrize("norm", ["batch", "instance"])
def test_a_block_that_is_computed_again_gives_the_same_and_leaves_the_same(
    norm: Literal["batch", "instance"],
) -> None:
    """Outputs, gradients, running statistics and singular vectors."""
    kept = block(norm)
    again = deepcopy(kept)
    maps, x = labels(), torch.randn(2, 6, 8, 8, requires_grad=True)
    outputs = [kept(x, maps), checkpointed(again, x, maps)]
    assert torch.equal(*outputs)
    gradients = [
        torch.autograd.grad(output.square().sum(), [x, *made.parameters()])
        for made, output in zip((kept, again), outputs, strict=True)
    ]
    assert all(torch.equal(*pair) for pair in zip(*gradients, strict=True))
    for name, value in kept.state_dict().items():
        assert torch.equal(again.state_dict()[name], value), name


def test_recomputing_keeps_less() -> None:
    made, maps = block(), labels()

    def kept_bytes(*, again: bool) -> int:
        sizes: list[int] = []

        def pack(tensor: torch.Tensor) -> torch.Tensor:
            sizes.append(tensor.nbytes)
            return tensor

        x = torch.randn(2, 6, 16, 16, requires_grad=True)
        with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
            checkpointed(made, x, maps) if again else made(x, maps)
        return sum(sizes)

    assert kept_bytes(again=True) < kept_bytes(again=False) / 10
