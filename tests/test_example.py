"""The parts of the contract that no system uses so far, on the example.

Ids, several inputs, a memory, a fixed size, frozen networks.
"""

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

from i2icli import registry
from i2icli.errors import UserError
from i2icli.image import kinds
from i2icli.inference.options import TranslateOptions
from i2icli.inference.translator import Translator
from i2icli.runtime.checkpoint import load_model, write_model
from i2icli.runtime.device import Placement
from i2icli.task import Port
from i2icli.training.run import build_system
from i2icli.training.state import restore, state_of
from i2icli.training.trainer import Trainer
from tests.example import CLASSES, LabelPainter, PainterConfig
from tests.training.synthetic import assert_same

CPU = Placement(torch.device("cpu"))
HUGE = 26003  # an id beyond 8 bit


@pytest.fixture(autouse=True)
def _registered(monkeypatch):
    entry = registry.Entry("tests.example:LabelPainter", "tests.example:PainterConfig", "", "", "")
    monkeypatch.setitem(registry.SYSTEMS, "example", entry)


@pytest.fixture
def system():
    return build_system("example", PainterConfig(steps=4))


def batches(stage, start):  # noqa: ARG001
    while True:
        generator = torch.Generator().manual_seed(start)
        yield {
            "labels": torch.randint(CLASSES, (2, 1, 16, 16), generator=generator),
            "instances": torch.randint(9, (2, 1, 16, 16), generator=generator),
            "reference": torch.rand(2, 3, 8, 8, generator=generator) * 2 - 1,
            "image": torch.rand(2, 3, 16, 16, generator=generator) * 2 - 1,
        }
        start += 1


@pytest.fixture
def files(tmp_path):
    """A palette PNG of labels, a 16-bit PNG of instances, a reference; 20x12 pixels."""
    labels = np.zeros((12, 20), np.uint8)
    labels[:, 5], labels[6:] = 3, 1  # a class that is one pixel wide
    palette = Image.fromarray(labels, "L")
    palette.putpalette([9, 9, 9, 200, 0, 0, 0, 200, 0, 0, 0, 200])
    palette.save(tmp_path / "labels.png")
    instances = np.where(labels == 1, 7, HUGE).astype(np.uint16)
    Image.fromarray(instances).save(tmp_path / "instances.png")
    Image.fromarray(np.full((5, 7, 3), 150, np.uint8)).save(tmp_path / "style.png")
    return tmp_path


def translator(system, tmp_path) -> Translator:
    write_model(tmp_path / "model.safetensors", system, "example", {"G": system.G})
    return Translator.load(tmp_path / "model.safetensors", "cpu", "fp32")


def test_frozen_networks_are_asked_and_neither_saved_nor_changed_nor_published(system, tmp_path):
    before = {name: value.clone() for name, value in system.features.state_dict().items()}
    trainer = Trainer(system, batches, CPU)
    assert trainer.fit()
    assert_same(system.features.state_dict(), before)  # its batch norm's statistics, too
    assert not system.features.training
    assert not any(weight.requires_grad for weight in system.features.parameters())
    state = state_of(trainer)
    assert {name.split(".")[0] for name in state["system"]} == {"G"}
    again = Trainer(build_system("example", system.config), batches, CPU)
    restore(again, state)
    assert_same(state_of(again)["system"], state["system"])
    write_model(tmp_path / "model.safetensors", system, "example", {"G": system.G})
    assert {name.split(".")[0] for name in load_file(tmp_path / "model.safetensors")} == {"G"}
    assert load_model(tmp_path / "model.safetensors").config == system.config


def test_ids_reach_the_networks_as_they_are(system, files, monkeypatch):
    seen = []
    monkeypatch.setattr(
        LabelPainter,
        "_painted",
        lambda _, labels, instances, noise, style: (  # noqa: ARG005
            seen.append((labels, instances)) or style.expand(-1, -1, *labels.shape[-2:])
        ),
    )
    model = translator(system, files)
    made = model.translate(
        {"labels": files / "labels.png", "instances": files / "instances.png"}, reference=files / "style.png"
    )
    ((labels, instances),) = seen
    assert labels.shape == instances.shape == (1, 1, 16, 16)  # the one size there is
    assert labels.dtype == torch.int64
    assert set(labels.unique().tolist()) <= {0, 1, 3}
    assert set(instances.unique().tolist()) == {7, HUGE}
    assert made.size == (20, 12)
    assert np.abs(np.asarray(made).astype(int) - 150).max() <= 1


def test_results_of_label_maps_are_8_bit_images(system, files):
    model, style = translator(system, files), files / "style.png"
    labels, instances = (np.asarray(Image.open(files / f"{name}.png")) for name in ("labels", "instances"))
    arrays = model.translate({"labels": labels.astype(np.uint16), "instances": instances}, reference=style)
    assert (arrays.shape, arrays.dtype) == ((12, 20, 3), np.uint8)
    named = {name: files / f"{name}.png" for name in ("labels", "instances")}
    assert np.array_equal(np.asarray(model.translate(named, reference=style)), arrays)
    read = {name: path.read_bytes() for name, path in named.items()}
    assert np.array_equal(np.asarray(model.translate(read, reference=style)), arrays)


@pytest.mark.parametrize("kind", [torch.int64, torch.int32, torch.uint8])
def test_ids_of_any_whole_type_are_read(kind, system, files):
    model, style = translator(system, files), files / "style.png"
    maps = {name: torch.ones(1, 20, 30, dtype=kind) for name in ("labels", "instances")}
    assert model.translate(maps, reference=style).shape == (3, 20, 30)


def test_a_class_that_the_model_does_not_know_is_refused_in_a_line(system, files):
    model, style = translator(system, files), files / "style.png"
    maps = {name: torch.full((1, 20, 30), 9) for name in ("labels", "instances")}
    with pytest.raises(UserError, match=r"id 9 at pixel \(0, 0\) is none of the 4 classes.*"):
        model.translate(maps, reference=style)


@pytest.mark.parametrize(
    "form", [np.asarray, lambda image: image, lambda image: torch.tensor(np.asarray(image)).permute(2, 0, 1)]
)
def test_a_reference_may_come_in_any_form(form, system, files):
    model, maps = translator(system, files), {name: files / f"{name}.png" for name in ("labels", "instances")}
    expected = np.asarray(model.translate(maps, reference=files / "style.png"))
    made = model.translate(maps, reference=form(Image.open(files / "style.png")))
    assert np.array_equal(np.asarray(made), expected)


@pytest.mark.parametrize("given", [None, 3, (1, 2)])
def test_what_is_no_image_is_refused_in_a_line(given, system, files):
    with pytest.raises(UserError, match="expected a path, bytes, a Pillow image"):
        translator(system, files).translate(
            {"labels": given, "instances": given}, reference=files / "style.png"
        )


def test_options_about_files_are_refused_by_name(system, files):
    with pytest.raises(UserError, match="batch_size is about files; call run"):
        translator(system, files).translate(files / "labels.png", batch_size=2)


@pytest.mark.parametrize("size", [(8, 8), (20, 12)])
def test_a_fixed_size_is_not_padded(size):
    port = Port(1, multiple=32, fixed=size)
    assert kinds.pad(np.zeros((1, 1, *size)), port).shape[2:] == size


def test_the_memory_goes_from_frame_to_frame(system, files):
    model = translator(system, files)
    (spec,) = model.specs(TranslateOptions(reference=files / "style.png"))
    frames = [
        {"labels": batch["labels"][:1].numpy(), "instances": batch["instances"][:1].numpy()}
        for batch, _ in zip(batches(None, 0), range(4), strict=False)
    ]
    streamed = list(model.stream(frames, spec))
    alone = [model.compute(frame, spec) for frame in frames]
    expected = alone[0]
    for single, output in zip(alone[1:], streamed[1:], strict=True):
        expected = (single + expected) / 2
        np.testing.assert_allclose(output, expected, atol=1e-6)
    assert np.array_equal(streamed[0], alone[0])
    assert not np.allclose(streamed[1], alone[1])


def test_noise_follows_from_the_seed(system, files):
    model = translator(system, files)
    frame = {name: np.zeros((2, 1, 16, 16), int) for name in ("labels", "instances")}
    outputs = []
    for seed in (1, 1, 2):
        (spec,) = model.specs(TranslateOptions(reference=files / "style.png", seed=seed))
        outputs.append(model.compute(frame, spec))
    assert np.array_equal(outputs[0], outputs[1])
    assert not np.array_equal(outputs[0], outputs[2])
    assert np.array_equal(outputs[0][0], outputs[0][1])  # the same for all images of a batch


@pytest.mark.parametrize(
    ("named", "complaint"),
    [
        ({"labels": "alone.png"}, r"alone\.png: this model also needs instances; none found"),
        ({"instances": "instances.png"}, "no labels given; this model reads labels, instances"),
        (
            {"labels": "labels.png", "instances": "small.png"},
            r"labels of 20x12 px, but instances of 3x2 px \(.*small\.png\); expected the same size",
        ),
        (
            {"labels": "style.png", "instances": "instances.png"},
            r"style\.png: colour #969696 at pixel \(0, 0\) is none of the 4 classes",
        ),
        ({"labels": "labels.jpg", "instances": "instances.png"}, r"labels\.jpg: JPEG is lossy"),
    ],
)
def test_inputs_that_do_not_fit_are_refused_in_a_line(named, complaint, system, files):
    Image.fromarray(np.zeros((2, 3), np.uint8)).save(files / "small.png")
    Image.fromarray(np.zeros((12, 20), np.uint8)).save(files / "alone.png")
    Image.fromarray(np.zeros((12, 20), np.uint8)).save(files / "labels.jpg")
    model = translator(system, files)
    with pytest.raises(UserError, match=complaint):
        model.translate({name: files / file for name, file in named.items()}, reference=files / "style.png")


def test_a_model_file_tells_its_inputs_without_torch(system, files, capsys):
    from i2icli.__main__ import main

    translator(system, files)
    assert main(["info", str(files / "model.safetensors")]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "labels of 4 classes, 16x16 px, instances of ids, 16x16 px -> image of 3 channels" in shown
    assert "needs --reference" in shown
    assert "Classes 0 sky #78b4ff 1 road #804080 2 tree 3 house #c80000" in shown
