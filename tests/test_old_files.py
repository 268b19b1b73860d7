"""Models and training states of version 0.1.0 load, give the same outputs and resume to the same weights.

What the files hold is in the READMEs of tests/golden/old.
"""

import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from i2icli.config import RunOptions
from i2icli.recipe import resolve_config
from i2icli.runtime.checkpoint import load_model
from i2icli.training.run import train
from tests.asking import ask

OLD = Path(__file__).parent / "golden" / "old"
OUTPUTS = [("cyclegan", "A"), ("cyclegan", "B"), ("progan", None)]
STEPS = {"cyclegan": 8, "progan": 6}
OUTPUT_LIMIT, WEIGHT_LIMIT = 1e-4, 1e-6  # other kernels: 4e-6 and 3e-7; without the optimisers' state: 1e-3


def expected(system: str, prefix: str = "") -> dict[str, Tensor]:
    """The expected tensors whose names begin with a prefix, without it."""
    tensors = load_file(OLD / system / "expected.safetensors")
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}


def assert_weights_equal(weights: dict[str, Tensor], golden: dict[str, Tensor]) -> None:
    """All golden weights are there and equal; biases before a norm have gradients of rounding errors only."""
    assert golden.keys() <= weights.keys()
    for name, value in golden.items():
        if value.ndim > 1:
            difference = (weights[name] - value).abs().max().item()
            assert difference <= WEIGHT_LIMIT, f"{name} differs by {difference:g}"


@pytest.mark.parametrize(("system", "to"), OUTPUTS)
def test_an_old_model_gives_the_same_output(system: str, to: str | None) -> None:
    golden = expected(system)
    kind = "image" if to else "latent"
    with torch.inference_mode():
        output = ask(
            load_model(OLD / system / "model.safetensors"), to=to, **{kind: golden["input"]}
        )  # (B, C, H, W)

    torch.testing.assert_close(output, golden[f"output.{to}" if to else "output"], rtol=0, atol=OUTPUT_LIMIT)


@pytest.mark.parametrize("system", STEPS)
def test_an_old_state_resumes_to_the_same_weights(system: str, toy, tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(OLD / system, run)
    config = resolve_config(system, run / "recipe.toml")

    result = train(system, [toy(system)], config, RunOptions(out=run, validate_every=2))

    assert (result.finished, result.step) == (True, STEPS[system])
    final = load_file(run / "model.safetensors")
    assert final.keys() == expected(system, "final.").keys()
    assert_weights_equal(final, expected(system, "final."))
    state = torch.load(run / "resume.pt", weights_only=True)["system"]
    assert_weights_equal(state, expected(system, "state."))
