"""pix2pixHD: what learns in which stage, and how its networks grow."""

from itertools import pairwise

import pytest
import torch
from pydantic import ValidationError

from i2icli.config import RunOptions
from i2icli.nn.multiscale import half_size
from i2icli.runtime.checkpoint import load_model, write_model
from i2icli.runtime.device import Placement
from i2icli.stage import Stage
from i2icli.systems.pix2pixhd.config import Pix2PixHDConfig
from i2icli.training.growing import grown_settings
from i2icli.training.init_from import load_init_weights
from i2icli.training.run import build_system, train
from i2icli.training.trainer import Trainer
from tests.tiny import tiny_config
from tests.training.synthetic import batches
from tests.training.test_resume import StopAt

CPU = Placement(torch.device("cpu"))


def tiny(**changes):
    return build_system("pix2pixhd", tiny_config("pix2pixhd", batch_size=2, **changes))


def stages(**settings) -> list[Stage]:
    config = Pix2PixHDConfig(crop_size="1024x512", **settings)
    return list(config.stages())


# -- stages ----------------------------------------------------------------------------------------


def test_defaults_are_the_paper_s() -> None:
    config = Pix2PixHDConfig()
    assert (config.epochs, config.decay_from, config.batch_size, config.lr) == (200, 0.5, 1, 2e-4)
    assert (config.crop_size, config.resize_to, config.preprocess) == ((512, 1024),) * 2 + ("scale-width",)
    assert (config.width, config.depth, config.num_blocks, config.num_enhancer_blocks) == (64, 4, 9, 3)
    assert (config.num_scales, config.num_layers, config.gan_loss, config.matching_weight) == (
        2,
        3,
        "lsgan",
        10,
    )
    assert (config.num_features, config.encoder_width, config.num_clusters) == (3, 16, 10)


def test_from_scratch_the_global_generator_comes_first_and_each_enhancer_begins_alone() -> None:
    found = stages(grown=2, steps=400)
    assert [(stage.name, stage.steps, stage.resolution, stage.level, stage.alone) for stage in found] == [
        ("256 px", 200, 256, 0, False),
        ("512 px, enhancer alone", 10, 512, 1, True),
        ("512 px", 90, 512, 1, False),
        ("1024 px, enhancer alone", 10, 1024, 2, True),
        ("1024 px", 90, 1024, 2, False),
    ]
    assert not any(stage.fading for stage in found)


def test_without_enhancers_and_where_all_were_there_before_there_is_one_stage() -> None:
    assert [(stage.name, stage.level) for stage in stages(steps=4)] == [("main", 0)]
    assert [(stage.name, stage.level) for stage in stages(steps=4, grown=1, grown_before=1)] == [("main", 1)]


def test_the_learning_rate_falls_in_the_second_half_of_each_level() -> None:
    system = tiny(steps=30, fade=0.1)
    factors = []
    for stage in system.config.stages():
        for step in range(stage.steps):
            system.clock.stage, system.clock.step = stage, step
            factors.append(system.lr_factor("G"))
    coarse, fine = factors[:20], factors[20:]
    for level in (coarse, fine):
        half = len(level) // 2
        assert level[: half + 1] == [1.0] * (half + 1)
        assert all(after < before for before, after in pairwise(level[half:]))
        assert level[-1] == pytest.approx(1 / half)


def learning(system) -> set[str]:
    """The beginnings of the names of the weights that the optimisers of this stage move."""
    ids = {id(w) for o in system.optimizers().values() for group in o.param_groups for w in group["params"]}
    names = {name for name, weight in system.named_parameters() if id(weight) in ids}
    return {".".join(name.split(".")[:3]) for name in names}


def test_an_enhancer_learns_alone_and_then_with_all_below_it() -> None:
    system = tiny(steps=12)
    _, alone, joint = system.config.stages()
    encoder = {name for name in learning(system) if name.startswith("E.")}
    assert encoder
    inside = {f"G.small.{name}" for name in ("stem", "down", "blocks", "up")}
    judges = {f"D.scales.{number}" for number in range(2)}
    assert learning(system) == inside | {"G.small.head"} | judges | encoder
    system.clock.stage = alone
    assert learning(system) == {"G.levels.0", "D.scales.2"} | judges | encoder
    system.clock.stage = joint
    assert learning(system) == {"G.levels.0", "D.scales.2"} | inside | judges | encoder


def test_a_stage_begins_with_new_optimisers() -> None:
    system = tiny(steps=6)
    trainer = Trainer(system, batches("pix2pixhd", 2), CPU)
    moments = []
    for stage in system.config.stages():
        trainer.enter(stage)
        moments.append(len(trainer.optimizers["D"].state))
        trainer.step([next(batches("pix2pixhd", 2)(stage, 0))])
        assert trainer.optimizers["D"].state
    assert moments == [0, 0, 0]


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"crop_size": 72, "preprocess": "crop"}, ["72x72", "multiples of 16", "--depth"]),
        ({"crop_size": "1040x528", "grown": 2}, ["multiples of 64"]),
    ],
)
def test_settings_that_cannot_work_are_refused(settings, words) -> None:
    with pytest.raises(ValidationError) as refused:
        Pix2PixHDConfig(**settings)
    assert all(word in str(refused.value) for word in words)


def test_without_instance_maps_features_of_instances_become_those_of_classes() -> None:
    assert Pix2PixHDConfig(features="instance", instances=True).notes == ()
    (note,) = Pix2PixHDConfig(features="instance", instances=False).notes
    assert "no instance maps" in note


# -- growth ----------------------------------------------------------------------------------------


def test_an_enhancer_grows_around_a_trained_global_generator(tmp_path) -> None:
    small = tiny(grown=0, crop_size=16)
    write_model(
        tmp_path / "model.safetensors",
        small,
        "pix2pixhd",
        {name: small.get_submodule(name) for name in small.inference_modules},
    )
    name, config, model = grown_settings(str(tmp_path / "model.safetensors"), None, None, {"steps": 20})
    assert (name, config.grown, config.how, config.crop_size) == ("pix2pixhd", 1, "residual", (32, 32))
    assert [(stage.name, stage.steps) for stage in config.stages()] == [
        ("32 px, enhancer alone", 10),
        ("32 px", 10),
    ]
    grown = build_system(name, config)
    load_init_weights(grown, str(model))
    for key, value in small.G.state_dict().items():
        assert torch.equal(value, grown.G.small.state_dict()[key])
    for key, value in small.E.state_dict().items():
        assert torch.equal(value, grown.E.state_dict()[key])


def test_a_trained_run_of_the_global_generator_grows(toy, tmp_path) -> None:
    config = tiny_config("pix2pixhd", grown=0, crop_size=16, steps=3, classes=None)
    small = train("pix2pixhd", [toy("pix2pixhd")], config, RunOptions(out=tmp_path / "small")).folder
    name, config, model = grown_settings(str(small), None, None, {"steps": 4})
    options = RunOptions(out=tmp_path / "large", init_from=str(model), validate_every=2)
    run = train(name, [toy(name)], config, options)
    assert run.finished
    for file in ("model.safetensors", "best.safetensors"):
        system = load_model(run.folder / file)
        assert system.config.grown == 1
        counts = system.styles.cluster_counts
        assert counts.shape == (len(system.config.label_set.classes) + 1,)
        assert counts.sum() > 0


def test_a_run_that_was_stopped_has_clusters_too(toy, tmp_path) -> None:
    config = tiny_config("pix2pixhd", steps=9)
    run = train("pix2pixhd", [toy("pix2pixhd")], config, RunOptions(out=tmp_path / "run"), StopAt(4))
    assert not run.finished
    assert load_model(run.folder / "model.safetensors").styles.cluster_counts.sum() > 0


def test_a_discriminator_means_the_same_resolution_at_every_level() -> None:
    system = tiny(steps=12)
    first, _, joint = system.config.stages()
    image = torch.randn(1, system.config.plane_channels + 3, 32, 32)
    system.clock.stage = joint
    fine = system.D(image)
    system.clock.stage = first
    coarse = system.D(half_size(image))
    assert len(fine) == len(coarse) + 1
    for mine, theirs in zip(fine[1:], coarse, strict=True):
        assert all(torch.equal(*pair) for pair in zip(mine, theirs, strict=True))


def test_starting_from_a_model_of_other_classes_lists_what_begins_from_scratch(tmp_path) -> None:
    known = tiny(features="none", classes=[f"{index} {index}" for index in range(4)])
    write_model(tmp_path / "model.safetensors", known, "pix2pixhd", {"G": known.G})
    other = tiny(features="none", classes=("0 sky", "1 car"))
    before = other.G.small.stem.conv.weight.clone()
    loaded, line = load_init_weights(other, str(tmp_path / "model.safetensors"))
    assert "from scratch: G.levels.0.stem.conv.weight (2x5x7x7 there, 2x3x7x7 here), " in line
    assert "G.small.stem.conv.weight (4x5x7x7 there, 4x3x7x7 here), 24 weights of D that it lacks" in line
    assert torch.equal(other.G.small.stem.conv.weight, before)
    assert torch.equal(other.G.small.head.weight, known.G.small.head.weight)
    assert "G.small.head.weight" in loaded
