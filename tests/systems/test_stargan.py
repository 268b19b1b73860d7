"""StarGAN: losses and their order, label sets and masks, targets, original checkpoints."""

import itertools
from pathlib import Path
from typing import Any

import pytest
import torch
from pydantic import ValidationError
from torch import Tensor

from i2icli.config import RunOptions
from i2icli.demo.toy.attributes import write_attributes
from i2icli.demo.toy.domains import write_domains
from i2icli.errors import UserError
from i2icli.inference.options import TranslateOptions
from i2icli.inference.outputs import Outputs
from i2icli.originals import load_original
from i2icli.systems.stargan.config import CELEBA, StarGANConfig
from i2icli.systems.stargan.system import StarGAN
from i2icli.task import names_of
from i2icli.training.run import train
from tests.asking import ask, compare, measure, resolve, samples, tasks
from tests.parity import cases
from tests.systems.steps import run_step
from tests.tiny import tiny_config
from tests.training.synthetic import assert_same
from tests.training.test_resume import StopAt, final_state

JOINT: dict[str, Any] = {
    "attributes": CELEBA,
    "domains": ("happy", "sad", "angry"),
    "sets": ("attributes:5", "domains:3"),
}
LABELS = torch.tensor([[1.0, 0, 0, 1, 1], [0, 1, 0, 0, 1]])  # (2, 5): black hair, male, young; blond, young


def tiny(**changes: Any) -> StarGAN:
    torch.manual_seed(0)
    if "attributes" in changes:
        changes = {"domains": ()} | changes
    config = tiny_config("stargan", **changes)
    assert isinstance(config, StarGANConfig)
    return StarGAN(config)


def images(count: int = 2) -> Tensor:
    torch.manual_seed(1)
    return torch.rand(count, 3, 32, 32) * 2 - 1


def outputs_of(system: StarGAN) -> Outputs:
    return Outputs("StarGAN", system.config, tasks(system))


def faces() -> dict[str, Tensor]:
    return {"label_0": LABELS, "image_0": images()}


def both_sets() -> dict[str, Tensor]:
    return faces() | {"label_1": torch.eye(3)[:2], "image_1": images().flip(0)}


# -- training --------------------------------------------------------------------------------


def test_a_step_updates_both_networks_with_the_losses_of_the_paper() -> None:
    system = tiny(attributes=CELEBA)
    before = {name: value.clone() for name, value in system.named_parameters()}
    D, G = run_step(system, faces())
    assert (D.optimizer, list(D.losses)) == ("D", ["gan", "classification", "penalty"])
    assert (G.optimizer, list(G.losses)) == ("G", ["gan", "classification", "cycle"])
    assert all(loss.isfinite() for update in (D, G) for loss in update.losses.values())
    assert all(0 <= update.metrics["accuracy"] <= 1 for update in (D, G))
    assert not [name for name, value in system.named_parameters() if torch.equal(value, before[name])]


@pytest.mark.parametrize(("every", "turns"), [(1, "DG DG DG DG"), (2, "D DG D DG"), (3, "D D DG D")])
def test_the_generator_learns_at_every_few_steps(every: int, turns: str) -> None:
    system = tiny(attributes=CELEBA, critic_steps=every)
    optimizers = system.optimizers()
    seen = []
    for step in range(4):
        system.clock.step = step
        seen.append("".join(update.optimizer for update in run_step(system, faces(), optimizers)))
    assert " ".join(seen) == turns


def test_targets_are_the_labels_of_the_batch_in_another_order() -> None:
    label = torch.arange(40.0).reshape(8, 5)
    target = tiny(attributes=CELEBA)._targets(label)
    assert sorted(target.tolist()) == label.tolist()
    assert not torch.equal(target, label)


def test_both_sets_take_turns_with_their_labels_and_mask(monkeypatch: pytest.MonkeyPatch) -> None:
    system = tiny(**JOINT)
    monkeypatch.setattr(system, "_targets", lambda label: label)
    told: list[Tensor] = []
    system.G.register_forward_pre_hook(lambda _, inputs: told.append(inputs[1]))
    updates = run_step(system, both_sets())
    assert [update.optimizer for update in updates] == ["D", "G", "D", "G"]
    assert [next(iter(update.losses)) for update in updates] == ["gan_1", "gan_1", "gan_2", "gan_2"]
    first = torch.cat([LABELS, torch.zeros(2, 3), torch.tensor([[1.0, 0], [1, 0]])], dim=1)
    second = torch.cat([torch.zeros(2, 5), torch.eye(3)[:2], torch.tensor([[0.0, 1], [0, 1]])], dim=1)
    assert len(told) == 4  # there and back, for both
    assert torch.equal(told[0], first)
    assert torch.equal(told[3], second)
    assert system.D(images())[1].shape == (2, 8)  # the mask is not classified


def test_joint_training_reaches_every_label() -> None:
    system = tiny(**JOINT)
    before = system.D.classify.weight.clone()
    run_step(system, both_sets())
    moved = (system.D.classify.weight != before).flatten(1).any(1)
    assert moved.all()


def test_the_classifier_learns_and_the_generator_follows() -> None:
    system = tiny(domains=("dark", "light"), lr=5e-3, cycle_weight=0.0, penalty_weight=1.0, critic_steps=1)
    optimizers = system.optimizers()
    label = torch.eye(2).repeat(4, 1)  # (8, 2)
    image = images(8) * 0.2 + torch.tensor([-0.5, 0.5]).repeat(4)[:, None, None, None]
    for _ in range(60):
        run_step(system, {"label_0": label, "image_0": image}, optimizers)
    system.eval()
    with torch.no_grad():
        measured = measure(system, {"label_0": label, "image_0": image})
        light = ask(system, image=image[:1], to="light").mean()
        dark = ask(system, image=image[:1], to="dark").mean()
    assert measured["accuracy"].shape == (8,)
    assert measured["accuracy"].mean() > 0.9
    assert light > dark + 0.1


def test_a_joint_run_that_was_stopped_between_turns_ends_as_an_undisturbed_one(tmp_path: Path) -> None:
    write_attributes(tmp_path / "faces", train=6, test=2, size=32)
    write_domains(tmp_path / "looks", train=2, test=1, size=32)
    folders = [tmp_path / "faces", tmp_path / "looks"]
    config = tiny_config("stargan", domains=(), batch_size=2, critic_steps=3, steps=5, ema=0.5)
    whole = train("stargan", folders, config, RunOptions(out=tmp_path / "whole"))
    halves = RunOptions(out=tmp_path / "halves")
    assert train("stargan", folders, config, halves, StopAt(2)).step == 2
    assert train("stargan", folders, config, halves).finished
    assert_same(final_state(whole.folder), final_state(tmp_path / "halves"))


# -- what users ask for ------------------------------------------------------------------------


def test_every_label_is_a_target_and_changes_the_answer() -> None:
    system = tiny(**JOINT).eval()
    assert names_of(tasks(system)) == (*CELEBA, "happy", "sad", "angry")
    with torch.inference_mode():
        answers = [ask(system, image=images(), to=to) for to in names_of(tasks(system))]
    assert {answer.shape for answer in answers} == {(2, 3, 32, 32)}
    assert all((one - other).abs().max() > 1e-4 for one, other in itertools.pairwise(answers))


@pytest.mark.parametrize(
    ("to", "source", "on"),
    [
        ("Blond_Hair,Male", None, "Blond_Hair Male"),
        ("male , blond_hair", None, "Blond_Hair Male"),
        ("Male", None, "Male"),
        ("Blond_Hair", "Brown_Hair,Young", "Blond_Hair Young"),
        ("Blond_Hair,Male", "Brown_Hair,Young", "Blond_Hair Male Young"),
        ("Young,Black_Hair", "Black_Hair,Young", "Black_Hair"),
    ],
)
def test_named_attributes_are_on_or_flipped(
    to: str, source: str | None, on: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    system = tiny(attributes=CELEBA)
    told: list[Tensor] = []
    monkeypatch.setattr(system.G, "forward", lambda x, label: told.append(label) or x)
    ask(system, image=images(), to=to, source=source)
    expected = [float(name in on.split()) for name in CELEBA]
    assert told[0].tolist() == [expected, expected]


def test_the_source_makes_no_difference_to_domains() -> None:
    system = tiny(domains=("a", "b")).eval()
    one, other = (ask(system, image=images(), to="a", source=each) for each in ("b", None))
    assert torch.equal(one, other)
    assert resolve(system, "a", "B").source == "b"
    with pytest.raises(UserError, match="--from c: unknown source 'c'; this model knows: a, b"):
        resolve(system, "a", "c")
    assert {task.sources for task in (*tasks(system), *tasks(tiny(**JOINT)))} == {()}  # no folder tells it


@pytest.mark.parametrize(
    ("to", "words"),
    [
        ("Bald", ["unknown target 'Bald'", "Black_Hair, Blond_Hair, Brown_Hair, Male, Young, happy"]),
        ("Male,", ["unknown target ''"]),
        ("Black_Hair,Male,Blond_Hair", ["Black_Hair and Blond_Hair", "only one"]),
        ("happy,sad", ["happy and sad", "only one"]),
        ("Male,happy", ["different label sets"]),
    ],
)
def test_impossible_targets_are_refused_in_one_line(to: str, words: list[str]) -> None:
    system = tiny(**JOINT)
    with pytest.raises(UserError) as refused:
        resolve(system, to)
    assert all(word in str(refused.value) for word in words)
    assert "\n" not in str(refused.value)


def test_impossible_sources_are_refused() -> None:
    system = tiny(**JOINT)
    with pytest.raises(UserError, match="unknown source 'Bald'"):
        resolve(system, "Male", "Bald")
    with pytest.raises(UserError, match="different label sets"):
        resolve(system, "Male", "happy")


# -- while training ----------------------------------------------------------------------------


def test_preview_shows_every_domain_or_every_attribute_flipped() -> None:
    system = tiny(**JOINT).eval()
    columns = system.preview(both_sets())
    assert list(columns) == ["input_1", *CELEBA, "input_2", "happy", "sad", "angry"]
    assert {column.shape for column in columns.values()} == {(2, 3, 32, 32)}
    flipped = system._condition(torch.tensor([[0.0, 1, 0, 1, 1]]), 0)  # black to blond, the rest as it was
    torch.testing.assert_close(
        columns["Blond_Hair"][:1], system.G(images()[:1], flipped), atol=1e-5, rtol=1e-5
    )


def test_only_other_domains_are_scored_against_their_truth() -> None:
    system = tiny(domains=("a", "b", "c")).eval()
    batch = {"label_0": torch.eye(3)[:2], "image_0": images()}
    assert compare(system, batch) == {}
    fakes, reals = samples(system, batch)[""]
    assert fakes.shape == reals.shape == (6, 3, 32, 32)
    truth = torch.rand(2, 3, 3, 32, 32)
    found = compare(system, batch | {"truth_0": truth})
    assert {name: len(answer) for name, (answer, _) in found.items()} == {"to_a": 1, "to_b": 1, "to_c": 2}
    assert torch.equal(found["to_a"][1], truth[1:, 0])
    assert torch.equal(found["to_c"][1], truth[:, 2])


def test_accuracies_of_several_sets_are_told_apart() -> None:
    system = tiny(**JOINT)
    measured = measure(system, both_sets())
    assert list(samples(system, both_sets())) == ["1", "2"]
    assert {name: value.shape for name, value in measured.items()} == {
        "accuracy_1": (2,), "accuracy_2": (2,)
    }  # fmt: skip


# -- settings ------------------------------------------------------------------------------------


def test_defaults_are_the_papers() -> None:
    config = StarGANConfig()
    assert (config.crop_size, config.batch_size, config.lr, config.betas) == (
        (128, 128),
        16,
        1e-4,
        (0.5, 0.999),
    )
    assert (config.width, config.num_blocks, config.num_layers, config.critic_steps) == (64, 6, 6, 5)
    assert (config.classification_weight, config.cycle_weight, config.penalty_weight) == (1, 10, 10)
    system = StarGAN(config)
    assert system.D.score.weight.shape[1] == 2048


def test_hair_colours_exclude_each_other_unless_said_otherwise() -> None:
    assert tiny(attributes=CELEBA).label_sets[0].groups == (CELEBA[:3],)
    assert tiny(attributes=CELEBA, exclusive="Male/Young").label_sets[0].groups == (("Male", "Young"),)
    assert tiny(attributes=CELEBA, exclusive=()).label_sets[0].groups == ()
    assert tiny(attributes=("Male", "Bald")).label_sets[0].groups == ()


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"crop_size": 48}, ["48x48", "6 times", "multiples of 64", "--num-layers 4"]),
        ({"crop_size": 66, "num_layers": 1}, ["66x66", "multiples of 4"]),
        ({"preprocess": "none"}, ["--preprocess none", "resize"]),
        ({"domains": "a"}, ["single domain", "'a'"]),
        ({"domains": "a,b,a"}, ["'a' occurs twice"]),
        ({"attributes": "a,b", "exclusive": "a/c"}, ["'c'", "attributes: a, b"]),
        ({"attributes": "a,b", "exclusive": "a"}, ["two attributes or more"]),
        ({"attributes": "a,b,c", "exclusive": "a/b,b/c"}, ["one group only"]),
        (
            {"attributes": "a,b,c,d", "sets": "attributes:2,attributes:2", "exclusive": "b/c"},
            ["several data"],
        ),
        ({"attributes": "a,b", "sets": "attributes:3"}, ["names 3 attributes", "there are 2"]),
        ({"attributes": "a,b", "sets": "colours:2"}, ["--sets", "attributes:5,domains:8"]),
    ],
)
def test_settings_that_cannot_work_are_refused(settings: dict[str, Any], words: list[str]) -> None:
    with pytest.raises(ValidationError) as refused:
        StarGANConfig(**settings)
    assert all(word in str(refused.value) for word in words)


def test_other_sizes_suit_other_numbers_of_layers() -> None:
    for size, layers in ((48, 4), (64, 6), ("96x64", 5)):
        system = StarGAN(StarGANConfig(crop_size=size, num_layers=layers, width=1, discriminator_width=1))
        height, width = system.config.crop_size
        scores, logits = system.D(torch.zeros(1, 3, height, width))
        assert scores.shape == (1, 1, height // 2**layers, width // 2**layers)
        assert logits.shape == (1, 2)


# -- original checkpoints --------------------------------------------------------------------------


def saved(state: dict[str, Tensor], path: Path) -> Path:
    torch.save(state, path)
    return path


@pytest.mark.parametrize("old", [False, True])
def test_an_original_generator_answers_as_its_program_does(old: bool, tmp_path: Path) -> None:
    case = cases.read("stargan", "generator_train")
    state = {key: value for key, value in case.state().items() if not (old and "running" in key)}
    if old:
        state = {key: value for key, value in state.items() if not key.endswith("num_batches_tracked")}
    original = load_original(saved(state, tmp_path / "200000-G.ckpt"))
    assert original.system == "stargan"
    assert (original.config.attributes, original.config.num_blocks) == (CELEBA, 2)
    assert any("CelebA" in note for note in original.notes)
    system = StarGAN(original.config)
    system.load_state_dict(original.tensors, strict=False)
    assert original.tensors.keys() == {key for key in system.state_dict() if key.startswith("G.")}
    answer = system.eval().G(case.given("x"), case.given("c"))
    cases.assert_images(answer.detach(), case.expected())
    hair = ask(system, image=case.given("x"), to="Blond_Hair,Male")
    told = torch.tensor([[0.0, 1, 0, 1, 0]]).expand(2, -1)
    assert torch.equal(hair, system.G(case.given("x"), told))


def test_a_joint_original_is_two_label_sets(tmp_path: Path) -> None:
    case = cases.read("stargan", "generator_joint_domains_train")
    original = load_original(saved(case.state(), tmp_path / "200000-G.ckpt"))
    assert original.config.sets == ("attributes:5", "domains:8")
    system = StarGAN(original.config)
    system.load_state_dict(original.tensors, strict=False)
    cases.assert_images(system.G(case.given("x"), case.given("c")).detach(), case.expected())
    assert "happy" in names_of(tasks(system))


@pytest.mark.parametrize(("count", "names"), [(8, "angry"), (3, "1")])
def test_labels_of_other_originals_are_named_as_far_as_can_be_known(
    count: int, names: str, tmp_path: Path
) -> None:
    state = dict(cases.read("stargan", "generator_train").state())
    state["main.0.weight"] = torch.zeros(6, 3 + count, 7, 7)
    original = load_original(saved(state, tmp_path / "1-G.ckpt"))
    targets = names_of(original.config.tasks(original.config.stages()[0]))
    assert targets[0] == names
    assert len(targets) == count
    assert "does not name" in original.notes[0]


def test_an_original_discriminator_alone_is_refused(tmp_path: Path) -> None:
    path = saved(cases.read("stargan", "discriminator_64").state(), tmp_path / "200000-D.ckpt")
    with pytest.raises(UserError, match=r"200000-D\.ckpt: this is StarGAN's discriminator; .*-G\.ckpt"):
        load_original(path)


@pytest.mark.parametrize("change", ["main.17.weight", "main.4.bias", "extra"])
def test_a_file_that_is_nearly_a_generator_is_not_taken_for_one(change: str, tmp_path: Path) -> None:
    state = dict(cases.read("stargan", "generator_train").state())
    state.update({"extra": torch.zeros(1)} if change == "extra" else {change: torch.zeros(7)})
    with pytest.raises(UserError, match="no system here recognises"):
        load_original(saved(state, tmp_path / "1-G.ckpt"))


# -- what the discriminator is shown -----------------------------------------------------------


def test_the_discriminator_is_shown_images_moved_about() -> None:
    system = tiny(domains=("a", "b"), discriminator_shift=0.25)
    seen: list[Tensor] = []
    system.D.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0].detach()))
    batch = {"image_0": images(), "label_0": torch.eye(2)}
    run_step(system, batch)
    assert len(seen) == 4, "real, made, in between, and made again for G"
    assert not torch.equal(seen[0], batch["image_0"])
    assert torch.isin(seen[0], batch["image_0"]).all(), "whole pixels: nothing is blurred"


@pytest.mark.parametrize("kind", ["transposed", "nearest", "bilinear"])
def test_every_upsampling_translates(kind: str) -> None:
    system = tiny(domains=("a", "b"), upsampling=kind)
    assert ask(system, image=images(), to="b").shape == (2, 3, 32, 32)


def test_all_with_a_source_means_the_targets_of_its_label_set() -> None:
    system = tiny(
        **{
            **JOINT,
            "attributes": (*CELEBA, "Bald", "Hat"),
            "sets": ("attributes:5", "attributes:2", "domains:3"),
        }
    )
    outputs = outputs_of(system)
    assert names_of(outputs.resolve("all")) == names_of(tasks(system))
    assert names_of(outputs.resolve("all", "Young")) == (*CELEBA, "happy", "sad", "angry")
    assert names_of(outputs.resolve("all", "Hat,Bald")) == ("Bald", "Hat", "happy", "sad", "angry")
    assert names_of(outputs.resolve("all", "sad")) == ("happy", "sad", "angry")
    specs = outputs.plan(TranslateOptions(to="all", source="Hat"))
    assert [spec.task.name for spec in specs] == ["Bald", "Hat", "happy", "sad", "angry"]
    for spec in specs:
        ask(system, image=images(), to=spec.task.name, source=spec.task.source)


def test_very_many_labels_take_no_long_search() -> None:
    names = tuple(f"n{number}" for number in range(60_000))
    with pytest.raises(ValidationError, match="the label 'n7' occurs twice"):
        StarGANConfig(attributes=(*names, "n7"))


def test_a_folder_named_like_an_attribute_changes_nothing() -> None:
    outputs = outputs_of(tiny(attributes=CELEBA))
    (spec,) = outputs.plan(TranslateOptions(to="Male"))
    assert outputs.infer_source(spec, ("Male",)).task.source is None
