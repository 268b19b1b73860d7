"""Every demo: its data can be trained on, and its evaluation works."""

from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

from i2icli.config import RunOptions
from i2icli.demo import DEMOS
from i2icli.demo.demo import Demo
from i2icli.inference.translator import Translator
from i2icli.recipe import resolve_config
from i2icli.training.run import train
from tests.tiny import with_large_ones_slow

SHORT = {"dtn": {"feature_steps": 1}}  # of the two steps


FEW = {"TRAIN": 24, "TEST": 4, "KNOWN": 5, "FRAMES": 8}
"""Examples to train on, to test on, reference signs of DTN's classifier, frames: enough for two steps."""


@pytest.mark.parametrize("name", with_large_ones_slow(DEMOS))
def test_a_demo_trains_and_evaluates_also_in_low_precision(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = import_module(DEMOS[name])
    assert {"TRAIN", "TEST"} <= vars(module).keys()
    for size, few in FEW.items():
        monkeypatch.setattr(module, size, few, raising=False)
    check(module.DEMO, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("name", DEMOS)
def test_a_demo_trains_and_evaluates_on_all_of_its_data(name: str, tmp_path: Path) -> None:
    check(import_module(DEMOS[name]).DEMO, tmp_path)


def check(demo: Demo, folder: Path) -> None:
    name, data = demo.system, folder / demo.folder
    demo.write(data, 0)
    config = resolve_config(name, f"{name}-demo", {"steps": 2, "batch_size": 2} | SHORT.get(name, {}))
    run = train(name, [data / part for part in demo.parts], config, RunOptions(out=folder / "run"))
    results = demo.evaluate(Translator.load(run.folder, "cpu", "bf16"), data)
    assert len(results.rows) > 0
    assert all(len(row) == len(results.columns) for row in results.rows)
    assert all(each.dtype == np.uint8 and each.shape[2] == 3 for row in results.rows for each in row)
    assert len(results.metrics) > 0
