"""Batch norm in evaluation: statistics per image or running ones, never of the batch; without parameters."""

from pathlib import Path

import onnx
import pytest
import torch
from onnxruntime import InferenceSession
from torch import nn
from torch.export import Dim

from i2icli.nn.norm import BatchNorm, InstanceNorm, Statistics, SyncedBatchNorm, build_norm, fused_norms


def trained(statistics: Statistics) -> BatchNorm:
    torch.manual_seed(0)
    norm = BatchNorm(3, statistics)
    nn.init.normal_(norm.weight)
    nn.init.normal_(norm.bias)
    norm.train()(5 * torch.randn(4, 3, 8, 8) + 2)
    return norm.eval()


def test_per_image_statistics_equal_training_at_batch_size_one() -> None:
    norm = trained("image")
    x = torch.randn(2, 3, 8, 8)
    answer = norm(x)
    for i in range(2):
        torch.testing.assert_close(answer[i : i + 1], norm.train()(x[i : i + 1]), atol=1e-5, rtol=1e-5)


def test_running_statistics_equal_the_standard_layer() -> None:
    norm = trained("running")
    ordinary = nn.BatchNorm2d(3).eval()
    ordinary.load_state_dict(norm.state_dict(), strict=True)
    x = torch.randn(2, 3, 8, 8)
    assert torch.equal(norm(x), ordinary(x))
    assert not torch.allclose(norm(x), trained("image")(x), atol=0.1)


def test_inference_does_not_update_the_statistics() -> None:
    norm = trained("image")
    before = {name: value.clone() for name, value in norm.state_dict().items()}
    norm(torch.randn(2, 3, 8, 8))
    assert all(torch.equal(value, before[name]) for name, value in norm.state_dict().items())


def test_instance_norm_has_no_weights_and_normalises_every_channel() -> None:
    norm = InstanceNorm()
    y = norm(3 * torch.randn(2, 3, 8, 8) + 1)
    assert not norm.state_dict()
    torch.testing.assert_close(y.mean((2, 3)), torch.zeros(2, 3), atol=1e-5, rtol=0)
    torch.testing.assert_close(y.var((2, 3), correction=0), torch.ones(2, 3), atol=1e-3, rtol=0)


def test_none_is_the_identity() -> None:
    x = torch.randn(1, 3, 2, 2)
    assert build_norm("none", 3)(x) is x


def test_statistics_are_those_of_the_batch_in_training_and_their_average_afterwards() -> None:
    """Park et al., 2019: no learned parameters. On a CPU a batch is that of one process."""
    norm, like = SyncedBatchNorm(3), torch.nn.BatchNorm2d(3, affine=False)
    for _ in range(3):
        x = 2 + 3 * torch.randn(4, 3, 5, 5)
        assert torch.equal(norm(x), like(x))
    norm.eval()
    like.eval()
    assert torch.equal(norm(x), like(x))
    assert list(norm.parameters()) == []


@pytest.mark.slow
def test_exported_it_is_as_exact_in_runtimes_that_add_pixels_one_by_one(tmp_path: Path) -> None:
    """Their own instance norm is a hundred times further off in large smooth maps."""
    across = torch.linspace(-1, 1, 256)
    smooth = (3 + 0.1 * across * across[:, None]).expand(2, 3, 256, 256).contiguous()
    norm, ramp = InstanceNorm(), {2: Dim("height"), 3: Dim("width")}
    with torch.no_grad():
        program = torch.export.export(norm, (smooth[..., :200, :130].clone(),), dynamic_shapes=(ramp,))
        written = torch.onnx.export(program, dynamo=True, input_names=["x"], verbose=False)
    assert written is not None
    written.save(tmp_path / "norm.onnx")
    session = InferenceSession(tmp_path / "norm.onnx")
    (found,) = session.run(None, {"x": smooth.numpy()})
    torch.testing.assert_close(torch.from_numpy(found).double(), norm(smooth.double()), atol=2e-5, rtol=0)


@pytest.mark.slow
def test_a_fused_norm_is_one_operation_of_a_graph(tmp_path: Path) -> None:
    def operations(path: Path) -> set[str]:
        torch.onnx.export(InstanceNorm().eval(), (torch.randn(2, 3, 8, 8),), path, dynamo=True, verbose=False)
        return {node.op_type for node in onnx.load(path).graph.node}

    with fused_norms():
        assert operations(tmp_path / "fused.onnx") == {"InstanceNormalization"}
    assert "InstanceNormalization" not in operations(tmp_path / "steps.onnx")
