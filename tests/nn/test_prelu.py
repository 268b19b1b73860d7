"""PReLU has the outputs and gradients of torch's."""

from copy import deepcopy

import pytest
import torch
from torch import Tensor, nn
from torch.autograd import gradcheck, gradgradcheck

from i2icli.nn.prelu import PReLU


def features(
    dtype: torch.dtype = torch.float32, layout: torch.memory_format = torch.contiguous_format
) -> Tensor:
    """(2, 3, 8, 10) with some zeros."""
    x = torch.randn(2, 3, 8, 10).clamp(min=-1)
    x[:, :, :2] = 0
    return x.to(dtype).contiguous(memory_format=layout).requires_grad_()


def learned(layer: nn.PReLU, x: Tensor, autocast: bool = False) -> tuple[Tensor, Tensor, Tensor]:
    """The output, and the gradients of x and of the slope."""
    with torch.autocast("cpu", torch.bfloat16, enabled=autocast):
        answer = layer(x)
    weights = torch.linspace(-1, 2, x.numel()).reshape(x.shape).to(answer)
    return answer, *torch.autograd.grad((answer * weights).sum(), (x, layer.weight))


def both(slope: float) -> tuple[nn.PReLU, PReLU]:
    library, own = nn.PReLU(init=slope), PReLU()
    own.load_state_dict(deepcopy(library.state_dict()))
    return library, own


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("slope", [0.25, -0.5, 1.0, 0.0])
def test_outputs_and_gradients_equal_those_of_torch(slope: float, layout: torch.memory_format) -> None:
    library, own = both(slope)
    x = features(layout=layout)
    (answer, to_x, to_slope), (mine, mine_to_x, mine_to_slope) = learned(library, x), learned(own, x)
    assert torch.equal(mine, answer)
    assert torch.equal(mine_to_x, to_x)
    torch.testing.assert_close(mine_to_slope, to_slope)


@pytest.mark.parametrize("given", [torch.float32, torch.bfloat16])
def test_under_autocast_too(given: torch.dtype) -> None:
    library, own = both(0.3)
    x = features(given)
    for theirs, mine in zip(learned(library, x, autocast=True), learned(own, x, autocast=True), strict=True):
        assert mine.dtype == theirs.dtype
        torch.testing.assert_close(mine, theirs, rtol=0.01, atol=0.01)


def test_double_backward() -> None:
    def call(x: Tensor, slope: Tensor) -> Tensor:
        return torch.func.functional_call(own, {"weight": slope}, (x,))

    own = PReLU().double()
    x = torch.randn(1, 2, 3, 4, dtype=torch.float64)
    x = (x + 0.1 * x.sign()).requires_grad_()  # finite differences must not step over zero
    slope = torch.tensor([0.3], dtype=torch.float64, requires_grad=True)
    assert gradcheck(call, (x, slope))
    assert gradgradcheck(call, (x, slope))


def test_it_runs_on_the_meta_device() -> None:
    with torch.device("meta"):
        own = PReLU()
        assert own(torch.empty(1, 2, 4, 4)).shape == (1, 2, 4, 4)
    assert list(own.state_dict()) == list(nn.PReLU().state_dict())
