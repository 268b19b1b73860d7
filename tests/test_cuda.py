"""What only a GPU can show. Run by `python -m benchmarks.gpu`, or `pytest -m cuda`."""

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

import i2icli
from i2icli import registry
from i2icli.config import RunOptions
from i2icli.inference.latents import draw_codes
from i2icli.training.run import train
from tests.tiny import tiny_config

DEVICE = "cuda"

pytestmark = [
    pytest.mark.cuda,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device found"),
]


@pytest.mark.parametrize("name", registry.SYSTEMS)
@pytest.mark.parametrize("precision", ["fp32", "bf16", "fp16"])
def test_every_system_trains_and_stays_finite(name, precision, toy, tmp_path):
    config = tiny_config(name, batch_size=2, ema=0.9, holdout=0.0, precision=precision)
    result = train(name, [toy(name)], config, RunOptions(out=tmp_path / "run", device=DEVICE))
    assert result.finished
    weights = load_file(result.folder / "model.safetensors")
    assert all(bool(value.isfinite().all()) for value in weights.values())


@pytest.mark.parametrize("name", registry.SYSTEMS)
def test_a_model_gives_the_same_image_as_on_the_processor(name, toy, tmp_path):
    config = tiny_config(name, batch_size=2, holdout=0.0)
    folder = train(name, [toy(name)], config, RunOptions(out=tmp_path / "run", device="cpu")).folder
    ours, expected = (pixels(i2icli.load(folder, device, "fp32")) for device in (DEVICE, "cpu"))
    assert np.abs(ours - expected).max() < 1e-3


def pixels(model: i2icli.Translator) -> np.ndarray:
    """The default output for an image of noise, or for a code; values in [-1, 1]."""
    if not model.translates:
        (spec,) = model.outputs(generating=True).plan(i2icli.TranslateOptions(samples=1))[:1]
        return model.generate(spec, draw_codes(1, spec.task.latent_size, seed=0)).numpy()
    task, rng = model.tasks[0], np.random.default_rng(0)
    image, style = (rng.uniform(-1, 1, (32, 32, 3)).astype(np.float32) for _ in range(2))
    options = {"reference": style} if "reference" in task.requires else {}
    options |= {"source": task.sources[-1]} if "source" in task.requires else {}
    return model.translate(image, **options)
