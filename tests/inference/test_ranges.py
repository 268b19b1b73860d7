"""What a model reads in the range of its source it gives in the range and type of its target."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
import torch
from PIL import Image

import i2icli
from i2icli.errors import UserError
from i2icli.export.describing import settings_of
from i2icli.image import DecodedImage, FileItem, read_image, write_image
from i2icli.inference.translator import Translator
from i2icli.value_range import ValueRange
from i2icli.video import write_video
from i2icli.video.items import FrameItem
from tests.graphs.files import described, graph, node, write
from tests.inference.videos import write_tiny
from tests.tiny import tiny_config

SIZE = (24, 32)  # (height, width): multiples of what the networks ask for
SAME = ("batch", 1, "height", "width")
CT = {"channels": (1, 1), "types": ("int16", "uint16"), "range": "-1024,3071/0,4095"}
"""From Hounsfield units to 12 bits, of as many steps: nothing is rounded."""


def scan(number: int = 0) -> np.ndarray:
    """Hounsfield units from -1024 to 3071."""
    return np.random.default_rng(number).integers(-1024, 3072, SIZE).astype(np.int16)


def identity(path: Path, **config: Any) -> Path:
    """A CycleGAN exported as a graph that gives what it is given."""
    shapes: dict[str, Any] = {"inputs": {"image": SAME}, "outputs": {"output": SAME}}
    metadata = described(config=CT | config, **shapes)
    return write(path, graph(metadata, [node("Identity", "image", "output")]))


@pytest.fixture
def same(tmp_path: Path) -> Translator:
    """The model of that graph."""
    return i2icli.load(identity(tmp_path / "same.onnx"))


@pytest.fixture
def trained(tmp_path: Path) -> Translator:
    """Networks in torch, whose first task gives what it is given."""
    model = Translator.load(write_tiny(tmp_path / "model.safetensors", **CT), runtime="torch")
    model.backend.system.forward = lambda _task, inputs, _memory=None: (inputs["image"], {})
    return model


@pytest.mark.parametrize("kind", ["same", "trained"])
def test_graphs_and_networks_invert_their_range_on_the_way_out(
    kind: str, request: Any, tmp_path: Path
) -> None:
    model: Translator = request.getfixturevalue(kind)
    (tmp_path / "in").mkdir()
    for number, name in enumerate(("a.tif", "b.npy")):
        write_image(tmp_path / "in" / name, DecodedImage(scan(number)[..., None], None, "png"))
    results = list(model.run([str(tmp_path / "in")], tmp_path / "out"))
    assert [result.target.name for result in results] == ["a.tif", "b.npy"]
    for number, result in enumerate(results):
        values = FileItem(result.target).values()[..., 0]
        assert values.dtype == np.uint16
        assert np.array_equal(values, scan(number).astype(int) + 1024)


@pytest.mark.parametrize("kind", ["same", "trained"])
def test_python_gets_values_for_values(kind: str, request: Any, tmp_path: Path) -> None:
    model: Translator = request.getfixturevalue(kind)
    values = scan()
    wanted = (values.astype(int) + 1024).astype(np.uint16)
    for given in (values, values.astype(np.int64), values.astype(np.float32)):
        made = model.translate(given)
        assert made.dtype == np.uint16
        assert np.array_equal(made, wanted)
    made = model.translate(torch.from_numpy(values.astype(np.float32))[None])
    assert (made.dtype, tuple(made.shape)) == (torch.float32, (1, *SIZE))
    assert np.array_equal(made[0].numpy(), wanted)
    tifffile.imwrite(tmp_path / "a.tif", values)
    for path in (tmp_path / "a.tif", Image.fromarray(values.astype(np.int32))):
        image = model.translate(path)
        assert image.mode == "I;16"
        assert np.array_equal(np.asarray(image), wanted)


def test_the_other_way_needs_a_format_for_signed_values(trained: Translator, tmp_path: Path) -> None:
    values = (scan().astype(int) + 1024).astype(np.uint16)
    Image.fromarray(values).save(tmp_path / "a.png")
    (result,) = trained.run([str(tmp_path / "a.png")], tmp_path / "out", i2icli.TranslateOptions(to="A"))
    assert result.target.name == "a.tif"
    assert np.array_equal(tifffile.imread(result.target), scan())


def test_values_beyond_the_range_are_cut_to_it(trained: Translator) -> None:
    made = trained.translate(np.full(SIZE, 20000, np.int16))
    assert np.unique(made).tolist() == [4095]


@pytest.mark.parametrize("suffix", [".png", ".jpg"])
def test_an_8_bit_photo_becomes_16_bit_depth_in_its_range(suffix: str, tmp_path: Path) -> None:
    config = {"channels": (1, 1), "types": ("uint8", "uint16"), "range": "type/500,8150"}
    model = i2icli.load(identity(tmp_path / "depth.onnx", **config))
    Image.fromarray(np.arange(768).reshape(SIZE).astype(np.uint8)).save(tmp_path / f"a{suffix}")
    (result,) = model.run([str(tmp_path / f"a{suffix}")], tmp_path / "out")
    assert result.target.name == "a.png"
    depth = np.asarray(Image.open(result.target))
    assert depth.dtype == np.uint16
    grey = np.asarray(Image.open(tmp_path / f"a{suffix}")).astype(int)
    assert np.array_equal(depth, 500 + 30 * grey)


def test_a_format_of_8_bits_that_is_asked_for_shows_the_range_and_says_so(
    trained: Translator, tmp_path: Path
) -> None:
    tifffile.imwrite(tmp_path / "a.tif", np.linspace(-1024, 3071, 768).reshape(SIZE).astype(np.int16))
    translation = trained.run(
        [str(tmp_path / "a.tif")], tmp_path / "out", i2icli.TranslateOptions(format="jpg")
    )
    (note,) = translation.notes
    assert note.startswith("results are of 16 bit, which JPEG does not hold")
    (result,) = translation
    pixels = read_image(result.target).pixels
    assert (pixels.min(), pixels.max()) == (pytest.approx(0, abs=4), pytest.approx(255, abs=4))


def test_a_model_of_16_bits_gives_16_bits_whatever_it_is_given(tmp_path: Path) -> None:
    config = {"types": ("uint16", "uint16"), "range": "type"}
    model = i2icli.load(identity(tmp_path / "deep.onnx", **config))
    made = model.translate(np.arange(768).reshape(SIZE).astype(np.uint8))
    assert made.dtype == np.uint16
    assert made.max() == 65535


def test_files_that_do_not_fit_are_named_and_the_others_go_on(trained: Translator, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    nan = scan().astype(np.float32)
    nan[3, 3] = np.nan
    tifffile.imwrite(tmp_path / "in" / "a.tif", nan)
    tifffile.imwrite(tmp_path / "in" / "b.tif", scan())
    Image.fromarray(np.zeros(SIZE, np.uint8)).save(tmp_path / "in" / "c.png")
    results = list(trained.run([str(tmp_path / "in")], tmp_path / "out"))
    assert [result.status for result in results] == ["failed", "done", "failed"]
    assert results[0].error == f"cannot read {tmp_path / 'in' / 'a.tif'}: NaN or infinite values"
    assert "8 bit, which hold 0 to 255; expected values of the range -1024 to 3071" in results[2].error


def test_sheets_show_the_range_also_of_results_that_are_there(trained: Translator, tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", scan())
    options = i2icli.TranslateOptions(compare=True)
    sheets = []
    for _ in range(2):
        list(trained.run([str(tmp_path / "a.tif")], tmp_path / "out", options))
        (sheet,) = (tmp_path / "out" / "compare").glob("*.png")
        sheets.append(np.asarray(Image.open(sheet).convert("L")))
        sheet.unlink()
    assert np.array_equal(*sheets)
    assert sheets[0].std() > 50  # grey noise, not the black of 12 bits in 16


def test_samples_have_the_range(tmp_path: Path) -> None:
    config = {"channels": (1,), "types": ("int16",), "range": "-1000,1000"}
    path = write_tiny(tmp_path / "model.safetensors", "spectral_dcgan", **config)
    model = i2icli.load(path, runtime="torch")
    ramp = torch.linspace(-1, 1, 32 * 32).reshape(1, 1, 32, 32)  # (B, C, H, W)
    model.backend.system.forward = lambda _task, inputs, _memory=None: (
        ramp.expand(len(inputs["latent"]), 1, 32, 32),
        {},
    )
    results = list(model.sample(tmp_path / "out", i2icli.TranslateOptions(samples=3)))
    assert [result.target.suffix for result in results] == [".tif"] * 3
    made = np.stack([tifffile.imread(result.target) for result in results])
    assert made.dtype == np.int16
    assert (made.min(), made.max()) == (-1000, 1000)
    assert len(np.unique(made)) > 1000


def test_sequences_hold_values_and_videos_span_their_type(trained: Translator, tmp_path: Path) -> None:
    frames = tmp_path / "frames"
    frames.mkdir()
    for number in range(3):
        tifffile.imwrite(frames / f"{number:03}.tif", scan(number))
    (result,) = trained.video(frames, tmp_path / "out", format="tif")
    made = [tifffile.imread(path) for path in sorted(result.target.glob("*.tif"))]
    assert [each.dtype for each in made] == [np.uint16] * 3
    assert all(np.array_equal(each, scan(n).astype(int) + 1024) for n, each in enumerate(made))
    grey = np.repeat(np.linspace(0, 255, 64).astype(np.uint8)[None, :, None], 48, 0).repeat(3, 2)
    write_video(tmp_path / "film.mp4", [grey] * 2, 25)
    frame = FrameItem(tmp_path / "film.mp4", 0)
    assert np.array_equal(frame.read(ValueRange(-1024, 3071, "int16")).pixels, frame.read().pixels)


def test_an_export_keeps_the_range_in_its_description() -> None:
    config = tiny_config("cyclegan", **CT)
    described_again = type(config).model_validate(settings_of(config))
    assert described_again.tasks(config.stages()[0]) == config.tasks(config.stages()[0])


def test_models_without_a_range_refuse_other_floats_as_ever(tmp_path: Path) -> None:
    config = {"types": ("float32", "float32"), "range": "type"}
    model = i2icli.load(identity(tmp_path / "old.onnx", **config))
    unit = np.linspace(-1, 1, 768, dtype=np.float32).reshape(SIZE)
    assert np.array_equal(model.translate(unit), unit)
    with pytest.raises(UserError, match=r"floats from -3 to 3; expected values in \[-1, 1\]"):
        model.translate(unit * 3)
