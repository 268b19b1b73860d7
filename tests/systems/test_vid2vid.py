"""vid2vid: clips in groups, first frames, memory, flows, the foreground, scales."""

from pathlib import Path
from typing import Any

import pytest
import torch
from pydantic import ValidationError
from torch import Tensor

from i2icli.conditions import Condition
from i2icli.config import RunOptions
from i2icli.data.loader import batches as data_batches
from i2icli.errors import UserError
from i2icli.runtime.device import Placement
from i2icli.stage import Clock
from i2icli.system import Batch
from i2icli.systems.vid2vid.clip import groups
from i2icli.systems.vid2vid.config import Vid2VidConfig
from i2icli.systems.vid2vid.losses import Moved
from i2icli.systems.vid2vid.system import Vid2Vid, warping_error
from i2icli.training.plan import activation_bytes
from i2icli.training.run import build_system, train
from i2icli.training.run_data import open_data
from i2icli.training.trainer import Trainer
from tests.data.kinds.clip_files import label_frames, pan, write_clips, write_frames
from tests.systems.steps import run_step
from tests.tiny import tiny_config
from tests.training.synthetic import assert_same, batches, clips_of_noise
from tests.training.test_resume import StopAt, final_state

CLASSES = ("0 sky", "1 road", "26 car")


def system_of(**changes: Any) -> Vid2Vid:
    """The tiny system, at one scale unless changed, in its last stage."""
    config = tiny_config("vid2vid", **{"grown": 0, "steps": 4} | changes)
    system = build_system("vid2vid", config)
    assert isinstance(system, Vid2Vid)
    system.clock = Clock(config.stages()[-1])
    return system


def clip(frames: int = 4, size: int = 1, seed: int = 0) -> Batch:
    generator = torch.Generator().manual_seed(seed)
    batch = clips_of_noise(generator, size, 32, frames)
    return {name: value.float() for name, value in batch.items()}


def label_clip(frames: int = 4) -> Batch:
    """Label maps whose right half is a car of two instances."""
    batch = clip(frames)
    labels = torch.zeros(1, frames, 1, 32, 32, dtype=torch.int64)
    labels[..., 16:] = 2
    instances = torch.arange(32).expand_as(labels) // 24
    del batch["source"]
    return batch | {"labels": labels, "instances": instances}


def labelled(**changes: Any) -> Vid2Vid:
    return system_of(classes=CLASSES, instances=True, channels=(3,), **changes)


# -- stages ------------------------------------------------------------------------------


def test_clips_double_their_length_and_the_finest_scale_begins_alone():
    config = Vid2VidConfig(steps=80, crop_size=(256, 512), grown=1, clip_length=7, clip_doublings=1)
    found = [(s.name, s.steps, s.resolution, s.clip_length, s.level, s.alone) for s in config.stages()]
    assert found == [
        ("256 px, 7 frames", 20, 256, 7, 0, False),
        ("256 px, 14 frames", 20, 256, 14, 0, False),
        ("512 px, local generator alone", 20, 512, 7, 1, True),
        ("512 px, 7 frames", 10, 512, 7, 1, False),
        ("512 px, 14 frames", 10, 512, 14, 1, False),
    ]
    grown = config.with_found({"grown_before": 1})
    assert [stage.level for stage in grown.stages()] == [1, 1]
    larger = config.with_found(config.grown_from(1, "residual"))
    assert [(stage.level, stage.alone) for stage in larger.stages()][:2] == [(2, True), (2, False)]


def test_the_learning_rate_falls_over_each_level():
    system = system_of(steps=80, grown=1, clip_doublings=1)
    stages = system.config.stages()
    factors = []
    for stage in stages:
        system.clock = Clock(stage, 0)
        factors.append((system.lr_factor("G"), system.lr_factor("D_T0")))
    assert factors == [(1, 1), (1, 1), (1, 1), (1, 1), (0.5, 0.5)]


def test_only_the_finest_scale_learns_while_it_is_alone():
    system = system_of(grown=1)
    stage = next(stage for stage in system.config.stages() if stage.alone)
    trainer = Trainer(system, batches("vid2vid", 1), Placement(torch.device("cpu")))
    trainer.enter(stage)
    before = {name: weight.clone() for name, weight in system.G.named_parameters()}
    trainer.step([clip()])
    moved = {name for name, weight in system.G.named_parameters() if not torch.equal(weight, before[name])}
    assert moved
    assert all(name.startswith("scales.1.") for name in moved)


def test_settings_that_contradict_each_other_are_refused():
    with pytest.raises(ValidationError, match="do not fade in; choose --how residual or scratch"):
        tiny_config("vid2vid", how="fade")
    with pytest.raises(ValidationError, match="--condition is for plain videos"):
        tiny_config("vid2vid", condition="edges", classes=CLASSES)
    with pytest.raises(ValidationError, match="choose sides that are multiples of 8"):
        tiny_config("vid2vid", crop_size=36)


def test_discriminators_that_clips_are_too_short_for_are_left_out_and_said():
    config = tiny_config("vid2vid", num_temporal_scales=3, clip_length=4, clip_doublings=1)
    assert config.temporal_scales == (0, 1)
    assert config.notes == (
        "clips of 8 frames are too short for the discriminator of frames 9 apart, which needs 19; it is left "
        "out",
    )
    system = build_system("vid2vid", config)
    assert set(system.D_T) == {"0", "1"}
    assert "D_T1" not in system.optimizers()  # in the stage of four frames
    system.clock = Clock(config.stages()[-1])
    assert "D_T1" in system.optimizers()


# -- a step --------------------------------------------------------------------------------


def test_groups_cover_a_clip_and_are_as_many_with_a_real_first_frame():
    assert groups(1, 7, 2) == [[1, 2], [3, 4], [5, 6]]
    assert groups(0, 7, 2) == [[0, 1, 2], [3, 4], [5, 6]]
    assert groups(0, 4, 5) == [[0, 1, 2, 3]]
    assert groups(1, 4, 1) == [[1], [2], [3]]
    assert groups(0, 1, 2) == [[0]]


@pytest.mark.parametrize("first_frames", ["real", "own", "mixed"])
def test_each_group_updates_every_network_that_has_its_frames(first_frames):
    system = system_of(clip_length=7, num_temporal_scales=2, first_frames=first_frames)
    found = run_step(system, clip(7))
    order = ["G", "D", "D_T0"]
    assert [update.optimizer for update in found] == [*order, *order, *order, "D_T1"]
    losses = {name for update in found for name in update.losses}
    assert ("weight" in losses) == (first_frames != "real")
    fakes = [len(update.fakes[""][0]) for update in found if update.optimizer == "G"]
    assert fakes == ([2, 2, 2] if first_frames == "real" else [3, 2, 2])


@pytest.mark.parametrize(
    ("first_frames", "drawn", "own"), [("own", 0.9, True), ("mixed", 0.4, True), ("mixed", 0.6, False)]
)
def test_clips_go_on_from_real_or_own_frames(first_frames, drawn, own, monkeypatch):
    system, batch = system_of(first_frames=first_frames), clip()
    shown: list[Tensor] = []
    system.G.register_forward_pre_hook(lambda _, given: shown.append(given[1][0].detach()))
    monkeypatch.setattr(torch, "rand", lambda *_, **__: torch.tensor([drawn]))
    next(system.training_step(batch))
    assert not shown[0].any()  # nothing comes before a first frame
    if own:
        assert not shown[1][:, :3].any()
        assert shown[1][:, 3:].any()
    else:
        assert torch.equal(shown[1], batch["frames"][:, 0].repeat(1, 2, 1, 1))


def test_gradients_stop_where_a_group_begins():
    """The memory of a step does not grow with the clip: that of two groups is that of five."""
    needed = []
    for frames in (5, 9):
        system = system_of(clip_length=frames, num_temporal_scales=1, first_frames="real")
        with torch.device("meta"):
            system = Vid2Vid(system.config).train()
        batch = {name: value.to("meta") for name, value in clip(frames).items()}
        needed.append(activation_bytes(system, batch))
    assert needed[1] <= 1.01 * needed[0]


def test_recomputed_activations_give_the_same_weights_and_statistics_and_take_less_memory():
    ends, needed = [], []
    for checkpoint in (False, True):
        system = system_of(checkpoint_activations=checkpoint, frames_per_update=3, norm="batch", grown=1)
        run_step(system, clip())
        ends.append(system.state_dict())
        with torch.device("meta"):
            again = Vid2Vid(system.config).train()
        batch = {name: value.to("meta") for name, value in clip().items()}
        needed.append(activation_bytes(again, batch))
    assert_same(ends[0], ends[1], 1e-6)
    assert needed[1] < 0.8 * needed[0]


@pytest.mark.parametrize(("back", "reaches"), [(None, True), (1, False)])
def test_how_far_back_gradients_go(back, reaches):
    system = system_of(frames_backpropagate=back, first_frames="own", flow=False, warp_weight=0.0)
    made: list[Any] = []
    system.G.register_forward_hook(lambda *call: made.append(call[-1][0].image))
    next(system.training_step(clip(3)))
    (gradient,) = torch.autograd.grad(made[2].sum(), made[0], allow_unused=True)
    assert (gradient is not None) == reaches


def test_a_frame_learns_from_the_one_before_it_and_not_the_other_way_round():
    frames = {name: torch.rand(1, 3, 8, 8, requires_grad=True) for name in ("image", "before")}
    real = torch.rand(1, 3, 8, 8)
    moved = Moved(
        **frames,
        real=real,
        real_before=real,
        flow=None,
        weight=None,
        teacher=torch.zeros(1, 2, 8, 8),
        confidence=torch.ones(1, 1, 8, 8),
    )
    moved.losses(1, 1, level=0, own_first=True)["warp"].backward()
    assert frames["image"].grad is not None
    assert frames["before"].grad is None


def test_flow_counts_where_the_teacher_is_sure_only():
    batch = clip()
    system = system_of(first_frames="real")
    assert next(system.training_step(batch)).losses["flow"] > 0
    nowhere = batch | {"confidence_1": torch.zeros_like(batch["confidence_1"])}
    losses = next(system.training_step(nowhere)).losses
    assert all(losses[name] == 0 for name in ("flow", "flow_warp", "warp"))


def test_without_flow_there_is_one_kind_of_frames():
    update = next(system_of(flow=False).training_step(clip()))
    assert set(update.reconstructed) == {""}
    assert {"flow", "flow_warp", "weight"}.isdisjoint(update.losses)
    assert set(next(system_of().training_step(clip())).reconstructed) == {"", "raw"}


# -- frame by frame ------------------------------------------------------------------------


def test_the_first_frame_is_raw_and_the_memory_is_what_the_task_says():
    system = system_of(grown=1).eval()
    (task,) = system.config.tasks(system.clock.stage)
    inputs = {"source": torch.rand(2, 1, 32, 48) * 2 - 1}
    with torch.inference_mode():
        output, memory = system(task, inputs)
        (frames, _), later = system.step_of(inputs, None)[0], system.step_of(inputs, memory)[0][0]
    assert torch.equal(output, frames.raw)
    assert not torch.equal(later.image, later.raw)
    assert memory.keys() == task.memory.keys()
    for name, port in task.memory.items():
        sides = round(32 * port.scale), round(48 * port.scale)
        assert memory[name].shape == (2, port.channels, *sides)
    assert torch.equal(memory["frames"][:, 3:], output)
    assert not memory["frames"][:, :3].any()


def test_a_given_frame_stands_for_all_that_were_before():
    system = labelled(grown=1).eval()
    (task,) = system.config.tasks(system.clock.stage)
    inputs = {name: value[:, 0] for name, value in label_clip().items() if name in task.inputs}
    output = torch.rand(1, 3, 32, 32)
    begun = system.begin(task, inputs, output)
    assert torch.equal(begun["frames"], output.repeat(1, 2, 1, 1))
    with torch.inference_mode():
        _, memory = system(task, inputs)
    assert {name: value.shape for name, value in begun.items()} == {
        name: value.shape for name, value in memory.items()
    }
    assert torch.equal(begun["maps"], memory["maps"])
    assert torch.equal(begun["boundaries"], memory["boundaries"])


def test_maps_of_the_last_frames_are_shown_the_oldest_first():
    system = system_of().eval()
    (task,) = system.config.tasks(system.clock.stage)
    shown: list[Tensor] = []
    system.G.register_forward_pre_hook(lambda _, given: shown.append(given[0]))
    films = [torch.full((1, 1, 32, 32), value / 10) for value in range(4)]
    memory = None
    with torch.inference_mode():
        for film in films:
            _, memory = system(task, {"source": film}, memory)
    seen = [[round(10 * float(maps[0, frame, 0, 0])) for frame in range(3)] for maps in shown]
    assert seen == [[0, 0, 0], [0, 0, 1], [0, 1, 2], [1, 2, 3]]


def test_planes_of_label_maps_are_classes_and_boundaries_of_instances():
    system = labelled().eval()
    (task,) = system.config.tasks(system.clock.stage)
    assert set(task.inputs) == {"labels", "instances"}
    inputs = {name: value[:, 0] for name, value in label_clip().items() if name in task.inputs}
    planes = system.source.planes(system.source.of(inputs), 1, torch.float32)
    assert planes.shape == (1, 4, 32, 32)
    assert torch.equal(planes[0, 2], (inputs["labels"][0, 0] == 2).float())
    assert planes[0, 3, 0].nonzero().flatten().tolist() == [23, 24]
    alone = system.source.of({"labels": inputs["labels"]})
    assert alone["boundaries"][0, 0, 0].nonzero().flatten().tolist() == [15, 16]


def test_the_foreground_has_a_branch_of_its_own():
    system = labelled(foreground=("car",)).eval()
    assert system.config.foreground_indices == (2,)
    (task,) = system.config.tasks(system.clock.stage)
    inputs = {name: value[:, 0] for name, value in label_clip().items() if name in task.inputs}
    with torch.inference_mode():
        before, _ = system(task, inputs)
        system.G.scales[0].heads["foreground"].bias += 1
        after, _ = system(task, inputs)
    assert torch.equal(before[..., :16], after[..., :16])
    assert not torch.equal(before[..., 16:], after[..., 16:])
    run_step(labelled(foreground=("26",)), label_clip())


def test_the_settings_of_a_condition_are_in_the_task():
    config = tiny_config(
        "vid2vid", condition="edges", condition_blur=1.5, condition_low=20, condition_high=60
    )
    port = config.tasks(config.stages()[0])[0].inputs["source"]
    assert port.kind == "condition"
    assert port.condition == Condition("edges", 1.5, 20, 60, background=True)


# -- looking at it -------------------------------------------------------------------------


def moving_film(frames: int = 4) -> Batch:
    """Noise that moves one pixel to the right in each frame, with its flow."""
    batch = clip(frames)
    film = [batch["frames"][:, 0].roll(time, -1) for time in range(frames)]
    batch["frames"] = torch.stack(film, 1)
    batch["flow_1"][:, 1:] = torch.tensor([-1.0, 0.0])[:, None, None]
    batch["confidence_1"][:, 1:] = 1
    batch["confidence_1"][..., :1] = 0  # what came in at the left was not there before
    return batch


def test_the_warping_error_of_a_film_whose_flow_is_known_is_none():
    batch = moving_film()
    assert warping_error(batch["frames"], batch).max() < 1e-6
    frozen = batch["frames"][:, :1].expand_as(batch["frames"])
    assert warping_error(frozen, batch).min() > 1
    half = batch["frames"].clone()
    half[:, 2] += 0.5
    torch.testing.assert_close(warping_error(half, batch), torch.tensor([0, 62.5, 62.5]), atol=0.1, rtol=0)
    batch["confidence_1"][:, 2] = 0
    assert len(warping_error(batch["frames"], batch)) == 2


def test_clips_are_scored_as_they_are_translated():
    system = labelled().eval()
    batch = label_clip()
    with torch.no_grad():
        found = system.evaluate(batch)
        shown = system.preview(batch)
    assert found.compared[""][0].shape == (4, 3, 32, 32)
    assert found.labels is not None
    assert found.labels.shape == (4, 1, 32, 32)
    assert {name: len(value) for name, value in found.measured.items()} == {
        "warping_error": 3,
        "warping_error/real": 3,
    }
    assert {name: value.shape for name, value in shown.items()} == dict.fromkeys(
        ("source", "fake", "truth"), (3, 3, 32, 32)
    )
    assert torch.equal(shown["fake"][0], found.compared[""][0][0])
    (task,) = system.config.tasks(system.clock.stage)
    inputs = {name: batch[name][:, 0] for name in task.inputs}
    with torch.no_grad():
        assert torch.equal(system(task, inputs)[0], found.compared[""][0][:1])


def test_clips_are_scored_from_a_real_first_frame_where_that_is_all_it_learned():
    system = system_of(first_frames="real").eval()
    batch = clip()
    with torch.no_grad():
        found = system.evaluate(batch)
    assert torch.equal(found.clips["fake"][:, 0], batch["frames"][:, 0])
    fake, real = found.compared[""]
    assert torch.equal(fake, found.clips["fake"][0, 1:])
    assert torch.equal(real, batch["frames"][0, 1:])
    assert len(found.measured["warping_error"]) == 3
    (note,) = system.config.notes
    assert "--first-frame" in note


# -- from data -----------------------------------------------------------------------------


def write_label_clips(folder: Path) -> Path:
    """labels/ and images/ of two clips of eight frames."""
    for number in range(2):
        frames = pan(number, 8)
        write_frames(folder / "images" / f"{number}", frames)
        write_frames(folder / "labels" / f"{number}", label_frames(frames))
    return folder


@pytest.mark.parametrize("classes", [{}, {"classes": "cityscapes"}])
def test_label_films_bring_their_classes_and_can_have_a_foreground(classes, tmp_path):
    tiny = tiny_config("vid2vid", channels=None, foreground=("1",), holdout=0.3, **classes)
    folder, config = open_data("vid2vid", [write_label_clips(tmp_path)], tiny, RunOptions())
    assert config.reads == "labels"
    assert len(config.foreground_indices) == 1
    system = build_system("vid2vid", config)
    batch = next(data_batches(folder.train(), batch_size=1, seed=0, workers=0))
    assert {update.optimizer for update in run_step(system, batch)} == {"G", "D", "D_T0"}


def test_a_plain_film_makes_its_condition_whose_settings_are_kept(tmp_path):
    for number in range(2):
        write_frames(tmp_path / f"{number}", pan(number, 8))
    tiny = tiny_config("vid2vid", channels=None, condition="edges", condition_low=30)
    _, config = open_data("vid2vid", [tmp_path], tiny, RunOptions())
    (task,) = config.tasks(config.stages()[0])
    port = task.inputs["source"]
    assert (config.channels, port.channels, task.output.channels) == ((1, 3), 1, 3)
    assert port.condition is not None
    assert port.condition.low == 30
    assert port.condition.high == config.condition_high >= 30


def test_options_of_label_maps_are_refused_where_there_are_none(tmp_path):
    write_clips(tmp_path, train=1, test=1, size=40)
    for option in ({"foreground": ("1",)}, {"classes": CLASSES}):
        with pytest.raises(UserError, match=rf"--{next(iter(option))} is about label maps, but .* has none"):
            open_data("vid2vid", [tmp_path], tiny_config("vid2vid", channels=None, **option), RunOptions())


def test_a_stage_in_the_middle_of_which_a_run_stopped_goes_on_to_the_bit(tmp_path):
    """With clips that doubled, first frames that are drawn, and frames that are skipped."""
    for split, count in (("train", 2), ("test", 1)):
        for number in range(count):
            frames = pan(number, 9, (40, 40))
            write_frames(tmp_path / "data" / split / "A" / f"{number}", [255 - frame for frame in frames])
            write_frames(tmp_path / "data" / split / "B" / f"{number}", frames)
    changes = {"grown": 0, "clip_doublings": 1, "max_stride": 2, "steps": 5, "channels": None}
    config = tiny_config("vid2vid", **changes)
    data = [tmp_path / "data"]
    train("vid2vid", data, config, RunOptions(out=tmp_path / "whole"))
    halves = RunOptions(out=tmp_path / "halves")
    assert train("vid2vid", data, config, halves, StopAt(4)).step == 4
    assert train("vid2vid", data, config, halves).finished
    assert_same(final_state(tmp_path / "whole"), final_state(tmp_path / "halves"))
