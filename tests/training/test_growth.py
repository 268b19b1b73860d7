"""Translators that grow keep the contract, and runs in stages go on beyond their last one."""

import pytest
import torch
from safetensors.torch import load_file
from torch.nn import ConvTranspose2d

from i2icli import registry
from i2icli.config import RunOptions
from i2icli.errors import UserError
from i2icli.inference.translator import Translator
from i2icli.nn.growth import downsample_2x
from i2icli.nn.upsampling import UpsampledConv2d, upsample_2x
from i2icli.runtime.checkpoint import load_model, write_model
from i2icli.runtime.device import Placement
from i2icli.training.growing import grown_settings
from i2icli.training.plan import plan
from i2icli.training.run import build_system, train
from i2icli.training.trainer import Trainer
from tests.asking import tasks
from tests.tiny import tiny_config
from tests.training.synthetic import assert_same, batches, output
from tests.training.test_resume import StopAt, final_state

CPU = Placement(torch.device("cpu"))
GROWABLE = ("pix2pix", "cyclegan")
TINY = {"crop_size": 32, "num_layers": 1, "steps": 8, "batch_size": 2, "load_size": None}


def tiny(name, **changes):
    own = {"depth": 2} if name == "pix2pix" else {}
    return tiny_config(name, **TINY | own | {"grown": 1} | changes)


def small_run(name, data, out):
    """A run of 16 px to grow from."""
    own = {"depth": 2} if name == "pix2pix" else {}
    config = tiny_config(name, **TINY | own | {"crop_size": 16, "steps": 3, "ema": 0.5, "lr": 0.01})
    return train(name, [data], config, RunOptions(out=out)).folder


each = pytest.mark.parametrize("name", GROWABLE)
every_way = pytest.mark.parametrize("how", ["fade", "residual", "scratch"])


@each
@every_way
@pytest.mark.parametrize("grown", [1, 2])
def test_a_grown_system_moves_exactly_what_learns_in_each_of_its_stages(name, how, grown):
    system = build_system(name, tiny(name, how=how, grown=grown, steps=4 * grown))
    stages = system.config.stages()
    assert sum(stage.steps for stage in stages) == 4 * grown
    trainer = Trainer(system, batches(name, 2), CPU)
    for stage in stages:
        trainer.enter(stage)
        wanted = {id(w) for o in trainer.optimizers.values() for g in o.param_groups for w in g["params"]}
        side = stage.resolution or 32
        batch = next(batches(name, 2, side=side)(stage, 0))
        system.clock.step = 1  # at alpha 0 nothing reaches the new layers
        updates = list(trainer.updater.run(system, [batch], trainer.optimizers))
        assert all(value.isfinite() for update in updates for value in update.losses.values())
        reached = {id(w) for w in system.parameters() if w.grad is not None}
        assert wanted == reached
        for weight in system.parameters():
            weight.grad = None


@each
def test_new_levels_double_as_the_small_network_does(name):
    kinds = {}
    for upsampling in ("transposed", "nearest", "bilinear"):
        system = build_system(name, tiny(name, grown=2, upsampling=upsampling))
        found = [
            module for module in system.modules() if isinstance(module, ConvTranspose2d | UpsampledConv2d)
        ]
        kinds[upsampling] = {getattr(module, "mode", "transposed") for module in found}
    assert kinds == {kind: {kind} for kind in kinds}


@each
@pytest.mark.parametrize("how", ["fade", "residual"])
def test_the_new_levels_start_on_what_the_small_run_learned(name, how, toy, tmp_path):
    small = small_run(name, toy(name), tmp_path / "small")
    system_name, config, model = grown_settings(str(small), None, how, {"steps": 4})
    assert (system_name, config.crop_size, config.grown, config.how) == (name, (32, 32), 1, how)
    grown = build_system(name, config)
    from i2icli.training.init_from import load_init_weights

    load_init_weights(grown, str(model))
    before = torch.load(small / "resume.pt", weights_only=True)["system"]
    after = grown.state_dict()
    for key, value in before.items():
        if isinstance(value, torch.Tensor):
            network, _, rest = key.partition(".")
            assert torch.equal(value, after[f"{network}.small.{rest}"])


@each
def test_at_alpha_0_the_grown_system_answers_and_judges_as_the_small_run(name, toy, tmp_path):
    small = small_run(name, toy(name), tmp_path / "small")
    _, config, model = grown_settings(str(small), None, "fade", {})
    grown, before = build_system(name, config), build_system(name, load_model(model).config)
    from i2icli.training.init_from import load_init_weights

    load_init_weights(grown, str(model))
    load_init_weights(before, str(model))
    grown.eval()
    before.eval()
    assert grown.clock.alpha == 0
    image = torch.rand(2, 3, 32, 64) * 2 - 1
    for task in tasks(grown):
        answers = []
        for system, given in ((grown, image), (before, downsample_2x(image))):
            answers.append(output(system, task, {"image": given}))
        assert torch.equal(answers[0], upsample_2x(answers[1]))
    for key, network in grown.named_children():
        if key.startswith("D"):
            pair = torch.cat([image, image], dim=1) if name == "pix2pix" else image
            assert torch.equal(network(pair), before.get_submodule(key)(downsample_2x(pair)))


@each
@pytest.mark.parametrize("how", ["fade", pytest.param("residual", marks=pytest.mark.slow)])
def test_a_run_stopped_in_the_middle_of_a_fade_ends_where_an_undisturbed_one_does(name, how, toy, tmp_path):
    small = small_run(name, toy(name), tmp_path / "small")
    _, config, model = grown_settings(str(small), None, how, {"steps": 7, "ema": 0.9})
    options = RunOptions(out=tmp_path / "whole", init_from=str(model), validate_every=3)
    whole = train(name, [toy(name)], config, options)
    options = options.model_copy(update={"out": tmp_path / "halves"})
    for step in (3, 6):  # while the level begins, and afterwards
        halted = train(name, [toy(name)], config, options, StopAt(step))
        assert (halted.finished, halted.step) == (False, step)
    resumed = train(name, [toy(name)], config, options)
    assert resumed.finished
    assert_same(final_state(whole.folder), final_state(resumed.folder))
    files = [run.folder / "model.safetensors" for run in (whole, resumed)]
    assert files[0].read_bytes() == files[1].read_bytes()


@each
def test_a_half_grown_model_translates_as_it_stands(name, tmp_path):
    system = build_system(name, tiny(name, grown=2)).eval()
    stages = system.config.stages()
    assert [stage.name for stage in stages] == ["16 px, fading in", "16 px", "32 px, fading in", "32 px"]
    assert [stage.resolution for stage in stages] == [16, 16, 32, 32]
    image = torch.rand(1, 3, 48, 32) * 2 - 1
    answers = []
    for number, step in ((0, 1), (1, 1), (2, 1), (3, 2)):
        system.clock.stage, system.clock.step = stages[number], step
        modules = {each: system.get_submodule(each) for each in system.inference_modules}
        write_model(tmp_path / "model.safetensors", system, name, modules)
        loaded = load_model(tmp_path / "model.safetensors")
        task = tasks(loaded)[0]
        assert task.inputs["image"].multiple == 4 * 2 ** (number // 2 + 1)
        for each_system in (system, loaded):
            with torch.inference_mode():
                answers.append(output(each_system, task, {"image": image}))
        assert torch.equal(*answers[-2:])
    assert not torch.allclose(answers[0], answers[2])
    translator = Translator.load(tmp_path / "model.safetensors")
    odd = (torch.rand(33, 47, 3) * 255).byte().numpy()
    assert translator.translate(odd).shape == odd.shape


@each
def test_a_grown_run_grows_again_without_learning_its_old_level_anew(name, toy, tmp_path):
    own = {"crop_size": 8, "grown": 0, "steps": 2, "load_size": None}
    config = tiny(name, **own)
    first = train(name, [toy(name)], config, RunOptions(out=tmp_path / "8")).folder
    _, config, model = grown_settings(str(first), (16, 16), "fade", {})
    options = RunOptions(out=tmp_path / "16", init_from=str(model))
    second = train(name, [toy(name)], config, options).folder
    _, config, model = grown_settings(str(second), (32, 32), "residual", {"steps": 3})
    assert (config.grown, config.grown_before) == (2, 1)
    options = RunOptions(out=tmp_path / "32", init_from=str(model))
    assert train(name, [toy(name)], config, options).finished
    network = "G" if name == "pix2pix" else "G_AB"
    key = f"{network}.levels.0.stem.conv.weight"
    before, after = (load_file(run / "model.safetensors") for run in (second, tmp_path / "32"))
    torch.testing.assert_close(before[key], after[key], rtol=0, atol=0.01)


def test_the_rate_of_learning_falls_over_all_stages_together():
    system = build_system("pix2pix", tiny("pix2pix", grown=2, steps=8, decay_from=0.5))
    for total, expected in ((0, 1.0), (4, 1.0), (6, 0.5)):
        system.clock.total = total
        assert system.lr_factor("G") == pytest.approx(expected)


def test_pools_forget_images_of_another_size(toy, tmp_path):
    config = tiny("cyclegan", grown=2, steps=8, pool_size=5)
    assert train("cyclegan", [toy("cyclegan")], config, RunOptions(out=tmp_path / "run")).finished


WRONG = [
    ({"to": (24, 24)}, "--to 24: .* trained at 16 px and it grows by doubling; choose one of 32, 64, 128"),
    ({"to": (8, 8)}, "--to 8: .* trained at 16 px and it cannot grow to a smaller size"),
    ({"to": (16, 16)}, "--to 16: .* cannot grow to a smaller size"),
    ({"to": (32, 64)}, "--to 64x32: .* grows by doubling"),
    ({"how": "quickly"}, "--how quickly: expected one of fade, residual, scratch"),
]


@pytest.mark.parametrize(("asked", "message"), WRONG)
def test_what_cannot_be_grown_is_refused_in_a_line(asked, message, toy, tmp_path):
    small = small_run("pix2pix", toy("pix2pix"), tmp_path / "small")
    with pytest.raises(UserError, match=message):
        grown_settings(str(small), asked.get("to"), asked.get("how", "fade"), {})


def test_a_system_that_cannot_grow_is_told_which_can(toy, tmp_path):
    config = tiny_config("stargan", steps=1, batch_size=2)
    run = train("stargan", [toy("stargan")], config, RunOptions(out=tmp_path / "run")).folder
    with pytest.raises(
        UserError, match="stargan cannot grow; these can: pix2pix, pix2pixhd, vid2vid, cyclegan"
    ):
        grown_settings(str(run), None, "fade", {})


def test_a_model_that_still_grows_cannot_grow_on(toy, tmp_path):
    options = RunOptions(out=tmp_path / "run")
    train("pix2pix", [toy("pix2pix")], tiny("pix2pix"), options, StopAt(2))
    with pytest.raises(UserError, match=r"still growing .stage 32 px, fading in.*finish first"):
        grown_settings(str(tmp_path / "run"), None, "fade", {})


@each
def test_data_smaller_than_what_is_grown_to_are_refused(name, toy):
    config = tiny(name, crop_size=64)
    with pytest.raises(UserError, match=r"40x40 pixels.* smaller than the 64x64 pixels .*a smaller --to"):
        plan(name, [toy(name)], config)


# -- a system that is trained in stages ------------------------------------------------------


def staged(**changes):
    sizes = {"crop_size": 16, "start_size": 8, "stage_images": 4, "fade_images": 4, "batch_size": 2}
    return tiny_config("progan", **{"steps": None, "ema": 0.9} | sizes | changes)


def test_a_finished_run_grows_beyond_its_last_resolution_and_resumes_there(toy, tmp_path):
    data = [toy("progan")]
    whole = train("progan", data, staged(crop_size=32), RunOptions(out=tmp_path / "whole"))
    options = RunOptions(out=tmp_path / "run")
    assert train("progan", data, staged(), options).finished
    halted = train("progan", data, staged(crop_size=32), options, StopAt(7))  # in the middle of a fade
    assert not halted.finished
    result = train("progan", data, staged(crop_size=32), options)
    assert (result.finished, result.steps) == (True, whole.steps)
    clocks = [final_state(folder)["clock"] for folder in (tmp_path / "whole", tmp_path / "run")]
    assert clocks[0] == clocks[1]
    assert load_model(tmp_path / "run" / "model.safetensors").clock.stage.name == "32 px"


def test_growing_on_keeps_what_was_learned(toy, tmp_path):
    options = RunOptions(out=tmp_path / "run")
    train("progan", [toy("progan")], staged(), options)
    before = final_state(tmp_path / "run")
    frozen = staged(crop_size=32, lr=1e-30)
    train("progan", [toy("progan")], frozen, options, StopAt(7))
    after = final_state(tmp_path / "run")
    assert after["clock"]["total"] == 7
    for key, value in before["system"].items():
        assert torch.equal(value, after["system"][key]), key
    assert set(after["system"]) > set(before["system"])
    for key, kept in before["average"]["G"].items():  # the published weights go on averaging, too
        wanted = torch.lerp(kept, before["system"][f"G.{key}"], 9 / 16)  # step 6: the decay is still small
        torch.testing.assert_close(after["average"]["G"][key], wanted)
    assert not torch.equal(kept, before["system"][f"G.{key}"])


def test_a_smaller_size_and_other_stages_are_refused(toy, tmp_path):
    options = RunOptions(out=tmp_path / "run")
    train("progan", [toy("progan")], staged(), options)
    with pytest.raises(UserError, match=r"has reached stage 16 px .*cannot grow to a smaller size"):
        train("progan", [toy("progan")], staged(crop_size=8), options)
    with pytest.raises(UserError, match="--fade-images 4, now with --fade-images 8; this would change"):
        train("progan", [toy("progan")], staged(fade_images=8), options)


def test_memory_that_runs_out_in_a_stage_leaves_the_ones_before_usable(toy, tmp_path, monkeypatch):
    from i2icli.systems.progan.system import ProGAN

    step = ProGAN.training_step

    def fail(self, batch):
        if batch["image"].shape[-1] == 16:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        yield from step(self, batch)

    monkeypatch.setattr(ProGAN, "training_step", fail)
    options = RunOptions(out=tmp_path / "run")
    line = r"in stage 16 px, fading in at batch size 2 .*stage 8 px is saved .*--batch-sizes 16:1, .*--to 8"
    with pytest.raises(UserError, match=line):
        train("progan", [toy("progan")], staged(), options)
    monkeypatch.undo()
    model = load_model(tmp_path / "run" / "model.safetensors")
    assert (model.clock.stage.name, model.clock.progress) == ("8 px", 1.0)
    image = output(model, tasks(model, generating=True)[0], {}, count=1)
    assert image.shape[-2:] == (8, 8)
    smaller = train(
        "progan", [toy("progan")], staged(batch_sizes="16:1"), options
    )  # and what was advised works
    assert smaller.finished


def test_the_fade_is_told_to_whoever_watches(toy, tmp_path):
    seen = []
    callbacks = StopAt(-1)
    callbacks.progress = seen.append
    train("progan", [toy("progan")], staged(), RunOptions(out=tmp_path / "run"), callbacks)
    assert [progress.alpha for progress in seen] == [None, None, 0.5, 1.0, None, None]


class Planned(StopAt):
    """Keeps the planned stages, and stops after some step."""

    def planned(self, stages):
        self.stages = stages


def test_the_plan_comes_from_the_scan_of_training_and_shows_what_is_done(toy, tmp_path, monkeypatch):
    system, scans = registry.system_type("progan"), []
    scan = system.open_data
    monkeypatch.setattr(
        system, "open_data", staticmethod(lambda *given: (scans.append(given), scan(*given))[1])
    )
    options, callbacks = RunOptions(out=tmp_path / "run"), Planned(3)
    train("progan", [toy("progan")], staged(), options, callbacks, show_plan=True)
    assert len(scans) == 1  # large folders take their time
    assert [stage.size for stage in callbacks.stages] == [(8, 8), (16, 16), (16, 16)]
    assert [stage.steps_done for stage in callbacks.stages] == [0, 0, 0]
    half = plan("progan", [toy("progan")], staged(), options).stages
    assert [stage.steps_done for stage in half] == [2, 1, 0]
    train("progan", [toy("progan")], staged(), options, callbacks, show_plan=True)
    assert callbacks.stages == half


def test_one_system_grows_from_noise():
    growing = [name for name in registry.SYSTEMS if registry.config_type(name).grows_from_noise]
    assert growing == [registry.growing_from_noise()]
