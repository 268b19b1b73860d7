"""Ports: images are interpolated and reflected, ids are neither; both are cropped and flipped alike."""

from pathlib import Path

import imagecodecs
import numpy as np
import pytest
import torch
from PIL import Image

from i2icli.config import Config
from i2icli.data.preprocess import Preprocess
from i2icli.data.scan import ImageReader, ReadSpec
from i2icli.image import ArrayItem, FileItem, convert_channels, pad_to_multiple, read_image, resize
from i2icli.image import to_array as image_array
from i2icli.image.kinds import array, decode, pad, prepare, to_tensor
from i2icli.task import Kind, Port

LABELS, INSTANCES = Port(30, "labels"), Port(1, "instances")


def spec(port: Port, preprocess: Preprocess) -> ReadSpec:
    return ReadSpec(port, preprocess, cached=False, strict=True)


# -- images ----------------------------------------------------------------------------------


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("found", [1, 3])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_images_are_converted_resized_and_reflected(channels: int, found: int, dtype: type) -> None:
    pixels = np.random.default_rng(0).integers(0, np.iinfo(dtype).max, (20, 30, found)).astype(dtype)
    expected = image_array(resize(convert_channels(pixels, channels), (25, 35)))[None]
    read = array(ArrayItem(pixels), Port(channels, multiple=8, minimum=1), (25, 35))
    assert np.array_equal(read, pad_to_multiple(expected, 8))
    assert read.shape == (1, channels, 32, 40)


def test_short_sides_are_padded_to_the_minimum() -> None:
    values = np.random.rand(1, 3, 5, 40)
    assert pad(values, Port(3, multiple=12, minimum=16)).shape == (1, 3, 48, 48)
    assert pad(np.random.rand(1, 3, 17, 40), Port(3, multiple=4, minimum=16)).shape == (1, 3, 20, 40)


# -- ids -------------------------------------------------------------------------------------


def test_16_bit_ids_survive_the_resize_of_training(tmp_path: Path) -> None:
    ids = np.zeros((64, 48), np.uint16)
    ids[8:40, 8:30] = 7
    ids[20:60, 20:40] = 26003
    (tmp_path / "ids.png").write_bytes(bytes(imagecodecs.png_encode(ids)))
    for size in (23, 31, 101):
        preprocess = Preprocess.of(Config(crop_size=size))
        reader = ImageReader([FileItem(tmp_path / "ids.png")], spec(INSTANCES, preprocess))
        example = reader.example(0, np.random.default_rng(size))
        assert (example.dtype, example.shape) == (torch.int64, (1, size, size))
        assert {7, 26003} <= set(example.unique().tolist()) <= {0, 7, 26003}


def test_palette_labels_reach_the_networks_as_indices(tmp_path: Path) -> None:
    ids = np.random.default_rng(0).integers(0, 30, (16, 24)).astype(np.uint8)
    image = Image.fromarray(ids, "P")
    image.putpalette(np.random.default_rng(1).integers(0, 256, 768).astype(np.uint8).tolist())
    image.save(tmp_path / "labels.png")
    found = array(FileItem(tmp_path / "labels.png"), LABELS)
    assert (found.dtype, found.shape) == (np.int64, (1, 1, 16, 24))
    np.testing.assert_array_equal(found[0, 0], ids)
    assert read_image(tmp_path / "labels.png").pixels.shape == (16, 24, 3)


def test_a_class_of_one_pixel_is_kept_or_gone_but_never_mixed() -> None:
    ids = np.full((9, 9, 1), 3, np.int32)
    ids[:, 4] = 11  # one pixel wide
    for size in ((9, 9), (18, 27), (5, 5), (4, 3)):
        small = prepare(ids, LABELS, size)
        assert small.shape == (*size, 1)
        assert set(np.unique(small)) <= {3, 11}
    assert 11 in prepare(ids, LABELS, (3, 3))  # the middle is what is nearest to the middle
    assert (prepare(ids, LABELS, (18, 27)) == 11).sum() == 18 * 3


def test_ids_are_continued_at_the_edge_and_never_reflected() -> None:
    ids = np.array([[[[1, 2, 3], [4, 5, 6]]]])
    padded = pad(ids, Port(9, "labels", multiple=4, minimum=1))
    assert padded.tolist() == [[[[1, 2, 3, 3], [4, 5, 6, 6], [4, 5, 6, 6], [4, 5, 6, 6]]]]
    reflected = pad(ids.astype(np.float32), Port(1, multiple=4, minimum=1))
    assert reflected[0, 0, 0].tolist() == [1, 2, 3, 2]


@pytest.mark.parametrize("seed", range(8))
def test_image_labels_and_instances_stay_aligned(seed: int) -> None:
    """Upscaled without interpolation, a pixel's colour, class and instance tell the same number."""
    numbers = np.arange(16, dtype=np.uint8).reshape(4, 4).repeat(16, 0).repeat(16, 1)  # (64, 64)
    preprocess = Preprocess.of(Config(crop_size=32, preprocess="crop"))
    crop = preprocess.window((64, 64), np.random.default_rng(seed))
    found: dict[Kind, torch.Tensor] = {}
    for port in (Port(1), LABELS, INSTANCES):
        pixels = decode(ArrayItem(numbers), port)
        found[port.kind] = to_tensor(crop.crop(prepare(pixels, port, (64, 64))), port.kind)
    levels = ((found["image"] + 1) * 127.5).round().long()
    assert torch.equal(levels, found["labels"])
    assert torch.equal(levels, found["instances"])
    assert len(levels.unique()) > 3
