"""Translating: inputs are read as in training or as asked, results are written in what holds them."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from PIL import Image

import i2icli
from i2icli.errors import UserError
from i2icli.image import read_image
from i2icli.inference.places import Place
from i2icli.inference.translator import Translator
from i2icli.reading import Reading
from i2icli.task import Port
from tests.graphs.files import described, graph, node, write

SIZE = (24, 32)


def identity(path: Path, channels: int, **config: Any) -> Translator:
    """A CycleGAN exported as a graph that gives what it is given."""
    same = ("batch", channels, "height", "width")
    metadata = described(
        config={"channels": (channels, channels)} | config, inputs={"image": same}, outputs={"output": same}
    )
    return i2icli.load(write(path / "same.onnx", graph(metadata, [node("Identity", "image", "output")])))


def noise(channels: int, dtype: Any = np.uint8) -> np.ndarray:
    return np.random.default_rng(channels).integers(0, 255, (*SIZE, channels)).astype(dtype)


def run(model: Translator, given: Path, out: Path, **options: Any) -> list[Path]:
    results = list(model.run([str(given)], out, i2icli.TranslateOptions(**options)))
    assert [result.error for result in results if result.error] == []
    return [result.target for result in results]


@pytest.mark.parametrize(
    ("given", "made"), [("a.gif", "a.png"), ("a.ppm", "a.ppm"), ("a.jp2", "a.jp2"), ("a.avif", "a.avif")]
)
def test_the_kind_that_came_in_comes_out(tmp_path: Path, given: str, made: str) -> None:
    image = Image.fromarray(noise(3) // 200 * 100)
    image.save(tmp_path / given)
    translation = identity(tmp_path, 3).run([str(tmp_path / given)], tmp_path / "out")
    (result,) = translation
    assert result.target.name == made
    difference = np.abs(read_image(result.target).pixels.astype(int) - read_image(tmp_path / given).pixels)
    assert difference.mean() < (3 if given == "a.avif" else 0.01)
    said = [note for note in translation.notes if "GIF" in note]
    assert len(said) == (given == "a.gif")


def test_what_is_learned_with_transparency_is_written_with_it(tmp_path: Path) -> None:
    model = identity(tmp_path, 4, alpha=(True, True))
    rgba = noise(4)
    rgba[..., 3] |= 1  # nothing hidden
    Image.fromarray(rgba).save(tmp_path / "a.png")
    Image.fromarray(rgba[..., :3]).save(tmp_path / "b.bmp")
    (first,) = run(model, tmp_path / "a.png", tmp_path / "out")
    assert np.array_equal(np.asarray(Image.open(first)), rgba)
    (second,) = run(model, tmp_path / "b.bmp", tmp_path / "out")
    assert second.name == "b.png"  # a BMP has no transparency
    assert np.array_equal(np.asarray(Image.open(second))[..., 3], np.full(SIZE, 255))
    assert np.array_equal(model.translate(rgba), rgba)
    assert model.translate(Image.fromarray(rgba)).mode == "RGBA"


def test_bands_are_written_where_they_fit(tmp_path: Path) -> None:
    model = identity(tmp_path, 4)
    bands = noise(4)
    tifffile.imwrite(tmp_path / "a.tif", bands, photometric="rgb", extrasamples=["unassalpha"])
    Image.fromarray(bands).save(tmp_path / "b.png")
    (first,) = run(model, tmp_path / "a.tif", tmp_path / "out")
    (second,) = run(model, tmp_path / "b.png", tmp_path / "out")
    assert (first.name, second.name) == ("a.tif", "b.tif")
    assert np.array_equal(tifffile.imread(first), bands)
    assert np.array_equal(tifffile.imread(second), bands)


def test_hidden_colours_change_nothing_that_can_be_seen(tmp_path: Path) -> None:
    model = identity(tmp_path, 3)
    made = []
    for hidden in (3, 250):
        pixels = np.full((*SIZE, 4), (hidden, 0, 0, 0), np.uint8)
        pixels[4:9, 4:9] = 1, 2, 3, 255
        Image.fromarray(pixels).save(tmp_path / "a.png")
        made.append(np.asarray(model.translate(tmp_path / "a.png")))
        kept = np.asarray(model.translate(tmp_path / "a.png", background="none"))
        assert kept[0, 0].tolist() == [hidden, 0, 0, 0]
    assert np.array_equal(made[0], made[1])
    assert made[0][0, 0].tolist() == [255, 255, 255, 0]  # transparent as it was


@pytest.mark.parametrize("where", ["model", "option"])
def test_pages_as_images_have_a_result_each(tmp_path: Path, where: str) -> None:
    stack = np.random.default_rng(0).integers(0, 255, (3, *SIZE)).astype(np.uint8)
    (tmp_path / "in").mkdir()
    tifffile.imwrite(tmp_path / "in" / "x.ome.tif", stack, ome=True, metadata={"axes": "ZYX"})
    Image.fromarray(stack[0]).save(tmp_path / "in" / "y.png")
    model = identity(tmp_path, 1, **({"pages": "images"} if where == "model" else {}))
    asked = {} if where == "model" else {"pages": "images"}
    made = run(model, tmp_path / "in", tmp_path / "out", **asked)
    names = ["x_p001.ome.tif", "x_p002.ome.tif", "x_p003.ome.tif", "y.png"]
    assert [path.name for path in made] == names
    for page, path in zip(stack, made, strict=False):
        assert np.array_equal(tifffile.imread(path), page)
    again = model.run([str(tmp_path / "in")], tmp_path / "out", i2icli.TranslateOptions(**asked))
    assert {result.status for result in again} == {"there"}


def test_a_page_or_all_as_channels(tmp_path: Path) -> None:
    stack = np.random.default_rng(0).integers(0, 255, (3, *SIZE)).astype(np.uint8)
    tifffile.imwrite(tmp_path / "x.tif", stack, imagej=True, metadata={"axes": "ZYX"})
    (result,) = identity(tmp_path, 3).run([str(tmp_path / "x.tif")], tmp_path / "out")
    assert "a z-stack of 3 planes; add --pages channels" in result.error
    (path,) = run(identity(tmp_path, 3), tmp_path / "x.tif", tmp_path / "out", pages="channels")
    with tifffile.TiffFile(path) as made:
        assert made.is_imagej
        assert np.array_equal(made.asarray(), stack)
    grey = identity(tmp_path, 1, pages="2")
    assert np.array_equal(np.asarray(grey.translate(tmp_path / "x.tif")), stack[1])
    assert np.array_equal(np.asarray(grey.translate(tmp_path / "x.tif", pages=3)), stack[2])


def test_arrays_with_their_channels_first_come_back_so(tmp_path: Path) -> None:
    model, trained = identity(tmp_path, 6), noise(6)
    array = np.ascontiguousarray(np.moveaxis(trained, -1, 0))
    with pytest.raises(UserError, match="`channels_first`"):
        model.translate(array)
    assert np.array_equal(model.translate(array, channels_first=True), array)
    assert np.array_equal(model.translate(trained), trained)
    np.save(tmp_path / "a.npy", array)
    (path,) = run(identity(tmp_path, 6, channels_first=True), tmp_path / "a.npy", tmp_path / "out")
    assert np.array_equal(np.load(path), array)


@pytest.mark.parametrize(
    ("port", "given", "made"),
    [
        (Port(3), "a.gif", "a.png"),
        (Port(3), "a.pgm", "a.ppm"),
        (Port(1), "a.ppm", "a.pgm"),
        (Port(3), "a.pbm", "a.ppm"),
        (Port(3), "a.pnm", "a.pnm"),
        (Port(5), "a.jpg", "a.tif"),
        (Port(5), "a.jp2", "a.jp2"),
        (Port(3, dtype="uint16"), "a.avif", "a.png"),
        (Port(3, dtype="uint16"), "a.ppm", "a.ppm"),
        (Port(4, reading=Reading(alpha=True)), "a.jpg", "a.png"),
        (Port(4, reading=Reading(alpha=True)), "a.webp", "a.webp"),
        (Port(4), "a.webp", "a.tif"),
    ],
)
def test_names_of_results_follow_what_formats_hold(port: Port, given: str, made: str) -> None:
    assert Place.of(port).names([Path(given)], None) == {Path(given): Path(made)}


def test_gifs_that_move_are_videos_and_still_ones_are_frames(tmp_path: Path) -> None:
    from i2icli.inference.video_jobs import _sources

    frames = [Image.fromarray(noise(3)).quantize(8), Image.fromarray(255 - noise(3)).quantize(8)]
    for folder in ("films", "frames"):
        (tmp_path / folder).mkdir()
    frames[0].save(tmp_path / "films" / "a.gif", save_all=True, append_images=frames[1:])
    for number, frame in enumerate(frames):
        frame.save(tmp_path / "frames" / f"{number}.gif")
    assert _sources(str(tmp_path / "films")) == [str(tmp_path / "films" / "a.gif")]
    assert _sources(str(tmp_path / "films" / "*.gif")) == [str(tmp_path / "films" / "a.gif")]
    for still in (str(tmp_path / "frames"), str(tmp_path / "frames" / "*.gif")):
        assert _sources(still) == [still]
