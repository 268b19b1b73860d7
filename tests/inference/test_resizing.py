"""The size at which inputs are translated, and the size of results."""

import warnings

import numpy as np
import pytest
from PIL import Image

from i2icli.__main__ import main
from i2icli.demo.toy.scenes import scene
from i2icli.errors import UserError
from i2icli.image.joint_upsampling import joint_upsample
from i2icli.image.pixels import resize
from i2icli.inference.options import TranslateOptions
from i2icli.inference.resizing import LearnedScale, Resizing
from i2icli.inference.translator import Translator
from i2icli.metadata import read_metadata
from i2icli.registry import config_type
from i2icli.stage import Stage
from tests.inference.videos import write_tiny
from tests.tiny import tiny_config

LEARNED = LearnedScale((36, 36))


@pytest.mark.parametrize(
    ("size", "translated", "result"),
    [
        (None, (300, 400), (300, 400)),
        (150, (150, 200), (150, 200)),
        ((10, 20), (10, 20), (10, 20)),
        ("trained", (31, 42), (300, 400)),  # 36 x 36 pixels, in the proportions of the image
    ],
)
def test_a_size_keeps_proportions_unless_both_sides_are_given(size, translated, result):
    resizing = Resizing(size, learned=LEARNED)
    assert resizing.of((300, 400)) == translated
    assert resizing.of_result((300, 400)) == result


def test_options_take_a_shorter_side_two_sides_or_the_trained_scale():
    taken = [TranslateOptions.of({"size": size}).size for size in (64, "64", "80x60", (60, 80), "Trained")]
    assert taken == [64, 64, (60, 80), (60, 80), "trained"]
    for size, shown in (("3y", "3y"), (0, "0"), ("0x8", "0x8"), (True, "yes")):
        with pytest.raises(UserError, match=rf"^size {shown}: expected pixels like 256, .*, or trained$"):
            TranslateOptions.of({"size": size})


@pytest.mark.parametrize(
    ("settings", "learned"),
    [
        ({"crop_size": 64, "load_size": 72}, LearnedScale((72, 72))),
        ({"crop_size": 64, "preprocess": "resize"}, LearnedScale((64, 64))),
        ({"crop_size": 64, "load_size": 72, "preprocess": "scale-width"}, LearnedScale((72, 72), True)),
        ({"crop_size": 64, "preprocess": "crop"}, None),
        ({"crop_size": 64, "preprocess": "crop", "learned_size": "640x480"}, LearnedScale((480, 640))),
    ],
)
def test_old_models_tell_by_crop_and_load_size(settings, learned):
    config = config_type("pix2pix").model_validate(settings)
    assert LearnedScale.of(config) == learned
    half = LearnedScale.of(config, Stage("32 px", 1, resolution=32))
    assert half == (learned and LearnedScale((learned.size[0] // 2, learned.size[1] // 2), learned.by_width))


def test_a_trained_model_knows_the_sizes_it_learned_from(trained):
    config = read_metadata(trained).settings(trained)
    assert config.learned_size == (40, 40)  # as they are: crops of them were learned
    assert LearnedScale.of(config) == LearnedScale((40, 40))


@pytest.fixture(scope="module")
def trained(tmp_path_factory, toy):
    from i2icli.config import RunOptions
    from i2icli.training.run import train

    out = tmp_path_factory.mktemp("run")
    config = tiny_config("pix2pix", steps=1, preprocess="crop", crop_size=16)
    train("pix2pix", [toy("pix2pix")], config, RunOptions(out=out))
    return out / "model.safetensors"


@pytest.fixture
def photo(tmp_path):
    rng = np.random.default_rng(0)
    Image.fromarray(rng.integers(0, 256, (100, 140, 3), np.uint8)).save(tmp_path / "photo.png")
    return tmp_path / "photo.png"


@pytest.fixture
def model(tmp_path):
    write_tiny(tmp_path / "model.safetensors", "pix2pix", load_size=36)
    return tmp_path / "model.safetensors"


def test_an_image_far_from_the_trained_scale_is_noted_with_what_to_type(photo, model, tmp_path, capsys):
    command = ["translate", str(photo), "--model", str(model), "--out"]
    assert main([*command, str(tmp_path / "a")]) == 0
    line = "is translated at 140x100 px, 3.3 times the scale that this model learned at (36x36 px)"
    assert f"note: {photo} {line}; if the result disappoints, add --size trained\n" in capsys.readouterr().err
    assert main([*command, str(tmp_path / "b"), "--size", "trained"]) == 0
    assert main([*command, str(tmp_path / "c"), "--size", "trained", "--detail"]) == 0
    assert main([*command, str(tmp_path / "d"), "--size", "40"]) == 0
    assert "times the scale" not in capsys.readouterr().err
    sizes = [Image.open(tmp_path / each / "photo.png").size for each in "abcd"]
    assert sizes == [(140, 100), (140, 100), (140, 100), (56, 40)]


def test_python_warns_once_and_takes_the_same_options(photo, model):
    loaded = Translator.load(model)
    with pytest.warns(UserWarning, match='2.8 times the scale .* add size="trained"'):
        loaded.translate(np.zeros((100, 100, 3), np.uint8))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        loaded.translate(np.zeros((100, 100, 3), np.uint8))
        plain = loaded.translate(photo, size="trained")
        fine = loaded.translate(photo, size="trained", detail=True)
    assert plain.size == fine.size == (140, 100)
    assert np.asarray(fine).astype(float).std() > np.asarray(plain).astype(float).std()


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"detail": True}, "translated at their own size; try it with --size trained"),
        ({"detail": True, "size": "trained", "system": "spade"}, "keeps that of images whose size stays"),
        (
            {"size": "trained", "preprocess": "crop"},
            "does not say how large they were",
        ),
    ],
)
def test_what_cannot_be_is_refused(tmp_path, options, why):
    system = options.pop("system", "pix2pix")
    settings = {name: options.pop(name) for name in ("preprocess",) if name in options}
    write_tiny(tmp_path / "model.safetensors", system, **settings)
    loaded = Translator.load(tmp_path / "model.safetensors")
    with pytest.raises(UserError, match=why):
        loaded.specs(TranslateOptions.of(options))


def test_joint_upsampling_restores_what_a_local_change_of_colour_lost():
    large = scene(0, 128).photo
    truth = (large.astype(np.float32) / 127.5 - 1) * np.float32([0.5, 0.8, -0.3]) + 0.1  # (H, W, C)
    small = resize(truth, (32, 32)).transpose(2, 0, 1)
    plain = resize(small.transpose(1, 2, 0), (128, 128))
    joint = joint_upsample(small, large).transpose(1, 2, 0)
    assert np.abs(joint - truth).mean() < 0.1 * np.abs(plain - truth).mean()


def test_what_the_input_does_not_hold_is_upsampled_plainly():
    small = np.repeat(np.linspace(-1, 1, 8, dtype=np.float32)[None, None], 8, 1)  # (1, 8, 8)
    even = np.full((32, 32, 6), 100, np.uint8)  # nothing to be guided by
    made = joint_upsample(small, even)
    assert made.shape == (1, 32, 32)
    expected = np.interp(np.arange(2, 30), np.arange(8) * 4 + 1.5, small[0, 0])
    assert made[0, :, 2:-2].mean(0) == pytest.approx(expected)


@pytest.mark.parametrize("width", [48, 8])
def test_where_the_input_was_enlarged_the_output_is_reduced_without_aliases(width):
    rng = np.random.default_rng(0)
    output = rng.uniform(-1, 1, (64, width, 3)).astype(np.float32)
    given = rng.integers(0, 256, (16, 12, 3), np.uint8)
    reduced = resize(output, (16, min(width, 12)))
    expected = joint_upsample(reduced.transpose(2, 0, 1), given)
    assert joint_upsample(output.transpose(2, 0, 1), given) == pytest.approx(expected, abs=1e-5)
    if width > 12:
        assert expected.transpose(1, 2, 0) == pytest.approx(reduced, abs=1e-5), "nothing is lost or added"


def test_joint_upsampling_keeps_the_range_of_values():
    rng = np.random.default_rng(0)
    small = rng.uniform(-1, 1, (3, 8, 8)).astype(np.float32)
    given = rng.integers(0, 256, (32, 32, 3), np.uint8)
    for output in (small, 2 * small):
        made = joint_upsample(output, given)
        assert made.min() >= min(-1, output.min())
        assert made.max() <= max(1, output.max())
