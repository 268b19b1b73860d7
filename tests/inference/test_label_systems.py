"""Label maps to photos on the command line with SPADE: styles, references, instances, sizes."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from i2icli.__main__ import main
from i2icli.image import read_image
from i2icli.runtime.checkpoint import write_model
from i2icli.training.run import build_system
from tests.tiny import tiny_config

SIZE = (40, 56)  # (height, width); the networks with styles know 32x32 only
CLASSES = ("7 road #804080", "11 house #464646", "26 car #00008e")  # ids that are no indices


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A run of SPADE with styles, untrained, and a map as people have it: palette, ids, colours."""
    monkeypatch.chdir(tmp_path)
    config = tiny_config("spade", classes=CLASSES, instances=True, vae=True, num_latents=8)
    system = build_system("spade", config)
    torch.manual_seed(0)
    for weight in system.parameters():
        torch.nn.init.normal_(weight.data, std=0.3)  # so that everything that goes in shows
    modules = {name: system.get_submodule(name) for name in system.inference_modules}
    write_model(tmp_path / "runs" / "rooms" / "model.safetensors", system, "spade", modules)
    ids = np.full(SIZE, 7, np.uint8)
    ids[10:20, 10:40], ids[25:35, 5:50] = 11, 26
    objects = np.zeros(SIZE, np.uint16)
    objects[25:35, 5:30], objects[25:35, 30:50] = 26001, 26002
    colours = np.zeros((*SIZE, 3), np.uint8)
    for text in CLASSES:
        number, _, colour = text.split()
        colours[ids == int(number)] = list(bytes.fromhex(colour[1:]))
    for folder in ("labels", "instances", "objects"):
        (tmp_path / folder).mkdir()
    Image.fromarray(ids).save("labels/grey.png")
    Image.fromarray(colours).save("labels/colours.png")
    np.save("labels/array.npy", ids.astype(np.int64))
    Image.fromarray(objects).save("objects/grey.png")
    for number in range(2):
        photo = np.random.default_rng(number).integers(0, 255, (50, 60, 3), np.uint8)
        Image.fromarray(photo).save(f"photo{number}.png")
    return tmp_path


def run(*arguments: object) -> int:
    return main(["translate", *map(str, arguments), "--model", "runs/rooms"])


def pixels(path: str) -> np.ndarray:
    return read_image(Path(path)).pixels.astype(int)


@pytest.mark.usefixtures("place")
def test_maps_of_every_encoding_give_the_same_photo_of_their_own_size(capsys):
    assert run("labels", "--out", "out") == 0
    assert "note: no instances found: boundaries come from the labels\n" in capsys.readouterr().err
    grey, colours, array = (pixels(f"out/{name}.png") for name in ("grey", "colours", "array"))
    assert grey.shape == (*SIZE, 3)
    assert np.array_equal(grey, colours)
    assert np.array_equal(grey, array)
    assert run("labels/grey.png", "--instances", "objects", "--out", "objects_too") == 0
    assert not np.array_equal(pixels("objects_too/grey.png"), grey)


@pytest.mark.usefixtures("place")
def test_styles_are_drawn_interpolated_and_taken_from_photos():
    assert run("labels/grey.png", "--samples", 3, "--out", "drawn") == 0
    drawn = [pixels(f"drawn/{number}/grey.png") for number in (1, 2, 3)]
    assert run("labels/grey.png", "--samples", 3, "--batch-size", 1, "--out", "alone") == 0
    for number, image in enumerate(drawn, 1):
        assert np.abs(image - pixels(f"alone/{number}/grey.png")).max() <= 1
        assert np.abs(image - drawn[number - 2]).max() > 1
    assert run("labels/grey.png", "--interpolate", 3, "--out", "between") == 0
    assert np.abs(pixels("between/1/grey.png") - drawn[0]).max() <= 1
    assert np.abs(pixels("between/3/grey.png") - drawn[1]).max() <= 1
    assert (
        run("labels/grey.png", "--reference", "photo0.png", "--reference", "photo1.png", "--out", "taken")
        == 0
    )
    assert np.abs(pixels("taken/photo0/grey.png") - pixels("taken/photo1/grey.png")).max() > 1
    assert Path("taken/compare/0001.png").exists()


@pytest.mark.usefixtures("place")
def test_mistakes_are_named_in_a_line(capsys):
    Image.open("labels/colours.png").save("labels/lossy.jpg")
    Image.fromarray(np.full(SIZE, 9, np.uint8)).save("labels/wrong.png")
    assert run("labels/lossy.jpg", "labels/wrong.png", "labels/grey.png", "--out", "out") == 1
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("failed: ")]
    assert len(lines) == 2
    assert "JPEG" in lines[0]
    assert "wrong.png: id 9 at pixel (0, 0)" in lines[1]
    assert Path("out/grey.png").exists()
    assert run("labels", "--style", "car=3", "--out", "other") == 2
    assert "SPADE has no --style; it takes --instances, --latent, --reference" in capsys.readouterr().err
