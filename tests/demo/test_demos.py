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

SHORT = {"dtn": {"feature_steps": 1}}  # of the two steps


@pytest.mark.parametrize("name", DEMOS)
def test_a_demo_trains_and_evaluates_also_in_low_precision(name: str, tmp_path: Path) -> None:
    module = import_module(DEMOS[name])
    demo: Demo = module.DEMO
    data = tmp_path / demo.folder
    demo.write(data, 0)
    config = resolve_config(name, f"{name}-demo", {"steps": 2, "batch_size": 2} | SHORT.get(name, {}))
    run = train(name, [data / part for part in demo.parts], config, RunOptions(out=tmp_path / "run"))
    results = demo.evaluate(Translator.load(run.folder, "cpu", "bf16"), data)
    assert len(results.rows) > 0
    assert all(len(row) == len(results.columns) for row in results.rows)
    assert all(each.dtype == np.uint8 and each.shape[2] == 3 for row in results.rows for each in row)
    assert len(results.metrics) > 0
