"""Every demonstration: its data can be learned from, and a network of that kind has something to show."""

from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

from i2icli.config import RunOptions
from i2icli.demo import LESSONS
from i2icli.demo.demo import Demo
from i2icli.inference.translator import Translator
from i2icli.recipe import resolve_config
from i2icli.training.run import train

SHORT = {"dtn": {"feature_steps": 1}}  # of these two steps


@pytest.mark.parametrize("name", LESSONS)
def test_it_learns_and_shows_also_in_low_precision(name: str, tmp_path: Path) -> None:
    module = import_module(LESSONS[name])
    lesson: Demo = module.DEMO
    data = tmp_path / lesson.folder
    lesson.write(data, 0)
    config = resolve_config(name, f"{name}-demo", {"steps": 2, "batch_size": 2} | SHORT.get(name, {}))
    run = train(name, [data / part for part in lesson.parts], config, RunOptions(out=tmp_path / "run"))
    shown = lesson.show(Translator.load(run.folder, "cpu", "bf16"), data)
    assert len(shown.rows) > 0
    assert all(len(row) == len(shown.columns) for row in shown.rows)
    assert all(each.dtype == np.uint8 and each.shape[2] == 3 for row in shown.rows for each in row)
    assert len(shown.figures) > 0
