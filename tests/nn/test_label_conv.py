"""The first convolution on label maps: a table gives what one-hot planes give."""

import pytest
import torch
from torch import Tensor
from torch.nn.functional import conv2d, interpolate

from i2icli.nn.label_conv import MANY, LabelConv2d, LabelPlanes, prefers_table
from i2icli.nn.label_maps import one_hot

CLASSES = 5


def label_planes(*, edges: bool = False, rows: int = 2) -> LabelPlanes:
    """With unlabelled pixels, of index CLASSES and beyond."""
    labels = torch.randint(CLASSES + 2, (rows, 1, 12, 8))
    return LabelPlanes(labels, CLASSES, torch.rand(labels.shape) < 0.3 if edges else None)


def naive(conv: LabelConv2d, labels: LabelPlanes) -> Tensor:
    planes = one_hot(labels.labels, CLASSES, conv.weight.dtype)
    if labels.edges is not None:
        planes = torch.cat([planes, labels.edges.to(planes)], 1)
    return conv2d(planes, conv.weight, conv.bias, padding=conv.kernel_size[0] // 2)


@pytest.mark.parametrize("edges", [False, True])
@pytest.mark.parametrize("kernel", [1, 3, 5])
def test_values_and_gradients_of_the_table_are_those_of_the_planes(kernel: int, edges: bool) -> None:
    labels = label_planes(edges=edges)
    conv = LabelConv2d(labels.channels, 7, kernel).double()
    wanted, found = naive(conv, labels), conv.looked_up(labels)
    torch.testing.assert_close(found, wanted, rtol=0, atol=1e-13)
    direction = torch.randn_like(wanted)
    weights = list(conv.parameters())
    ours = torch.autograd.grad((found * direction).sum(), weights)
    for mine, theirs in zip(ours, torch.autograd.grad((wanted * direction).sum(), weights), strict=True):
        torch.testing.assert_close(mine, theirs, rtol=0, atol=1e-12)


@pytest.mark.parametrize("edges", [False, True])
def test_the_planes_are_what_a_convolution_reads(edges: bool) -> None:
    labels = label_planes(edges=edges)
    conv = LabelConv2d(labels.channels, 7)
    torch.testing.assert_close(conv(labels), naive(conv, labels))
    assert labels.planes(torch.float32) is labels.planes(torch.float32)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_both_ways_give_the_type_of_the_computation(dtype: torch.dtype) -> None:
    labels = label_planes(edges=True)
    conv = LabelConv2d(labels.channels, 7)
    with torch.autocast("cpu", dtype):
        planes, table = conv(labels), conv.looked_up(labels)
    assert planes.dtype == table.dtype == dtype
    torch.testing.assert_close(table, planes, rtol=0.02, atol=0.02)
    conv.to(dtype)
    with torch.no_grad():
        assert conv.looked_up(labels).dtype == dtype


def test_gradients_of_the_table_are_added_up_in_single_precision() -> None:
    """A thousand pixels of one class: in bfloat16 the sum would stay at 256."""
    conv = LabelConv2d(1, 1, 1)
    with torch.autocast("cpu", torch.bfloat16):
        conv.looked_up(LabelPlanes(torch.zeros(1, 1, 10, 100, dtype=torch.int64), 1)).sum().backward()
    assert conv.weight.grad is not None
    assert conv.weight.grad.item() == 1000


def test_smaller_maps_are_the_nearest_pixels_of_maps_and_of_edges() -> None:
    labels = label_planes(edges=True)
    small = labels.at((4, 4))
    for found, whole in ((small.labels, labels.labels), (small.edges, labels.edges)):
        assert found is not None
        assert whole is not None
        assert torch.equal(found.float(), interpolate(whole.float(), (4, 4), mode="nearest"))
    assert labels.at((4, 4)) is small
    assert labels.at((12, 8)) is labels


def test_a_table_serves_inference_and_many_classes() -> None:
    few, many = 4, MANY
    weight = torch.nn.Parameter(torch.rand(3))
    assert [prefers_table(weight, channels) for channels in (few, many)] == [False, True]
    with torch.autocast("cpu", torch.bfloat16):
        assert not prefers_table(weight, many)
    with torch.no_grad():
        assert prefers_table(weight, few)
    assert prefers_table(weight.detach(), few)
    assert not prefers_table(weight.detach().to("meta"), many)
