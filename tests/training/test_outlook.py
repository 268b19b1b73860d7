"""The time that is left of a run, the memory it needs, and the recipe it starts from where none is named."""

import pytest
import torch

from i2icli.__main__ import main
from i2icli.config import RunOptions
from i2icli.processors import threads_asked
from i2icli.recipe import is_small, resolve_config, small_sizes
from i2icli.registry import SYSTEMS
from i2icli.runtime.checkpoint import write_model
from i2icli.stage import Clock, Stage
from i2icli.systems.cyclegan.system import CycleGAN
from i2icli.training import default_recipe as choosing
from i2icli.training.callbacks import NoCallbacks
from i2icli.training.outlook import (
    Machine,
    Outlook,
    hint_line,
    machine_of,
    memory_line,
    time_line,
    too_large_line,
)
from i2icli.training.plan import plan
from i2icli.training.run import train
from tests.tiny import tiny_config

STAGES = (Stage("small", 10), Stage("large", 10))


class Seconds:
    """A clock that is set by hand."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def stepped(outlook: Outlook, seconds: Seconds, steps: int, each: float, stage: Stage = STAGES[0]) -> None:
    for _ in range(steps):
        seconds.now += each
        outlook.step(stage)
        outlook.settle()


def test_the_time_left_is_known_from_the_third_step_and_does_not_count_the_first():
    seconds = Seconds()
    outlook = Outlook(STAGES[:1], clock=seconds)
    stepped(outlook, seconds, 1, 100.0)  # libraries are loaded
    stepped(outlook, seconds, 1, 2.0)
    assert outlook.left_s(Clock(STAGES[0], 2)) is None
    stepped(outlook, seconds, 1, 4.0)
    assert outlook.left_s(Clock(STAGES[0], 3)) == 7 * 3.0


def test_later_stages_take_as_long_as_their_steps_cost():
    seconds = Seconds()
    outlook = Outlook(STAGES, costs=(1.0, 5.0), clock=seconds)
    stepped(outlook, seconds, 3, 2.0)
    assert outlook.left_s(Clock(STAGES[0], 3)) == 7 * 2.0 + 10 * 5 * 2.0


def test_after_a_resume_time_counts_from_there():
    seconds = Seconds()
    outlook = Outlook(STAGES[:1], clock=seconds)  # of a new session: at step 6
    stepped(outlook, seconds, 3, 1.5)
    assert outlook.left_s(Clock(STAGES[0], 9)) == 1.5


def test_the_first_lines_give_time_memory_the_time_limit_and_what_suits_a_processor():
    seconds = Seconds()
    outlook = Outlook(
        (Stage("main", 10_003),), Machine("cpu", 8_000_000_000, small=False), None, 3609.0, seconds
    )
    stepped(outlook, seconds, 3, 3.0, outlook.stages[0])
    left_s = outlook.left_s(Clock(outlook.stages[0], 3))
    assert outlook.first_lines(10_000, left_s, 2_500_000_000) == [
        "about 8h20m to the end: 10,000 steps of 3 s; --time-limit stops it after 1,200 of them; "
        "memory so far 2.5 GB of the 8.0 GB of this machine",
        "on a processor --recipe small, with a new --out, learns in minutes to hours",
    ]
    assert outlook.first_lines(10_000, left_s, 0) == []  # once
    assert outlook.limit_left_s() == 3600.0


def test_numbers_are_plain():
    assert time_line(1, 123.0, None) == "about 2m03s to the end: 1 step of 123 s"
    assert memory_line(3_000_000, Machine(memory=25 * 10**9)) == "about 3 MB of the 25 GB of this machine"


def test_what_does_not_fit_is_warned_of_with_what_to_type():
    machine = Machine("cpu", 8_000_000_000, small=False)
    half = "--batch-size 2 --accumulate 2"
    assert too_large_line(7_000_000_000, machine, half) is None
    assert too_large_line(26_000_000_000, machine, half) == (
        "this needs about 26 GB of memory, more than the 8.0 GB of this machine: expect it to fail; try "
        "--recipe small, --batch-size 2 --accumulate 2, a smaller --crop-size"
    )
    line = too_large_line(26_000_000_000, Machine("cuda:0", 8_000_000_000), "")
    assert line.endswith("of cuda:0: expect it to fail; try a smaller --crop-size")
    in_bf16 = Machine("cuda:0", 8_000_000_000, low_precision=True)
    line = too_large_line(9_000_000_000, in_bf16, "")
    assert line.startswith(
        "this needs about 9.0 GB of memory in fp32, more than the 8.0 GB of cuda:0: it may fail;"
    )
    assert hint_line(9999.0, Machine("cuda:0", None, small=False)) is None


def test_processes_share_batches_and_the_memory_of_a_processor(toy):
    config = tiny_config("pix2pix", batch_size=4, accumulate=2, crop_size=64)
    one, four = (plan("pix2pix", [toy("pix2pix")], config, RunOptions(devices=devices)) for devices in (1, 4))
    assert one.memory_bytes / 4 < four.memory_bytes < one.memory_bytes / 2
    assert four.largest.smaller == "--batch-size 2 --accumulate 4"
    assert one.stages[0].images == four.stages[0].images
    alone, shared = (machine_of("pix2pix", config, torch.device("cpu"), count) for count in (1, 4))
    assert shared.memory == alone.memory // 4
    assert memory_line(10**9, Machine(memory=10**10, shared=True)).endswith(
        "of this machine for each process"
    )


def test_what_halves_the_batch_is_that_of_the_stage_that_needs_most(toy):
    found = plan("progan", [toy("progan")], tiny_config("progan", batch_size=4))
    assert found.largest is not found.stages[0]
    resolution = found.largest.size[0]
    assert found.largest.smaller == f"--batch-sizes {resolution}:2"


def test_where_steps_differ_no_number_of_them_is_promised():
    assert time_line(100, 7200.0, 3600.0, even=False) == (
        "about 2h00m to the end: 100 steps of 72 s on average; --time-limit stops it after 1h00m"
    )
    assert [Outlook(STAGES, costs=costs).even for costs in (None, (1.0, 5.0), (2.0, 2.0))] == [
        False,
        False,
        True,
    ]


class Seen(NoCallbacks):
    """What a run reports."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.progressed: list[tuple[int, bool, bool]] = []

    def note(self, text: str) -> None:
        self.lines.append(text)

    def warn(self, text: str) -> None:
        self.lines.append(f"warning: {text}")

    def progress(self, progress) -> None:
        self.progressed.append((progress.step, progress.eta_s is not None, progress.limit_s is not None))


def test_a_run_and_a_resumed_one_report_the_time_left_from_their_third_step(toy, tmp_path):
    for steps, expected in ((4, [1, 2, 3, 4]), (8, [5, 6, 7, 8])):
        seen = Seen()
        config = tiny_config("pix2pix", steps=steps)
        train("pix2pix", [toy("pix2pix")], config, RunOptions(out=tmp_path / "run", time_limit="1h"), seen)
        known = [False, False, True, True]
        assert seen.progressed == [(*each, True) for each in zip(expected, known, strict=True)]


def test_a_plan_measures_a_few_steps_and_leaves_nothing(toy, tmp_path):
    options = RunOptions(out=tmp_path / "run")
    found = plan("pix2pix", [toy("pix2pix")], tiny_config("pix2pix", steps=9), options, measure=True)
    assert found.left_s is not None
    assert 0 < found.left_s < 60
    assert not (tmp_path / "run").exists()


def test_a_plan_measures_with_the_threads_that_the_run_was_started_with(toy, tmp_path, monkeypatch):
    used, options = [], RunOptions(out=tmp_path / "run")
    started = RunOptions(out=tmp_path / "run", threads=2)
    train("pix2pix", [toy("pix2pix")], tiny_config("pix2pix", steps=1), started)
    monkeypatch.setattr(
        "i2icli.training.plan.seconds_per_step", lambda *_: used.append(threads_asked()) or 1.0
    )
    for asked in (options, RunOptions(out=tmp_path / "run", threads=3), RunOptions(out=tmp_path / "new")):
        plan("pix2pix", [toy("pix2pix")], tiny_config("pix2pix", steps=9), asked, measure=True)
    assert used == [2, 3, None]


def test_what_is_frozen_needs_less_memory(toy):
    needed = [
        plan("pix2pix", [toy("pix2pix")], tiny_config("pix2pix", steps=9, freeze=freeze)).memory_bytes
        for freeze in ((), ("discriminator",), ("discriminator", "G.down"))
    ]
    assert needed == sorted(needed, reverse=True)
    assert len(set(needed)) == 3


def test_memory_is_reported_before_large_images_are_trained_on(toy, tmp_path, monkeypatch):
    from i2icli.training import outlook

    seen, config = Seen(), tiny_config("pix2pix", steps=1, crop_size=128)
    monkeypatch.setattr(outlook, "device_memory", lambda _: 1_000_000)
    train("pix2pix", [toy("pix2pix")], config, RunOptions(out=tmp_path / "run"), seen)
    assert any(
        "warning: this needs about " in line and "more than the 1 MB of" in line for line in seen.lines
    )


def test_the_estimate_is_called_that_of_a_step_as_a_process_takes_more(toy, tmp_path, capsys):
    seen, config = Seen(), tiny_config("pix2pix", steps=1, crop_size=128)
    train("pix2pix", [toy("pix2pix")], config, RunOptions(out=tmp_path / "run"), seen)
    assert any(line.startswith("memory of a step: about ") for line in seen.lines)
    assert main(["train", "pix2pix", str(toy("pix2pix")), "--recipe", "demo", "--dry-run"]) == 0
    assert "\n# memory of a step: about " in capsys.readouterr().out


@pytest.mark.parametrize("system", SYSTEMS)
def test_every_system_has_sizes_for_a_processor(system):
    assert {"crop_size"} < small_sizes(system).keys()
    assert is_small(system, resolve_config(system, "small", {"batch_size": 8, "lr": 0.1}))
    assert not is_small(system, resolve_config(system, "paper"))
    assert resolve_config(system, "paper") == resolve_config(system)


def chosen(tmp_path, **given):
    options = RunOptions(out=tmp_path / "run", init_from=given.pop("init_from", None))
    return choosing.default_recipe("cyclegan", [tmp_path], given, options)


def test_without_a_gpu_and_a_named_size_the_defaults_are_those_for_a_processor(tmp_path, monkeypatch):
    monkeypatch.setattr(choosing, "_has_gpu", lambda: False)
    recipe, line = chosen(tmp_path, steps=10, batch_size=2)
    assert (recipe, line) == (
        "small",
        "no GPU found: training with --recipe small (64 px, sized to a processor); the paper's settings: "
        "--recipe paper",
    )
    assert chosen(tmp_path, init_from="latest_net_G.pth") == (None, "")
    short = choosing.default_recipe("dtn", [tmp_path], {"steps": 3}, RunOptions(out=tmp_path / "run"))
    assert short == (None, "")  # that recipe learns features for longer
    monkeypatch.setattr(choosing, "_has_gpu", lambda: True)
    assert chosen(tmp_path) == (None, "")


def test_a_named_size_that_takes_the_small_recipe_away_is_said(tmp_path, monkeypatch):
    monkeypatch.setattr(choosing, "_has_gpu", lambda: False)
    recipe, line = chosen(tmp_path, steps=10, crop_size="128", width="8")
    assert (recipe, line) == (
        None,
        "no GPU found, but with --crop-size, --width all other settings are the paper's, which are slow on a "
        "processor; those sized to one: --recipe cyclegan-small",
    )
    assert resolve_config("cyclegan", "cyclegan-small", {"crop_size": "128"}).width == 32
    assert chosen(tmp_path, **small_sizes("cyclegan")) == (None, "")  # which is the same
    assert chosen(tmp_path, width=8, init_from="latest_net_G.pth") == (None, "")
    monkeypatch.setattr(choosing, "_has_gpu", lambda: True)
    assert chosen(tmp_path, width=8) == (None, "")


@pytest.mark.parametrize(("recipe", "taken"), [("small", "small"), ("paper", None)])
def test_a_run_that_starts_from_a_model_has_networks_of_its_size(tmp_path, recipe, taken):
    with torch.device("meta"):
        system = CycleGAN(resolve_config("cyclegan", recipe))
    write_model(tmp_path / "model.safetensors", system, "cyclegan", {})  # settings alone, no weights
    found, line = chosen(tmp_path, init_from=str(tmp_path / "model.safetensors"))
    assert found == taken
    assert bool(line) == bool(taken)


@pytest.mark.parametrize(("recipe", "kept"), [("small", "small"), ("paper", None)])
def test_a_run_that_was_started_keeps_what_it_has(tmp_path, recipe, kept):
    from i2icli.recipe import write_recipe

    (tmp_path / "run").mkdir()
    (tmp_path / "run/resume.pt").touch()
    write_recipe(tmp_path / "run/recipe.toml", "cyclegan", resolve_config("cyclegan", recipe))
    assert chosen(tmp_path) == (kept, "")


def test_the_command_says_that_it_takes_the_small_recipe(toy, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(choosing, "_has_gpu", lambda: False)
    monkeypatch.setattr("i2icli.training.plan.seconds_per_step", lambda *_: 1.0)
    command = [
        "train",
        "pix2pix",
        str(toy("pix2pix")),
        "--steps",
        "1",
        "--dry-run",
        "--out",
        str(tmp_path / "run"),
    ]
    assert main(command) == 0
    printed = capsys.readouterr()
    assert "crop_size = 64" in printed.out
    assert "note: no GPU found: training with --recipe small (64 px, sized to a processor)" in printed.err
    assert main([*command, "--recipe", "paper"]) == 0
    printed = capsys.readouterr()
    assert "crop_size = 256" in printed.out
    assert "no GPU" not in printed.err
