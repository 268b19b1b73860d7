"""Spectral normalisation. Numbers of the reference: tests/parity/test_spade.py."""

from copy import deepcopy

import pytest
import torch
from torch import nn

from i2icli.nn.spectral_norm import SpectralConv2d, SpectralNorm, fold_spectral_norms


def largest_singular_value(weight: torch.Tensor) -> float:
    return float(torch.linalg.svdvals(weight.detach().flatten(1))[0])


def test_power_iteration_finds_the_largest_singular_value() -> None:
    conv = SpectralConv2d(3, 8, 3)
    for _ in range(200):
        conv(torch.rand(1, 3, 5, 5))
    assert conv.spectral.eval()(conv.weight).item() == pytest.approx(
        largest_singular_value(conv.weight), rel=1e-5
    )


def test_evaluation_leaves_the_vectors_alone() -> None:
    conv = SpectralConv2d(3, 8, 3).eval()
    before = deepcopy(conv.state_dict())
    x = torch.rand(1, 3, 5, 5)
    assert torch.equal(conv(x), conv(x))
    assert all(torch.equal(before[name], value) for name, value in conv.state_dict().items())


def test_the_gradient_is_that_of_a_weight_over_its_largest_singular_value() -> None:
    """With exact singular vectors, which are constants: d sigma / d W = u v^T."""
    weight = torch.randn(4, 6, dtype=torch.float64, requires_grad=True)
    u, _, v = torch.linalg.svd(weight.detach())
    norm = SpectralNorm(4, 6).double().eval()
    norm.load_state_dict({"u": u[:, 0], "v": v[0]})
    direction = torch.randn(4, 6, dtype=torch.float64)
    (ours,) = torch.autograd.grad((weight / norm(weight) * direction).sum(), weight)
    exact = weight / torch.linalg.matrix_norm(weight, 2)
    (expected,) = torch.autograd.grad((exact * direction).sum(), weight)
    torch.testing.assert_close(ours, expected)


@pytest.mark.parametrize("side", [2, 40])  # features that are smaller than the weight, and larger ones
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_whatever_is_divided_and_however_it_lies_in_memory(side: int, layout: torch.memory_format) -> None:
    conv = SpectralConv2d(8, 16, 3, padding=1).double()
    plain = deepcopy(conv)
    conv = conv.to(memory_format=layout)
    x = torch.rand(1, 8, side, side, dtype=torch.float64)
    found = conv(x)
    plain.spectral.iterate(plain.weight)
    sigma = plain.spectral.eval()(plain.weight)
    wanted = torch.nn.functional.conv2d(x, plain.weight / sigma, plain.bias, padding=1)
    torch.testing.assert_close(found, wanted)
    for name, value in plain.state_dict().items():
        torch.testing.assert_close(conv.state_dict()[name], value)
    ours = torch.autograd.grad(found.square().sum(), conv.weight)
    torch.testing.assert_close(ours, torch.autograd.grad(wanted.square().sum(), plain.weight))


def test_two_passes_before_the_gradient() -> None:
    conv, x = SpectralConv2d(2, 3, 3), torch.rand(1, 2, 5, 5)
    first, second = conv(x), conv(x)
    (first.sum() + second.sum()).backward()
    assert conv.weight.grad is not None


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_sigma_is_not_computed_in_low_precision(dtype: torch.dtype) -> None:
    norm, weight = SpectralNorm(64, 4096).eval(), torch.randn(64, 4096)
    exact = norm(weight)
    with torch.autocast("cpu", dtype):
        assert torch.equal(norm(weight), exact)


def test_a_network_without_memory_knows_its_sizes() -> None:
    with torch.device("meta"):
        conv = SpectralConv2d(3, 8, 3, stride=2, padding=1)
        assert conv(torch.rand(1, 3, 8, 8)).shape == (1, 8, 4, 4)


def test_a_folded_network_computes_the_same_without_normalising() -> None:
    network = nn.Sequential(SpectralConv2d(3, 8, 3), nn.ReLU(), SpectralConv2d(8, 4, 3)).eval()
    x = torch.rand(2, 3, 9, 9)
    wanted = network(x)
    fold_spectral_norms(network)
    fold_spectral_norms(network)
    torch.testing.assert_close(network(x), wanted)
    for layer in (network[0], network[2]):
        torch.testing.assert_close(layer.spectral(layer.weight), torch.tensor(1.0))


def test_an_average_of_weights_is_normalised_along_the_vectors_of_the_last_ones() -> None:
    """As the engine averages: weights, with a copy of the vectors."""
    conv = SpectralConv2d(3, 8, 3)
    average = deepcopy(conv).eval()
    for _ in range(50):
        conv.weight.data += 0.01 * torch.randn_like(conv.weight)
        conv(torch.rand(1, 3, 5, 5))
        average.weight.data.lerp_(conv.weight.data, 0.1)
        for copy, buffer in zip(average.buffers(), conv.buffers(), strict=True):
            copy.copy_(buffer)
    sigma = average.spectral(average.weight).item()
    assert sigma == pytest.approx(largest_singular_value(average.weight), rel=0.05)
