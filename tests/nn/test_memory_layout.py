"""Which layout features get."""

import pytest
import torch

from i2icli.nn.memory_layout import laid_out

SMALL, LARGE = (1, 4, 8, 8), (1, 4, 32, 32)
LAST = torch.channels_last


@pytest.mark.parametrize("given", [torch.contiguous_format, LAST])
@pytest.mark.parametrize(
    ("shape", "weight", "found"),
    [
        (SMALL, torch.contiguous_format, torch.contiguous_format),
        (SMALL, LAST, LAST),
        (LARGE, torch.contiguous_format, LAST),
        (LARGE, LAST, LAST),
    ],
)
def test_few_pixels_follow_the_weight_and_many_have_channels_last(
    shape: tuple[int, ...],
    weight: torch.memory_format,
    found: torch.memory_format,
    given: torch.memory_format,
) -> None:
    x = torch.rand(shape).contiguous(memory_format=given)
    after = laid_out(x, torch.rand(4, 4, 3, 3).contiguous(memory_format=weight))
    assert torch.equal(after, x)
    assert after.is_contiguous(memory_format=found)
