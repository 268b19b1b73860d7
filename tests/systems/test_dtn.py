"""DTN: losses and their order in both stages, options, sizes, channels, checkpoints of others."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from pydantic import ValidationError
from torch import Tensor, nn
from torch.nn.functional import interpolate

from i2icli.config import RunOptions
from i2icli.errors import UserError
from i2icli.inference.translator import Translator
from i2icli.originals import load_original
from i2icli.runtime.checkpoint import with_weights
from i2icli.systems.dtn.config import DTNConfig
from i2icli.systems.dtn.features import match_channels
from i2icli.systems.dtn.layers import SameConv2d
from i2icli.systems.dtn.system import DTN
from i2icli.training.init_from import load_init_weights
from i2icli.training.run import train
from tests.asking import ask, compare, measure, resolve, samples
from tests.parity import cases
from tests.systems.steps import run_step
from tests.tiny import tiny_config


def tiny(stage: str = "transfer", **changes: Any) -> DTN:
    torch.manual_seed(0)
    config = tiny_config("dtn", **changes)
    assert isinstance(config, DTNConfig)
    system = DTN(config)
    system.clock.stage = next(each for each in system.config.stages() if each.name == stage)
    system.train()
    return system


def channels_of(system: DTN) -> tuple[int, int]:
    """Channels read and answered with."""
    task = resolve(system)
    return task.inputs["image"].channels, task.output.channels


def collections(source: int = 3, target: int = 3, size: int = 4) -> dict[str, Tensor]:
    torch.manual_seed(1)
    return {
        "source": torch.rand(size, source, 32, 32) * 2 - 1,
        "label": torch.arange(size) % 7,
        "target": torch.rand(size, target, 32, 32) * 2 - 1,
    }


CRITIC = ["fake_source", "fake_target", "real"]
GENERATOR = ["gan_source", "gan_target", "const", "identity"]


# -- training ------------------------------------------------------------------------------------


def test_f_learns_its_classes_first() -> None:
    system, batch = tiny("features", lr=0.01), collections()
    optimizers = system.optimizers()
    updates = [run_step(system, batch, optimizers)[0] for _ in range(30)]
    assert {update.optimizer for update in updates} == {"f"}
    assert updates[-1].losses["classes"] < 0.2 * updates[0].losses["classes"]
    assert updates[-1].metrics["accuracy"] == 1
    system.eval()
    assert measure(system, batch).keys() == {"source_accuracy"}
    assert measure(system, batch)["source_accuracy"].shape == (4,)
    assert list(system.preview(batch)) == ["source", "target"]


def test_f_is_fixed_during_transfer_with_its_statistics() -> None:
    system = tiny()
    before = {name: value.clone() for name, value in system.state_dict().items()}
    D, g = run_step(system, collections())
    moved = {
        name.split(".")[0] for name, value in system.state_dict().items() if not value.equal(before[name])
    }
    assert moved == {"D", "g"}
    assert (D.optimizer, g.optimizer) == ("D", "g")
    assert (list(D.losses), list(g.losses)) == (CRITIC, GENERATOR)


@pytest.mark.parametrize(("changes", "generator"), [
    ({"tv_weight": 0.05}, ["gan_source", "gan_target", "const", "tv", "identity"]),
    ({"const_weight": 0, "identity_weight": 0}, ["gan_source", "gan_target"]),
    ({"discriminator": "binary"}, GENERATOR),
    ({"norm": "none", "extractor": "pooled"}, GENERATOR),
    ({"extractor": "ccexam-mnist"}, GENERATOR),
    ({"extractor": "ccexam-svhn"}, GENERATOR),
    ({"extractor": "ccexam-usps"}, GENERATOR),
])  # fmt: skip
def test_every_variant_trains(changes: dict[str, Any], generator: list[str]) -> None:
    for stage in ("features", "transfer"):
        system = tiny(stage, **changes)
        updates = run_step(system, collections())
        assert all(loss.isfinite() for update in updates for loss in update.losses.values())
    assert list(updates[-1].losses) == generator


def test_collections_may_take_turns_as_in_the_public_code() -> None:
    system = tiny(updates=(1, 6, 2, 4), f_interval=15)
    f = [value.clone() for value in system.f.parameters()]
    updates = run_step(system, collections())
    order = [update.optimizer for update in updates]
    assert order == ["D"] + ["g"] * 6 + ["f"] + ["D"] * 2 + ["g"] * 4
    assert list(updates[0].losses) == ["fake_source"]
    assert list(updates[1].losses) == ["gan_source", "const"]
    assert list(updates[7].losses) == ["const"]
    assert list(updates[8].losses) == ["fake_target", "real"]
    assert list(updates[-1].losses) == ["gan_target", "identity"]
    assert not any(torch.equal(a, b) for a, b in zip(f[::2], list(system.f.parameters())[::2], strict=True))
    system.clock.step = 1  # no fifteenth step
    assert [update.optimizer for update in run_step(system, collections())] == ["D"] + ["g"] * 6 + [
        "D"
    ] * 2 + ["g"] * 4


def test_every_update_of_g_looks_at_what_g_has_become() -> None:
    system = tiny(updates=(1, 3), lr=0.01)
    losses = [
        update.losses["identity"].item()
        for update in run_step(system, collections())
        if update.optimizer == "g"
    ]
    assert len(set(losses)) == 3


# -- settings ------------------------------------------------------------------------------------


def test_defaults_are_the_papers_and_the_public_codes() -> None:
    config = DTNConfig()
    assert (config.const_weight, config.identity_weight, config.tv_weight) == (15, 15, 0)
    assert (config.width, config.num_features, config.generator_width, config.discriminator_width) == (
        64,
        128,
        128,
        128,
    )
    assert (config.lr, config.batch_size, config.crop_size, config.flip) == (3e-4, 100, (32, 32), False)
    assert DTNConfig(steps=22000).learning_steps == 20000


def test_where_the_stages_part_is_settled_once() -> None:
    assert [(stage.name, stage.steps) for stage in DTNConfig(steps=11).stages()] == [
        ("features", 10),
        ("transfer", 1),
    ]
    config = DTNConfig(steps=11).with_found({"classes": ("a", "b")})
    longer = DTNConfig.model_validate(config.model_dump() | {"steps": 30})
    assert (longer.feature_steps, longer.num_classes) == (10, 2)
    assert [stage.name for stage in DTNConfig(steps=5, feature_steps=0).stages()] == ["transfer"]
    assert [stage.name for stage in DTNConfig(steps=5, feature_steps=5).stages()] == ["features"]
    assert DTNConfig(epochs=2, batch_size=10, feature_steps=7).total_steps(100) == 27


@pytest.mark.parametrize(("settings", "words"), [
    ({"crop_size": 36}, ["36x36", "multiples of 8"]),
    ({"crop_size": 8}, ["8x8", "at least 16 px", "fewer layers"]),
    ({"steps": 5, "feature_steps": 6}, ["--feature-steps 6", "5 steps"]),
    ({"updates": (1, 2, 3)}, ["--updates has 3", "2 like 1,1 or 4"]),
    ({"preprocess": "none"}, ["--preprocess none", "one size"]),
    ({"classes": ("cat",)}, ["--classes", "two names"]),
    ({"classes": ("cat", "cat")}, ["--classes", "all different"]),
])  # fmt: skip
def test_what_cannot_work_is_refused(settings: dict[str, Any], words: list[str]) -> None:
    with pytest.raises(ValidationError) as refused:
        DTNConfig(**settings)
    assert all(word in str(refused.value) for word in words)


# -- answers -------------------------------------------------------------------------------------


def test_g_of_f_is_what_answers() -> None:
    system = tiny().eval()
    image = collections()["source"]
    with torch.inference_mode():
        assert torch.equal(ask(system, image=image), system.g(system.f(image)))


@pytest.mark.parametrize("size", [(31, 45), (17, 90), (64, 64)])
def test_images_of_other_sizes_are_seen_whole(size: tuple[int, int]) -> None:
    system = tiny().eval()
    small = collections()["source"]
    large = interpolate(small, size, mode="bilinear")  # no detail that the training size could not hold
    with torch.inference_mode():
        answer = ask(system, image=large)
        whole = interpolate(ask(system, image=small), size, mode="bilinear")
    assert answer.shape == (4, 3, *size)
    assert answer.abs().max() <= 1
    assert (answer - whole).abs().mean() < 0.2


def test_colours_in_and_grey_out() -> None:
    system = tiny(channels=(3, 1))
    assert channels_of(system) == (3, 1)
    run_step(system, collections(3, 1))
    assert ask(system.eval(), image=torch.zeros(2, 3, 40, 33)).shape == (2, 1, 40, 33)
    columns = system.preview(collections(3, 1))
    assert list(columns) == ["source", "source to target", "target", "target to target"]
    assert [column.shape[1] for column in columns.values()] == [3, 1, 1, 1]


def test_grey_in_and_colours_out() -> None:
    system = tiny(channels=(1, 3))
    run_step(system, collections(1, 3))
    assert ask(system, image=torch.zeros(2, 1, 32, 32)).shape == (2, 3, 32, 32)


def test_grey_and_colours_are_matched_as_pillow_does() -> None:
    red = torch.tensor([1.0, -1.0, -1.0])[None, :, None, None]  # (1, 3, 1, 1)
    assert match_channels(red, 1).item() == pytest.approx(0.299 * 2 - 1, abs=1e-6)
    assert match_channels(torch.ones(1, 1, 2, 2), 3).shape == (1, 3, 2, 2)


def test_accuracy_is_read_from_the_answers() -> None:
    system = tiny("features", lr=0.01)
    batch, optimizers = collections(), system.optimizers()
    for _ in range(30):
        run_step(system, batch, optimizers)
    system.clock.stage = system.config.stages()[1]
    system.eval()
    system.g.forward = lambda _: batch["source"].roll(1, 0)  # type: ignore[method-assign, assignment]
    assert measure(system, batch)["source_accuracy"].tolist() == [1] * 4
    assert measure(system, batch)["accuracy"].tolist() == [0] * 4
    system.g.forward = lambda _: batch["source"]  # type: ignore[method-assign, assignment]
    assert measure(system, batch)["accuracy"].tolist() == [1] * 4


def test_only_examples_with_a_truth_are_scored() -> None:
    system, batch = tiny().eval(), collections()
    assert compare(system, batch) == {}
    assert torch.equal(samples(system, batch)[""][1], batch["target"])
    assert samples(tiny("features").eval(), batch) == {}
    found = compare(system, batch | {"truth": torch.tensor([False, True, False, False])})
    answer, truth = found[""]
    assert torch.equal(truth, batch["target"][1:2])
    torch.testing.assert_close(answer, system.G(batch["source"])[1:2], atol=1e-5, rtol=1e-5)
    assert compare(tiny("features").eval(), batch | {"truth": torch.ones(4, dtype=torch.bool)}) == {}


def test_borders_are_tensorflows() -> None:
    ones = nn.init.ones_(SameConv2d(1, 1, 3, 2, bias=False).weight)
    convolution = SameConv2d(1, 1, 3, 2, bias=False)
    convolution.weight = nn.Parameter(ones.detach())
    even = convolution(torch.ones(1, 1, 4, 4))  # one pixel of zeros, at the end
    assert even.flatten().tolist() == [9, 6, 6, 4]
    odd = convolution(torch.ones(1, 1, 3, 3))  # one on either side
    assert odd.flatten().tolist() == [4, 4, 4, 4]


# -- checkpoints of others -----------------------------------------------------------------------


def parts() -> dict[str, dict[str, Tensor]]:
    """f, g and D of the reference, under its own names."""
    case = cases.read("dtn", "losses")
    return {name: case.state(name) for name in ("f", "g", "D")}


def as_variables(states: dict[str, dict[str, Tensor]]) -> dict[str, Tensor]:
    """The same as TensorFlow's variables: other names and layout, no counters, the optimiser's among them."""
    scopes = {"f": "content_extractor", "g": "generator", "D": "discriminator"}
    kinds = {"running_mean": "moving_mean", "running_var": "moving_variance"}
    variables = {"beta1_power": torch.tensor(0.5), "generator/bn1/beta/Adam_1": torch.zeros(3)}
    for name, state in states.items():
        for key, value in state.items():
            layer, kind = key.split(".")
            if kind == "num_batches_tracked":
                continue
            norm = layer.startswith("bn")
            own = (
                kinds.get(kind)
                or {"weight": "gamma" if norm else "weights", "bias": "beta" if norm else "biases"}[kind]
            )
            variables[f"{scopes[name]}/{layer}/{own}"] = (
                value.permute(2, 3, 1, 0) if value.ndim == 4 else value
            )
    return variables


def saved(value: object, path: Path) -> Path:
    torch.save(value, path)
    return path


def assert_translates(path: Path) -> None:
    """The model in a file answers as the reference does."""
    case = cases.read("dtn", "losses")
    original = load_original(path)
    assert original.translates
    system = with_weights(original.system, original.config, original.tensors, path)
    assert channels_of(system) == (3, 1)
    cases.assert_images(ask(system, image=case.given("src")), case.expected("fake_src"))


def test_networks_of_the_public_code_in_one_file(tmp_path: Path) -> None:
    assert_translates(saved(parts(), tmp_path / "dtn.pth"))
    assert_translates(saved(as_variables(parts()), tmp_path / "variables.pth"))


def test_networks_of_the_public_code_in_files_of_their_own(tmp_path: Path) -> None:
    states = parts()
    generator = saved(states["g"], tmp_path / "generator.pth")
    with pytest.raises(UserError, match=r"this is g alone.*looked for content_extractor.pth"):
        load_original(generator)
    saved(states["f"], tmp_path / "content_extractor.pth")
    assert_translates(generator)
    with pytest.raises(UserError, match="a discriminator"):
        load_original(saved(states["D"], tmp_path / "discriminator.pth"))


def test_f_alone_starts_a_training_and_does_not_translate(tmp_path: Path) -> None:
    case = cases.read("dtn", "content_extractor")
    path = saved(case.state(), tmp_path / "f.pth")
    assert not load_original(path).translates
    with pytest.raises(UserError, match=r"only a part of dtn.*--init-from"):
        Translator.load(path)
    system = DTN(DTNConfig(width=3, num_features=8, steps=1, generator_width=4, discriminator_width=4))
    assert "starting from" in load_init_weights(system, str(path))[1]
    system.eval().requires_grad_(False)
    logits = system.head(system.f(case.given("src")))
    cases.assert_images(logits, case.expected("logits"))
    with pytest.raises(UserError, match=r"it was made with .*--num-features 8 --width 3"):
        load_init_weights(DTN(DTNConfig(num_features=4, width=4)), str(path))


def test_files_that_are_not_its_own_are_left_to_others(tmp_path: Path) -> None:
    strange = {"conv1.weight": torch.zeros(4, 3, 3, 3), "layer1.0.conv1.weight": torch.zeros(4, 4, 3, 3)}
    with pytest.raises(UserError, match="no system here recognises"):
        load_original(saved(strange, tmp_path / "resnet.pth"))
    plain = {f"conv{layer}.weight": torch.zeros(4, 4, 3, 3) for layer in (1, 2, 3)}
    with pytest.raises(UserError, match="no system here recognises"):
        load_original(saved(plain, tmp_path / "plain.pth"))
    flat = as_variables(parts()) | {"generator/conv_transpose1/weights": torch.zeros(4)}
    with pytest.raises(UserError, match="no system here recognises"):
        load_original(saved(flat, tmp_path / "flat.pth"))
    cut = {
        name: {key: value for key, value in state.items() if "bn2" not in key}
        for name, state in parts().items()
    }
    with pytest.raises(UserError, match="no system here recognises"):
        load_original(saved(cut, tmp_path / "cut.pth"))


class DigitCNN(nn.Module):
    """A classifier with the layers of the package's, as far as the names of its weights go."""

    def __init__(self, channels: int, widths: tuple[int, ...], side: int, features: int, kind: str) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for inner, outer in zip((channels, *widths), widths, strict=False):
            block: list[nn.Module] = [nn.Conv2d(inner, outer, 3, padding=1)]
            block += [nn.BatchNorm2d(outer)] if kind != "mnist" else []
            block += [nn.ReLU()]
            if kind == "svhn":
                block += [nn.Conv2d(outer, outer, 3, padding=1), nn.BatchNorm2d(outer), nn.ReLU()]
            block += [nn.MaxPool2d(2)]
            layers += [nn.Sequential(*block)] if kind == "svhn" else block
        self.features = nn.Sequential(*layers)
        small = widths[-1] * (side // 2 ** len(widths)) ** 2
        hidden = [nn.Linear(small, features), nn.ReLU(), nn.Linear(features, 10)]
        if kind != "mnist":
            hidden = [nn.Dropout(0.3), hidden[0], hidden[1], nn.Dropout(0.3), hidden[2]]
        self.classifier = nn.Sequential(*hidden)

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(self.features(x).flatten(1))  # type: ignore[no-any-return]


@pytest.mark.parametrize(("kind", "channels", "widths", "side", "features", "mean", "std"), [
    ("mnist", 1, (32, 64), 28, 128, (0.1307,), (0.3081,)),
    ("usps", 1, (32, 64), 16, 128, (0.2471,), (0.2994,)),
    ("svhn", 3, (32, 64, 128), 32, 256, (0.4377, 0.4438, 0.4728), (0.1980, 0.2010, 0.1970)),
])  # fmt: skip
def test_classifiers_of_digits_become_f(
    kind: str, channels: int, widths: tuple[int, ...], side: int, features: int,
    mean: tuple[float, ...], std: tuple[float, ...], tmp_path: Path,
) -> None:  # fmt: skip
    theirs = DigitCNN(channels, widths, side, features, kind).eval()
    for name, buffer in theirs.named_buffers():
        if buffer.is_floating_point():
            buffer.uniform_(0.5, 1.5) if name.endswith("var") else buffer.normal_()
    path = saved(theirs.state_dict(), tmp_path / "digits.pth")
    system = DTN(DTNConfig.model_validate({"extractor": f"ccexam-{kind}", "channels": (channels, 1)}))

    load_init_weights(system, str(path))

    pixels = torch.rand(2, channels, side, side)
    normalised = (pixels - torch.tensor(mean)[:, None, None]) / torch.tensor(std)[:, None, None]
    with torch.no_grad():
        logits = system.eval().head(system.f(pixels * 2 - 1))
        torch.testing.assert_close(logits, theirs(normalised), atol=1e-4, rtol=1e-4)
    with pytest.raises(UserError, match=rf"it was made with .*--extractor ccexam-{kind}"):
        load_init_weights(DTN(DTNConfig()), str(path))


def test_the_best_model_is_the_one_whose_answers_are_read_best(toy: Any, tmp_path: Path) -> None:
    config = tiny_config("dtn", steps=4, feature_steps=1)
    options = RunOptions(out=tmp_path / "run", validate_every=1)
    folder = train("dtn", [toy("dtn")], config, options).folder
    rows = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    measured = [(row["validation"], row["best"]) for row in rows if "validation" in row]
    highest = -1.0
    for scores, best in measured:
        assert best == (scores.get("accuracy", -1.0) > highest)
        highest = max(highest, scores.get("accuracy", -1.0))
    assert highest >= 0
    assert (folder / "best.safetensors").is_file()


def test_f_must_come_from_somewhere() -> None:
    weights = frozenset(name for name, _ in tiny(steps=4).named_parameters())
    carried = tiny(steps=4, feature_steps=0)
    with pytest.raises(UserError, match=r"--feature-steps 0 .*--init-from") as refused:
        carried.check_start(frozenset())
    assert "\n" not in str(refused.value)
    with pytest.raises(UserError, match=r"--init-from"):
        carried.check_start(frozenset(name for name in weights if not name.startswith("f.")))
    carried.check_start(frozenset(name for name in weights if name.startswith("f.")))
    tiny(steps=4, feature_steps=2).check_start(frozenset())


def test_a_classifier_is_used_as_f_by_a_real_training(toy: Any, tmp_path: Path) -> None:
    path = saved(DigitCNN(1, (32, 64), 28, 128, "mnist").state_dict(), tmp_path / "digits.pth")
    given = torch.load(path, weights_only=True)["features.0.weight"]
    config = tiny_config("dtn", steps=2, feature_steps=0, extractor="ccexam-mnist")
    result = train("dtn", [toy("dtn")], config, RunOptions(out=tmp_path / "run", init_from=str(path)))
    published = Translator.load(result.folder, runtime="torch").backend.system
    assert torch.equal(published.f.blocks[0].weight, given)
