"""Results have the number type of the target domain; and what Python may hand over."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import i2icli
from i2icli.config import RunOptions
from i2icli.image import read_image
from i2icli.training.run import train
from tests.tiny import tiny_config

SIZE = (32, 40)  # (height, width)


def write(path: Path, pixels: np.ndarray) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)
    return path


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    """Pairs of an 8-bit photo and a 16-bit depth map."""
    folder, rng = tmp_path_factory.mktemp("depth"), np.random.default_rng(0)
    for number in range(4):
        for side, shape, dtype in (("A", (*SIZE, 3), np.uint8), ("B", SIZE, np.uint16)):
            high = np.iinfo(dtype).max
            write(folder / "train" / side / f"{number}.png", rng.integers(0, high, shape, dtype))
    return folder


@pytest.fixture(scope="module")
def deep(data, tmp_path_factory):
    """pix2pix from photos to depth."""
    config = tiny_config("pix2pix", steps=2)
    return train("pix2pix", [data], config, RunOptions(out=tmp_path_factory.mktemp("runs") / "deep")).folder


@pytest.fixture(scope="module")
def colours(data, tmp_path_factory):
    """pix2pix from depth to photos."""
    config = tiny_config("pix2pix", steps=2, direction="BtoA")
    return train("pix2pix", [data], config, RunOptions(out=tmp_path_factory.mktemp("runs") / "back")).folder


def test_8_bit_photos_become_16_bit_depth_in_a_format_that_holds_it(deep, tmp_path):
    noise = np.random.default_rng(1).integers(0, 255, (*SIZE, 3), np.uint8)
    for name in ("a.png", "b.jpg", "c.tif"):
        write(tmp_path / "in" / name, noise)
    model = i2icli.load(deep)
    results = list(model.run([str(tmp_path / "in")], tmp_path / "out", i2icli.TranslateOptions(compare=True)))
    assert [result.target.name for result in results] == ["a.png", "b.png", "c.tif"]
    for result in results:
        image = read_image(result.target)
        assert (image.pixels.shape, image.pixels.dtype) == ((*SIZE, 1), np.uint16)
        assert len(np.unique(image.pixels // 256)) < len(np.unique(image.pixels))  # not 8 bit made larger
    assert model.translate(noise).dtype == np.uint16


def test_a_format_that_is_asked_for_wins(deep, tmp_path):
    photo = write(tmp_path / "a.png", np.zeros((*SIZE, 3), np.uint8))
    options = i2icli.TranslateOptions(format="jpg")
    (result,) = i2icli.load(deep).run([str(photo)], tmp_path / "out", options)
    assert read_image(result.target).pixels.dtype == np.uint8


def test_16_bit_depth_becomes_8_bit_colours(colours):
    deep = np.random.default_rng(1).integers(0, 65535, SIZE, np.uint16)
    made = i2icli.load(colours).translate(deep)
    assert (made.shape, made.dtype) == ((*SIZE, 3), np.uint8)


def test_alike_domains_keep_the_type_of_what_is_given(toy, tmp_path):
    config = tiny_config("cyclegan", steps=1)
    run = train("cyclegan", [toy("cyclegan")], config, RunOptions(out=tmp_path / "run"))
    model = i2icli.load(run.folder)
    for dtype in (np.uint8, np.uint16, np.float32):
        assert model.translate(np.zeros((*SIZE, 3), dtype)).dtype == dtype


def test_the_model_file_tells_the_types(deep):
    (task,) = i2icli.load(deep).tasks
    assert (task.inputs["image"].channels, task.output.channels, task.output.dtype) == (3, 1, "uint16")


# -- what Python may hand over ---------------------------------------------------------------------


def test_every_form_of_an_image_gives_the_same(colours, tmp_path):
    pixels = np.random.default_rng(2).integers(0, 255, SIZE, np.uint8)
    path = write(tmp_path / "a.png", pixels)
    model = i2icli.load(colours, precision="fp32")
    wanted = model.translate(pixels)
    for given in (path, str(path), path.read_bytes(), Image.fromarray(pixels)):
        made = model.translate(given)
        assert isinstance(made, Image.Image)
        assert np.array_equal(np.asarray(made), wanted)
    tensor = torch.from_numpy(pixels)[None] / 127.5 - 1
    made = model.translate(tensor)
    assert isinstance(made, torch.Tensor)
    assert made.shape == (3, *SIZE)
    assert np.abs((made.permute(1, 2, 0).numpy() + 1) * 127.5 - wanted).max() <= 1


def test_lists_and_folders_give_lists_and_several_outputs_a_dictionary(toy, tmp_path):
    config = tiny_config("augmented_cyclegan", steps=1)
    run = train("augmented_cyclegan", [toy("augmented_cyclegan")], config, RunOptions(out=tmp_path / "run"))
    model = i2icli.load(run.folder, precision="fp32")
    for name in ("1.png", "10.png", "2.png"):
        write(tmp_path / "in" / name, np.full((*SIZE, 3), int(name[:-4]) * 20, np.uint8))
    images = [tmp_path / "in" / name for name in ("1.png", "2.png", "10.png")]
    one_by_one = [np.asarray(model.translate(image)) for image in images]
    for many in (model.translate(images), model.translate(tmp_path / "in")):
        assert all(np.array_equal(*pair) for pair in zip(map(np.asarray, many), one_by_one, strict=True))
    variants = model.translate(images[0], samples=3)
    assert list(variants) == ["1", "2", "3"]
    assert not np.array_equal(np.asarray(variants["1"]), np.asarray(variants["2"]))
    code = np.zeros(model.tasks[0].latent_size, np.float32)
    assert model.translate(images[0], latent=code).size == SIZE[::-1]


def test_mistakes_are_named(colours):
    model = i2icli.load(colours)
    image = np.zeros(SIZE, np.uint8)
    with pytest.raises(i2icli.UserError, match=r"there is no setting sample; did you mean samples\?"):
        model.translate(image, sample=3)
    with pytest.raises(i2icli.UserError, match="Pix2Pix has no `to`"):
        model.translate(image, to="B")
    with pytest.raises(i2icli.UserError, match=r"expected \(C, H, W\)"):
        model.translate(torch.zeros(1, 1, 1, 8, 8))


def test_public_names_come_from_the_package_itself():
    assert all(getattr(i2icli, name) is not None for name in i2icli.__all__)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = i2icli.nothing
