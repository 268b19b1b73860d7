"""Label maps as files: their instances, their results, their sheets."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from i2icli import registry
from i2icli.__main__ import main
from i2icli.image import FileItem, read_image
from i2icli.inference.options import TranslateOptions
from i2icli.inference.translator import Translator
from i2icli.runtime.checkpoint import write_model
from i2icli.training.run import build_system
from tests.example import LABELS, LabelPainter, PainterConfig

SIZE = (12, 20)  # (height, width), not the one that the networks know


@pytest.fixture
def place(tmp_path, monkeypatch):
    """labels/ (palette PNG), instances/ (16 bit) of one of them, a reference, and a model file."""
    monkeypatch.chdir(tmp_path)
    entry = registry.Entry("tests.example:LabelPainter", "tests.example:PainterConfig", "", "", "")
    monkeypatch.setitem(registry.SYSTEMS, "example", entry)
    system = build_system("example", PainterConfig(optional=True, drawn=True))
    write_model(tmp_path / "model.safetensors", system, "example", {"G": system.G})
    for name in ("labels", "instances", "images"):
        (tmp_path / name).mkdir()
    for name in ("a", "b"):
        labels = np.zeros(SIZE, np.uint8)
        labels[6:] = 3
        palette = Image.fromarray(labels, "P")
        palette.putpalette([9, 9, 9, 200, 0, 0, 0, 200, 0, 0, 0, 200])  # which are not the model's colours
        palette.save(f"labels/{name}.png")
    objects = np.zeros(SIZE, np.uint16)
    objects[:, 10:] = 26003
    Image.fromarray(objects).save("instances/a.png")
    Image.fromarray(np.full((5, 7, 3), 150, np.uint8)).save("style.png")
    Image.fromarray(np.full((*SIZE, 3), 150, np.uint8)).save("images/a.jpg")
    return tmp_path


def run(*arguments: object) -> int:
    style = (
        () if {"--samples", "--interpolate", "--reference"} & set(arguments) else ("--reference", "style.png")
    )
    return main(["translate", *map(str, arguments), *style, "--model", "model.safetensors"])


def pixels(path: str) -> np.ndarray:
    return read_image(Path(path)).pixels


@pytest.mark.usefixtures("place")
def test_instances_lie_beside_labels_and_it_is_said_once_where_they_do_not(capsys):
    assert run("labels", "--out", "out") == 0
    shown = capsys.readouterr().err
    assert shown.count("note: 1 of 2 have no instances: boundaries come from the labels") == 1
    model = Translator.load("model.safetensors", "cpu")
    named = {"labels": "labels/a.png", "instances": "instances/a.png"}
    expected = np.asarray(model.translate(named, reference="style.png"))
    assert np.array_equal(pixels("out/a.png"), expected)
    assert not np.array_equal(pixels("out/a.png"), pixels("out/b.png"))
    assert np.array_equal(np.asarray(model.translate("labels/a.png", reference="style.png")), expected)
    alone = model.translate({"labels": np.asarray(Image.open("labels/a.png"))}, reference="style.png")
    assert np.array_equal(pixels("out/b.png"), alone)


@pytest.mark.usefixtures("place")
def test_a_folder_of_instances_may_be_given(capsys):
    Path("instances").rename("objects")
    assert run("labels/a.png", "--out", "out", "--instances", "objects") == 0
    assert "note" not in capsys.readouterr().err
    assert run("labels/a.png", "--out", "out") == 2
    assert "made with another --instances" in capsys.readouterr().err
    assert run("labels", "--out", "all", "--instances", "objects") == 1  # one of them is not there
    assert "failed: labels/b.png: its instances are not in --instances objects" in capsys.readouterr().err
    assert pixels("all/a.png").shape == (*SIZE, 3)
    assert run("labels", "--out", "none", "--instances", "nowhere") == 2
    assert "--instances nowhere: there is no such folder" in capsys.readouterr().err


@pytest.mark.usefixtures("place")
def test_a_map_of_another_size_fails_alone(capsys):
    Image.fromarray(np.zeros((4, 4), np.uint16)).save("instances/b.png")
    assert run("labels", "--out", "out", "--json") == 1
    shown = capsys.readouterr()
    rows = [json.loads(line) for line in shown.out.splitlines()]
    assert [row["status"] for row in rows] == ["done", "failed"]
    assert "failed: labels/b.png: labels of 20x12 px, but instances of 4x4 px (" in shown.err
    assert "instances/b.png); expected the same size" in shown.err


@pytest.mark.usefixtures("place")
def test_a_data_folder_is_translated_as_it_is():
    assert run(".", "--out", "out") == 0
    assert sorted(path.name for path in Path("out").rglob("*.png")) == ["a.png", "b.png"]
    assert Path("out/labels/a.png").exists()


@pytest.mark.usefixtures("place")
def test_results_are_photos_whatever_the_maps_were():
    np.save("labels/c.npy", np.zeros(SIZE, np.int64))
    Image.fromarray(np.zeros(SIZE, np.uint16)).save("labels/c.tif")
    Image.merge("LA", [Image.new("L", SIZE[::-1], number) for number in (1, 128)]).save("labels/d.png")
    assert run("labels", "--out", "out") == 0
    names = sorted(path.name for path in Path("out").glob("*.png"))
    assert names == ["a.png", "b.png", "c.npy.png", "c.tif.png", "d.png"]
    for name in names:
        image = Image.open(f"out/{name}")
        assert (image.mode, image.size) == ("RGB", SIZE[::-1])
    assert run("labels/c.npy", "--out", "jpeg", "--format", "jpg") == 0
    assert Path("jpeg/c.jpg").exists()


@pytest.mark.usefixtures("place")
def test_contact_sheets_show_labels_in_the_colours_of_their_classes():
    assert run("labels/a.png", "--out", "out", "--compare") == 0
    sheet = pixels("out/compare/0001.png").reshape(-1, 3).tolist()
    for name in ("sky", "house"):
        assert list(next(each.colour for each in LABELS.classes if each.name == name)) in sheet
    assert [9, 9, 9] not in sheet


@pytest.mark.usefixtures("place")
def test_photos_have_the_type_of_the_domain_that_was_learned():
    model = Translator.load("model.safetensors", "cpu")
    (spec,) = model.specs(TranslateOptions(reference="style.png"))
    deep = replace(spec, task=replace(spec.task, output=replace(spec.task.output, dtype="uint16")))
    image = model.decode(FileItem(Path("labels/a.png")), spec.task)
    for each, dtype in ((spec, np.uint8), (deep, np.uint16)):
        made = model.result(image, torch.zeros(1, 3, 16, 16), each)
        assert (made.pixels.shape, made.pixels.dtype, made.alpha) == ((*SIZE, 3), dtype, None)


@pytest.fixture
def rows(monkeypatch):
    """Rows of labels and of styles in every forward pass."""
    seen: list[tuple[int, int]] = []
    forward = LabelPainter.forward

    def counting(self, task, inputs, memory=None):
        seen.append((len(inputs["labels"]), len(inputs["style"])))
        if len(inputs["style"]) > self.most:
            raise MemoryError
        return forward(self, task, inputs, memory)

    monkeypatch.setattr(LabelPainter, "forward", counting)
    monkeypatch.setattr(LabelPainter, "most", 100, raising=False)
    return seen


@pytest.mark.usefixtures("place")
def test_the_styles_of_a_map_are_computed_together(rows):
    assert run("labels", "--samples", 5, "--out", "out") == 0
    assert rows == [(1, 5), (1, 5)]
    rows.clear()
    assert run("labels", "--samples", 5, "--batch-size", 2, "--out", "two") == 0
    assert rows == [(1, 2), (1, 2), (1, 1)] * 2
    for number in range(1, 6):
        together, alone = (pixels(f"{out}/{number}/a.png").astype(int) for out in ("out", "two"))
        assert np.abs(together - alone).max() <= 1
    assert not np.array_equal(pixels("out/1/a.png"), pixels("out/2/a.png"))
    made = Translator.load("model.safetensors", "cpu").translate("labels/a.png", samples=5)
    assert [name for name, image in made.items() if np.array_equal(image, pixels(f"out/{name}/a.png"))] == [
        *"12345"
    ]


@pytest.mark.usefixtures("place")
def test_styles_that_do_not_fit_into_memory_together_are_computed_one_by_one(rows, monkeypatch, capsys):
    monkeypatch.setattr(LabelPainter, "most", 1)
    assert run("labels/a.png", "--interpolate", 3, "--out", "out") == 0
    assert rows == [(1, 3), (1, 1), (1, 1), (1, 1)]
    monkeypatch.setattr(LabelPainter, "most", 0)
    assert run("labels/b.png", "--samples", 1, "--out", "none") == 1
    assert "failed: labels/b.png: out of memory at 16x16 px; try a smaller --size" in capsys.readouterr().err


@pytest.mark.usefixtures("place")
def test_a_reference_is_encoded_once_for_all_maps(rows, monkeypatch):
    encoded = []
    style = LabelPainter._style
    monkeypatch.setattr(
        LabelPainter, "_style", staticmethod(lambda image: encoded.append(image) or style(image))
    )
    Path("styles").mkdir()
    for number in range(3):
        Image.fromarray(np.full((5 + number, 7, 3), 80 * number, np.uint8)).save(f"styles/{number}.png")
    assert run("labels", "--reference", "styles", "--out", "out") == 0
    assert rows == [(1, 3), (1, 3)]
    assert len(encoded) == 3
