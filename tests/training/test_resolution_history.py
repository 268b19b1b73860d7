"""Sheets of growing systems: every resolution that is learned stands before the present one."""

import pytest
import torch

from i2icli.config import RunOptions
from i2icli.stage import Stage
from i2icli.training import monitor
from i2icli.training.resolution_history import columns, ends_resolution
from i2icli.training.run import train
from i2icli.training.run_folder import RunFolder
from tests.training.test_growth import staged
from tests.training.test_resume import StopAt

STAGES = [Stage("8 px", 2, None, 8), Stage("16 px, fading in", 2, None, 16, fading=True)]
STAGES += [Stage("16 px, enhancer alone", 2, None, 16), Stage("16 px", 2, None, 16)]


@pytest.fixture
def sheets(monkeypatch):
    """The rows of every sheet, by its number."""
    seen = {}
    monkeypatch.setattr(monitor, "write_sample_sheet", lambda path, rows: seen.update({int(path.stem): rows}))
    return seen


def done_in(row):
    return [name for name in row if name.endswith(", done")]


def test_a_sheet_shows_what_every_smaller_resolution_gave(toy, tmp_path, sheets):
    config = staged(crop_size=32, ema=0.9)  # 2 steps of 8 px, then 2 fading and 2 whole of 16 and of 32 px
    options = RunOptions(out=tmp_path / "run", sample_every=1)
    train("progan", [toy("progan")], config, options)
    expected = {2: [], 3: ["8 px, done"], 6: ["8 px, done"], 7: ["8 px, done", "16 px, done"]}
    assert {step: done_in(sheets[step][0]) for step in expected} == expected
    for number, row in enumerate(sheets[10]):
        then = sheets[6][number]["sample 1"]  # the same code, as its resolution was done
        assert row["16 px, done"].shape == (3, 16, 16)
        torch.testing.assert_close(row["16 px, done"], then.cpu(), atol=0.5 / 127.5, rtol=0)
        assert list(row)[2:5] == ["sample 1", "sample 2", "sample 3"]


def test_they_are_kept_over_sittings(toy, tmp_path):
    data, config = [toy("progan")], staged(crop_size=32)
    folders = tmp_path / "whole", tmp_path / "halves"
    train("progan", data, config, RunOptions(out=folders[0]))
    train("progan", data, config, RunOptions(out=folders[1]), StopAt(5))
    train("progan", data, config, RunOptions(out=folders[1]))
    whole, halves = (RunFolder(folder).load_state()["finished"] for folder in folders)
    assert set(whole) == set(halves) == {"8 px", "16 px", "32 px"}
    assert all(torch.equal(whole[name][""], halves[name][""]) for name in whole)


def test_a_finished_run_that_grows_on_shows_its_last_resolution(toy, tmp_path, sheets):
    data, options = [toy("progan")], RunOptions(out=tmp_path / "run")
    train("progan", data, staged(), options)
    train("progan", data, staged(crop_size=32), options)
    assert done_in(sheets[10][0]) == ["8 px, done", "16 px, done"]


def test_a_resolution_is_done_when_its_last_stage_is():
    nexts = [*STAGES[1:], None]
    assert [ends_resolution(*pair) for pair in zip(STAGES, nexts, strict=True)] == [True, False, False, True]
    assert not ends_resolution(Stage("main", 5), None)


def test_stages_of_a_run_that_was_left_before_are_not_shown_early():
    kept = {
        "8 px": {"A": torch.zeros(1, 3, 8, 8, dtype=torch.uint8)},
        "16 px": {"": torch.zeros(1, 3, 16, 16)},
    }
    assert list(columns(kept, STAGES, STAGES[1], 0)) == ["8 px A, done"]
    assert columns(kept, STAGES, STAGES[0], 0) == columns(kept, STAGES, STAGES[1], 1) == {}
