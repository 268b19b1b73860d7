"""Every system keeps the contract. `python -m tests.test_contract [SYSTEM...]` writes the golden values."""

import json
import sys
from collections.abc import Iterable
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from i2icli import registry
from i2icli.config import RunOptions
from i2icli.errors import UserError
from i2icli.export.axes import Axis
from i2icli.export.content import Noise, Scenes
from i2icli.export.proof import LEAST_SPREAD, prove, trials_of
from i2icli.image.kinds import holds_ids
from i2icli.inference.latents import draw_codes
from i2icli.inference.options import TranslateOptions
from i2icli.inference.outputs import OutputSpec, with_codes
from i2icli.inference.translator import Translator
from i2icli.runtime.checkpoint import load_model, write_model
from i2icli.runtime.device import Placement
from i2icli.system import System
from i2icli.task import names_of
from i2icli.training.plan import plan
from i2icli.training.run import build_system, train
from i2icli.training.trainer import Trainer
from tests.asking import arrays, samples, tasks
from tests.export.models import graph
from tests.tiny import STEPS_TO_REACH_ALL, tiny_config, with_large_ones_slow
from tests.training.perceptual import loss_of, with_perceptual
from tests.training.synthetic import assert_same, batches, inputs, output

CPU = Placement(torch.device("cpu"))
LOSSES = Path(__file__).parent / "golden" / "losses"
UPDATES = Path(__file__).parent / "golden" / "updates"
STEPS = 5
ROUNDING_MATTERS = frozenset({"dtn"})
"""Systems traced in float64. A bias before a norm has a gradient of nothing but rounding, which Adam turns
into a step of full length; processors round differently. In float64 it is too small for that."""
OPTIONS = {"to", "source", "reference", "latent", "truncate", "style"}


def translates(name: str) -> bool:
    config = registry.config_type(name)()
    return any(not task.generates for task in config.tasks(config.stages()[0]))


every_system = pytest.mark.parametrize("name", registry.SYSTEMS)
one_system = pytest.mark.parametrize(
    "name",
    [name if name == "pix2pix" else pytest.param(name, marks=pytest.mark.slow) for name in registry.SYSTEMS],
)
most_systems = pytest.mark.parametrize("name", with_large_ones_slow(registry.SYSTEMS))
every_translator = pytest.mark.parametrize("name", [name for name in registry.SYSTEMS if translates(name)])


def fresh(name, **changes) -> System:
    return build_system(name, tiny_config(name, batch_size=2, **changes))


def first_batch(name, system):
    return next(batches(name, 2)(system.clock.stage, 0))


def inference(system: System):
    """The tensors that a model file holds."""
    return {
        f"{module}.{key}": value
        for module in system.inference_modules
        for key, value in system.get_submodule(module).state_dict().items()
    }


def trace(name: str) -> tuple[list[str], list[dict[str, float]]]:
    """The names of the first step's updates in every stage, and the losses of five steps."""
    dtype = torch.float64 if name in ROUNDING_MATTERS else torch.float32
    system = fresh(name, steps=STEPS).to(dtype)
    order: list[str] = []
    losses: list[dict[str, float]] = []
    trainer = Trainer(system, batches(name, 2, dtype=dtype), CPU)
    run = trainer.updater.run

    def noting(*arguments):
        row: dict[str, float] = {}
        for update in run(*arguments):
            order.append(f"{system.clock.stage.name}: {update.optimizer}") if system.clock.step == 0 else None
            row |= {f"{update.optimizer}/{key}": value.item() for key, value in update.losses.items()}
            yield update
        losses.append(row)

    trainer.updater.run = noting  # type: ignore[method-assign]
    trainer.fit()
    return order, losses


@every_system
def test_it_builds_from_its_defaults_without_memory(name):
    config = registry.config_type(name)()
    with torch.device("meta"):
        system = registry.system_type(name)(config)
    assert all(weight.is_meta for weight in system.parameters())
    assert set(system.inference_modules) <= {child for child, _ in system.named_children()}


@every_system
def test_it_declares_its_tasks(name):
    config = tiny_config(name)
    for stage in config.stages():
        found = config.tasks(stage)
        assert found == tuple(sorted(found, key=lambda task: task.generates)), "translating ones come first"
        for task in found:
            assert task.requires <= task.reads <= OPTIONS
            assert (task.latent_size > 0) == ("latent" in task.reads)
            assert (task.reference is not None) == ("reference" in task.reads)
            if task.name is not None:
                alike = [each for each in found if each.generates == task.generates]
                assert config.resolve(alike, task.name.upper()).name == task.name
                assert "to" in task.reads


@every_system
def test_it_builds_from_settings_that_went_through_json(name):
    config = tiny_config(name)
    again = type(config).model_validate_json(json.dumps(config.model_dump(mode="json")))
    assert again == config
    assert_same(build_system(name, config).state_dict(), build_system(name, again).state_dict())


@every_system
def test_updates_and_losses_equal_the_golden_ones(name):
    order, losses = trace(name)
    assert order == (UPDATES / f"{name}.txt").read_text().split("\n")[:-1]
    golden = json.loads((LOSSES / f"{name}.json").read_text())
    assert len(golden) == len(losses)
    for step, (mine, row) in enumerate(zip(losses, golden, strict=True)):
        assert mine == pytest.approx(row, rel=1e-4, abs=1e-6), f"step {step}"
        assert all(np.isfinite(value) for value in mine.values())


@every_system
def test_spectral_regularisation_is_a_term_of_what_generates(name):
    """Only of updates that say what their weights generated, each beside real images of the same size."""
    system = fresh(name, steps=STEPS, spectral_weight=0.5, spectral_cut=0.25)
    trainer = Trainer(system, batches(name, 2), CPU)
    apply = trainer.updater.backward
    with_term: set[str] = set()

    def looking(update, *arguments, **named):
        terms = {key for key in update.losses if key.startswith("spectrum")}
        assert len(terms) in (0, len(update.fakes))
        for fake, real in update.fakes.values():
            assert fake.requires_grad
            assert fake.shape[1:] == real.shape[1:]
        if terms:
            with_term.add(update.optimizer)
            assert all(torch.isfinite(update.losses[key]) for key in terms)
        return apply(update, *arguments, **named)

    trainer.updater.backward = looking  # type: ignore[method-assign]
    trainer.fit()
    assert with_term
    assert not any(optimizer.startswith("D") for optimizer in with_term)


@every_system
def test_the_perceptual_loss_is_a_term_of_what_reconstructs(name):
    """Only of updates that hold images beside those they should show: systems that declare to have some."""
    if not registry.config_type(name).reconstructs:
        with pytest.raises(ValueError, match=r"--perceptual-weight compares .* has none"):
            tiny_config(name, perceptual="vgg19", perceptual_weight=1.0)
        return
    system = fresh(name, steps=STEPS, **with_perceptual(name))
    trainer = Trainer(system, batches(name, 2), CPU, perceptual=loss_of(system.config))
    apply = trainer.updater.backward
    with_term: set[str] = set()

    def looking(update, *arguments, **named):
        terms = {key for key in update.losses if key.startswith("perceptual")}
        assert len(terms) == len(update.reconstructed)
        for fake, real in update.reconstructed.values():
            assert fake.requires_grad
            assert not real.requires_grad
            assert fake.shape == real.shape
        with_term.update({update.optimizer} if terms else ())
        return apply(update, *arguments, **named)

    trainer.updater.backward = looking  # type: ignore[method-assign]
    trainer.fit()
    assert with_term
    assert not any(optimizer.startswith("D") for optimizer in with_term)


@every_system
def test_samples_are_beside_real_images_of_their_size(name):
    system = fresh(name, steps=STEPS)
    Trainer(system, batches(name, 2), CPU).fit()
    with torch.inference_mode():
        found = samples(system.eval(), first_batch(name, system))
    assert found or name == "pix2pix"
    for fake, real in found.values():
        assert fake.shape == real.shape
        assert fake.isfinite().all()


@every_system
def test_the_weights_of_the_optimisers_are_disjoint_and_of_the_system(name):
    system = fresh(name)
    known = {id(weight) for weight in system.parameters()}
    seen: set[int] = set()
    for optimizer in system.optimizers().values():
        own = {id(weight) for group in optimizer.param_groups for weight in group["params"]}
        assert own
        assert own <= known
        assert not own & seen
        seen |= own


@every_system
def test_every_update_moves_all_weights_of_its_optimiser_and_no_others(name):
    """In the first step already, unless the system touches only a part of its networks in each."""
    system = fresh(name)
    optimizers = system.optimizers()
    names = {id(weight): key for key, weight in system.named_parameters()}
    wanted = {names[id(w)] for each in optimizers.values() for w in weights_of(each)}
    before = {key: weight.clone() for key, weight in system.named_parameters()}
    reached: set[str] = set()
    trainer = Trainer(system, batches(name, 2), CPU)
    steps = batches(name, 2)(system.clock.stage, 0)
    for batch in islice(steps, STEPS_TO_REACH_ALL.get(name, 1)):
        for update in trainer.updater.run(system, [batch], optimizers):
            optimizer = optimizers[update.optimizer]
            own = {names[id(w)] for w in weights_of(optimizer)}
            with_gradient = {key for key in own if system.get_parameter(key).grad is not None}
            without = () if name in STEPS_TO_REACH_ALL else own - with_gradient
            assert not without, f"{update.optimizer} gives no gradient to {sorted(without)}"
            moved = {key for key, weight in system.named_parameters() if not torch.equal(weight, before[key])}
            assert moved <= own, f"{update.optimizer} moved {sorted(moved - own)}"
            assert moved <= with_gradient, f"{update.optimizer} moved what it gives no gradient"
            before = {key: weight.clone() for key, weight in system.named_parameters()}
            reached |= with_gradient
    assert reached == wanted, f"no gradient reaches {sorted(wanted - reached)}"


def weights_of(optimizer: torch.optim.Optimizer) -> list[torch.Tensor]:
    return [weight for group in optimizer.param_groups for weight in group["params"]]


@every_system
def test_its_step_yields_with_gradients_on_and_without_a_context_left_open(name):
    system = fresh(name)
    steps = 0
    for _ in system.training_step(first_batch(name, system)):
        assert torch.is_grad_enabled()
        assert not torch.is_inference_mode_enabled()
        assert not torch.is_autocast_enabled("cpu")
        steps += 1
    assert steps


@every_system
def test_metadata_alone_is_enough_to_translate_again(name, tmp_path):
    system = fresh(name)
    Trainer(system, batches(name, 2), CPU).fit()
    modules = {each: system.get_submodule(each) for each in system.inference_modules}
    write_model(tmp_path / "model.safetensors", system, name, modules)
    loaded = load_model(tmp_path / "model.safetensors")
    assert loaded.config == system.config
    assert (loaded.clock.total, loaded.clock.stage) == (system.clock.total, system.clock.stage)
    for task in system.config.tasks(system.clock.stage):
        given = inputs(task)
        with torch.inference_mode():
            outputs = [output(each, task, given) for each in (system.eval(), loaded)]
        assert torch.equal(*outputs)
        side = round(32 * task.output.scale)
        assert outputs[0].shape == (2, task.output.channels, *(task.output.fixed or (side, side)))
        assert outputs[0].abs().max() <= 1


@every_system
def test_the_output_is_a_matter_of_the_arguments_alone(name):
    """Nothing is drawn inside, and other images of a batch make no difference."""
    system = fresh(name).eval()
    for task in tasks(system) or tasks(system, generating=True):
        given = inputs(task)
        with torch.inference_mode():
            first = output(system, task, given)
            torch.manual_seed(99)
            assert torch.equal(first, output(system, task, given))
            if not task.generates:
                alone = output(system, task, {name: values[:1] for name, values in given.items()})
                torch.testing.assert_close(first[:1], alone, atol=1e-5, rtol=1e-5)


@one_system
def test_its_graph_computes_the_same_in_another_runtime(name, tmp_path):
    """At sizes and batches that were not traced; the whole matrix of formats is in tests/export."""
    system, part, run = graph(name, tmp_path)
    for values in (*part.inputs.values(), *part.outputs.values()):
        assert not values or isinstance(values[0], Axis), "the batch is fixed"
    trials = [trial for trial in trials_of(part, Scenes()) if isinstance(trial.content, Noise)]
    proof = prove(part, system, run, trials, exact=True)
    assert proof.excess <= 1, f"differs by {proof.difference}, where the networks differ by {proof.floor}"
    assert proof.spread > LEAST_SPREAD
    assert len(trials) > 1


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    """A model file of each system, hardly trained."""
    folder = tmp_path_factory.mktemp("published")
    for name in registry.SYSTEMS:
        system = fresh(name)
        modules = {each: system.get_submodule(each) for each in system.inference_modules}
        write_model(folder / f"{name}.safetensors", system, name, modules)
    return folder


def with_config(source: Path, target: Path, change) -> Path:
    """A copy of a model file whose settings were changed."""
    with safe_open(source, "pt") as file:
        metadata = json.loads(file.metadata()["i2icli"])
    change(metadata["config"])
    save_file(load_file(source), target, {"i2icli": json.dumps(metadata)})
    return target


def required(task, reference):
    """The options that a task requires."""
    options = {"source": task.sources[-1]} if "source" in task.requires else {}
    return options | ({"reference": reference} if "reference" in task.requires else {})


def reads_ids(task):
    """Whether a task reads a map of ids: what comes out has 8 bit, whatever the map has."""
    return holds_ids(next(iter(task.inputs.values())).kind)


@every_translator
@pytest.mark.parametrize("size", [(33, 47), (1, 1), (32, 32)])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_any_size_and_depth_comes_back_as_it_was(name, size, dtype, published, tmp_path):
    translator = Translator.load(published / f"{name}.safetensors", precision="fp32")
    noise = np.random.default_rng(0).random((*size, 3))
    Image.fromarray(np.full((30, 20, 3), 99, np.uint8)).save(tmp_path / "look.png")
    task = translator.outputs().tasks[0]
    if reads_ids(task):
        whole = np.int32 if dtype is np.float32 else dtype  # ids are no fractions
        image = (noise[:, :, 0] * next(iter(task.inputs.values())).channels).astype(whole)
    elif dtype is np.float32:
        image = (noise * 2 - 1).astype(dtype)
    else:
        image = (noise * np.iinfo(dtype).max).astype(dtype)
    asked = required(task, tmp_path / "look.png")
    answer = translator.translate(image, **asked)
    scale = task.output.scale
    assert answer.shape == (round(size[0] * scale), round(size[1] * scale), 3)
    assert answer.dtype == (np.uint8 if reads_ids(task) else image.dtype)
    low, high = (-1, 1) if answer.dtype == np.float32 else (0, np.iinfo(answer.dtype).max)
    assert low <= answer.min() <= answer.max() <= high
    assert np.array_equal(answer, translator.translate(image, **asked))


@every_translator
def test_a_16_bit_image_stays_one(name, published, tmp_path):
    translator = Translator.load(published / f"{name}.safetensors")
    task = translator.outputs().tasks[0]
    largest = next(iter(task.inputs.values())).channels - 1 if reads_ids(task) else 65535
    deep = (np.random.default_rng(0).random((20, 30)) * largest).astype(np.uint16)
    Image.fromarray(deep).save(tmp_path / "deep.png")
    asked = TranslateOptions(**required(task, tmp_path / "deep.png"))
    (result,) = translator.run([str(tmp_path / "deep.png")], tmp_path / "out", asked)
    assert result.status == "done"
    from i2icli.image import read_image

    assert read_image(result.target).pixels.dtype == (np.uint8 if reads_ids(task) else np.uint16)


@every_system
def test_options_and_targets_it_does_not_know_are_refused(name, published, tmp_path):
    translator = Translator.load(published / f"{name}.safetensors")
    outputs = translator.outputs(generating=not translator.translates)
    reads = frozenset().union(*(task.reads for task in outputs.tasks))
    if "reference" not in reads:
        with pytest.raises(UserError, match=rf"(?i){name.replace('_', '_?')} has no --reference; it "):
            outputs.plan(TranslateOptions(reference=tmp_path / "a.png"))
    if "to" not in reads:
        with pytest.raises(UserError, match=rf"(?i){name.replace('_', '_?')} has no --to; it "):
            outputs.plan(TranslateOptions(to="B"))
    else:
        with pytest.raises(UserError, match=rf"--to nowhere: .*{names_of(outputs.tasks)[0]}"):
            outputs.plan(TranslateOptions(to="nowhere"))


@every_translator
def test_a_stream_equals_repeated_translation_or_passing_the_memory_on(name, published, tmp_path):
    Image.fromarray(np.full((30, 20, 3), 99, np.uint8)).save(tmp_path / "look.png")
    translator = Translator.load(published / f"{name}.safetensors", precision="fp32")
    asked = required(translator.outputs().tasks[0], tmp_path / "look.png")
    spec = translator.specs(TranslateOptions(**asked))[0]
    frames = [arrays(inputs(spec.task, count=1)) for _ in range(50 if spec.task.memory else 3)]
    streamed = list(translator.stream(frames, spec))
    single = [translator.compute(frame, spec) for frame in frames]
    if spec.task.memory:
        assert not any(np.array_equal(*pair) for pair in zip(streamed[1:], single[1:], strict=True))
        single, memory = [], None
        for frame in frames:
            answer, memory = translator.backend.forward(spec.task, frame, memory)
            assert memory.keys() == spec.task.memory.keys()
            single.append(answer)
    assert all(np.array_equal(*pair) for pair in zip(streamed, single, strict=True))


@every_translator
def test_styles_that_are_computed_together_are_what_each_is_alone(name, published):
    translator = Translator.load(published / f"{name}.safetensors", precision="fp32")
    tasks = [task for task in translator.outputs().tasks if task.latent_size]
    if not tasks:
        pytest.skip("it reads no codes")
    for task in tasks:
        specs = with_codes(OutputSpec(task), draw_codes(3, task.latent_size, 0))
        drawn = arrays(inputs(task, 1))
        alone = np.concatenate([translator.compute(drawn, spec) for spec in specs])
        np.testing.assert_allclose(translator.compute(drawn, *specs), alone, atol=1e-4, rtol=1e-4)


@every_system
def test_a_dry_run_tells_settings_and_sizes(name, toy):
    told = plan(name, [toy(name)], tiny_config(name, steps=3))
    counts = dict(told.networks)
    system = fresh(name)
    published = set(system.inference_modules)
    learned = {module for module in published if list(system.get_submodule(module).parameters())}
    assert learned <= counts.keys()
    assert all(
        count == sum(weight.numel() for weight in system.get_submodule(module).parameters())
        for module, count in counts.items()
    )
    assert "steps = 3" in told.recipe
    assert told.memory_bytes > 4 * sum(counts.values())  # in fp32; gradients where a stage learns
    assert any("7" in line for line in told.report)


@most_systems
def test_averaged_weights_are_what_is_published(name, toy, tmp_path):
    config = tiny_config(name, steps=3, ema=0.5, lr=0.01)
    result = train(name, [toy(name)], config, RunOptions(out=tmp_path / "run"))
    state = torch.load(result.folder / "resume.pt", weights_only=True)
    published = load_file(result.folder / "model.safetensors")
    raw = {key: state["system"][key] for key in published}
    weights = [key for key, _ in fresh(name).named_parameters() if key in published]
    assert weights
    for key in weights:
        module, _, rest = key.partition(".")
        assert torch.equal(published[key], state["average"][module][rest])
    assert not all(torch.equal(published[key], raw[key]) for key in weights)
    assert_same(inference(load_model(result.folder / "model.safetensors")), published)


@every_system
def test_an_unknown_setting_is_refused_by_name_and_a_missing_one_takes_its_default(name, published, tmp_path):
    model = published / f"{name}.safetensors"
    newer = with_config(model, tmp_path / "newer.safetensors", lambda config: config.update(wings=2))
    with pytest.raises(UserError, match=r"setting wings = 2: .*newer i2icli"):
        load_model(newer)
    older = with_config(model, tmp_path / "older.safetensors", lambda config: config.pop("betas"))
    assert load_model(older).config == load_model(model).config
    for change, named in (({"crop_size": 1}, "crops of 1x1"), ({"lr": -1}, "setting lr = -1")):
        impossible = with_config(model, tmp_path / "impossible.safetensors", lambda c, x=change: c.update(x))
        with pytest.raises(UserError, match=named):
            load_model(impossible)
    wrong = with_config(model, tmp_path / "wrong.safetensors", lambda config: config.update(width=8))
    with pytest.raises(UserError, match=r"weights do not match the settings in the file"):
        load_model(wrong)


def refresh(names: Iterable[str]) -> None:
    """Write the golden order of updates and losses of some systems. Review the diff."""
    torch.set_num_threads(1)
    for name in names:
        order, losses = trace(name)
        for folder in (UPDATES, LOSSES):
            folder.mkdir(exist_ok=True)
        (UPDATES / f"{name}.txt").write_text("".join(f"{line}\n" for line in order))
        (LOSSES / f"{name}.json").write_text(json.dumps(losses, indent=1) + "\n")


if __name__ == "__main__":
    refresh(sys.argv[1:] or registry.SYSTEMS)
