"""Abstention, leakage between folders, perturbations and inputs of the detector."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from i2icli.detector.abstention import abstention_reasons
from i2icli.detector.dataset import load_features
from i2icli.detector.detector import Detector
from i2icli.detector.evaluation import Condition, score
from i2icli.detector.inputs import find_inputs
from i2icli.detector.jpeg import jpeg_quality
from i2icli.detector.leakage import find_leaks, grid_strength
from i2icli.detector.perturbations import CONDITIONS, equalise, jpeg
from i2icli.detector.view import View
from i2icli.errors import UserError
from i2icli.image import probe
from tests.detector.images import faked, photograph


@pytest.fixture(scope="module")
def detector():
    return replace(Detector.shipped("traces"), floor=None)  # which few synthetic photographs are below


def reasons(detector, pixels, verdict):
    """Reasons to abstain from a verdict on an uncompressed image."""
    return abstention_reasons(detector.info, detector.extract(pixels), View(pixels), None, None, verdict)


def real(detector):
    """An image that is called real without abstention."""
    pixels = next(each for each in map(photograph, range(9)) if detector.predict(each).verdict == "real")
    assert detector.predict(pixels).abstentions == ()
    return pixels


def test_real_becomes_uncertain_where_traces_may_be_lost(detector):
    pixels = real(detector)
    hard = detector.predict(pixels, "jpeg", 30)
    assert (hard.verdict, hard.probability) == ("uncertain", detector.predict(pixels).probability)
    assert "heavily compressed" in hard.abstentions[0]
    assert "small" in reasons(detector, pixels[:70, :70], "real")[0]
    assert detector.predict(pixels, "jpeg", 90).verdict == "real"


def test_small_images_are_fake_only_by_clear_peaks(detector):
    small, made = photograph(1)[:95, :95], faked(photograph(1), 1)[:95, :95]
    assert reasons(detector, small, "fake") == ["small (95x95 pixels): too few to tell a lattice from chance"]
    assert reasons(detector, photograph(1)[:96, :96], "fake") == []
    assert detector.predict(made).verdict == "fake"


def test_fake_stands_under_strong_jpeg_but_not_for_drawings(detector):
    pixels = faked(photograph(1), 1)
    assert detector.predict(pixels, "jpeg", 30).verdict == "fake"
    drawing = np.full((256, 256, 3), 255, np.uint8)
    drawing[:128, :128] = pixels
    assert detector.predict(drawing).verdict == "uncertain"
    assert "not photographic" in detector.predict(drawing).abstentions[0]


def test_palettes_are_not_photographic(detector):
    image = Image.fromarray(photograph(0, 256))
    for dithered, expected in ((image.convert("P"), "colours"), (image.convert("1"), "only 2 grey levels")):
        mode = "RGB" if dithered.mode == "P" else "L"
        pixels = np.asarray(dithered.convert(mode)).reshape(256, 256, -1)
        (reason,) = reasons(detector, pixels, "fake")
        assert "not photographic: only" in reason
        assert expected in reason
        assert reasons(detector, pixels, "real") == []  # as of a smooth sky
    grey = np.asarray(image.convert("L"))[..., None]
    for pixels in (np.asarray(image), grey, np.repeat(grey, 3, 2), grey.astype(np.uint16) * 257):
        assert reasons(detector, pixels, "fake") == []


@pytest.mark.parametrize("method", [Image.Resampling.BILINEAR, Image.Resampling.BICUBIC])
def test_resized_images_are_uncertain(detector, method):
    pixels = photograph(1, 192)
    for factor, period in ((1.25, 5.0), (1.5, 3.0), (1.7, 2.4)):
        side = round(192 * factor)
        larger = np.asarray(Image.fromarray(pixels).resize((side, side), method))
        for verdict in ("real", "fake"):
            (reason,) = reasons(detector, larger, verdict)
            assert f"resized (sharpness varies with a period of {period:.1f} pixels)" in reason
        assert reasons(detector, larger, "uncertain") == []
        assert View(np.tile(larger, (1, 12, 1))).resampling.detected  # a long strip


def test_a_clear_lattice_overrides_detected_resizing(detector):
    """As of an image that was resized before a network processed it."""
    pixels = np.asarray(Image.fromarray(photograph(1, 128)).resize((192, 192), Image.Resampling.BILINEAR))
    fake = faked(pixels, 1).astype(np.float32)
    mixed = (0.7 * pixels + 0.3 * fake).astype(np.uint8)
    assert View(mixed).resampling.detected
    assert detector.predict(mixed).verdict == "fake"


def test_a_shifted_lattice_is_not_clear(detector):
    fake = Image.fromarray(faked(photograph(3, 192), 3)).resize((288, 288), Image.Resampling.BILINEAR)
    prediction = detector.predict(np.asarray(fake))
    assert (prediction.verdict, prediction.probability > 0.97) == ("uncertain", True)
    assert "test the original" in prediction.abstentions[0]


def test_images_that_were_not_resized_are_not_reported():
    for seed in range(20):
        pixels = photograph(seed, 192)
        for perturb in (None, CONDITIONS["JPEG 75"], CONDITIONS["blur 1"], CONDITIONS["noise 4"]):
            assert not View(perturb(pixels) if perturb else pixels).resampling.detected
        assert not View(faked(pixels, seed)).resampling.detected  # the lattice of a network
    waves = 1 + 0.2 * np.sin(2 * np.pi * np.arange(256) / 20)  # periodic content
    shown = 128 + 20 * waves[:, None] * waves * np.random.default_rng(0).normal(size=(256, 256))
    assert not View(shown.clip(0, 255).astype(np.uint8)[..., None]).resampling.detected
    assert not View(np.zeros((64, 64, 3), np.uint8)).resampling.detected


def test_profiles_of_long_strips_are_refused_before_memory_ends():
    prediction = Detector.shipped("profile").predict(np.zeros((16, 17_000, 1), np.uint8))
    assert prediction.verdict == "uncertain"
    assert prediction.explanation.startswith("too large for a profile: 17000x16 pixels")


def test_profile_detectors_abstain_outside_their_training_sizes():
    profile = Detector.shipped("profile")
    assert "fitted to sides of 128 to 384" in profile.predict(photograph(0, 500)).abstentions[0]
    assert "fitted to sides of 128 to 384" in profile.predict(photograph(0, 100)).abstentions[0]
    doubt = "neither real (up to 0.3) nor fake (from 0.985)"
    assert profile.predict(photograph(0, 256)).abstentions == (doubt,)
    assert "JPEG" in profile.predict(photograph(0, 256), "jpeg", 90).abstentions[0]


def test_unseen_compression_makes_real_uncertain(detector, tmp_path):
    pixels = real(detector)
    Image.fromarray(pixels).save(tmp_path / "lossy.webp", quality=60)
    Image.fromarray(pixels).save(tmp_path / "lossless.webp", lossless=True)
    prediction = detector.predict_file(tmp_path / "lossy.webp")
    assert prediction.verdict == "uncertain"
    assert prediction.abstentions == ("compressed as WEBP, which the detector was not fitted to (jpeg, png)",)
    assert detector.predict_file(tmp_path / "lossless.webp").verdict == "real"
    assert detector.predict(faked(photograph(1), 1), "webp").verdict == "fake"
    linear = replace(detector, info=detector.info.model_copy(update={"kind": "linear"}))
    assert linear.predict(faked(photograph(1), 1), "webp").verdict == "uncertain"


def test_other_channels_are_uncertain_without_a_probability(detector):
    prediction = detector.predict(np.zeros((80, 80, 5), np.uint8))
    assert (prediction.verdict, prediction.probability) == ("uncertain", None)


@pytest.mark.parametrize("quality", [20, 50, 75, 92])
def test_the_quality_of_a_jpeg_is_read_from_its_tables(tmp_path, quality):
    path = tmp_path / "a.jpg"
    Image.fromarray(photograph(0)).save(path, quality=quality)
    assert jpeg_quality(path) == pytest.approx(quality, abs=1)
    Image.fromarray(photograph(0)).save(tmp_path / "a.png")
    assert jpeg_quality(tmp_path / "a.png") is None


def headers(tmp_path, sizes, suffix="png"):
    found = []
    for index, size in enumerate(sizes):
        path = tmp_path / f"{index}.{suffix}"
        Image.new("RGB", (size, size)).save(path)
        found.append(probe(path))
    return found


def test_a_size_that_separates_the_folders_is_a_leak(tmp_path):
    found = headers(tmp_path, [64] * 10 + [72] * 10)
    fake = np.arange(20) >= 10
    (leak,) = find_leaks(found, fake, np.zeros(20), [None] * 20)
    assert (leak.what, leak.accuracy) == ("image size", 1.0)
    assert "64x64" in str(leak)
    assert "72x72" in str(leak)


def test_a_colour_mode_that_separates_the_folders_is_a_leak(tmp_path):
    for index in range(20):
        Image.new("L" if index < 10 else "RGB", (64, 64)).save(tmp_path / f"{index:02}.png")
    found = [probe(path) for path in sorted(tmp_path.iterdir())]
    (leak,) = find_leaks(found, np.arange(20) >= 10, np.zeros(20), [None] * 20)
    assert (leak.what, leak.accuracy, leak.survives) == ("colour mode", 1.0, False)
    assert "100% of photographs: grey, 8 bit; 100% of fakes: colour, 8 bit" in str(leak)


def test_sizes_that_are_all_different_are_no_leak(tmp_path):
    found = headers(tmp_path, range(40, 60))
    assert find_leaks(found, np.arange(20) % 2 == 0, np.zeros(20), [None] * 20) == []


def test_distinct_sizes_are_a_leak_if_a_threshold_separates_them(tmp_path):
    found = headers(tmp_path, [*range(40, 50), *range(60, 70)])
    fake = np.arange(20) >= 10
    (leak,) = find_leaks(found, fake, np.zeros(20), [None] * 20)
    assert (leak.what, leak.accuracy, leak.survives) == ("image size", 1.0, False)
    assert "photographs with shorter sides of 44, fakes with shorter sides of 64" in str(leak)


def test_equal_values_lie_on_one_side_of_a_threshold(tmp_path):
    grids = np.array([0.0] * 9 + [1.0] + [0.0] * 3 + [1.0] * 7)
    fake = np.arange(20) >= 10
    (leak,) = find_leaks(headers(tmp_path, [64] * 20), fake, grids, [None] * 20)
    assert leak.accuracy == pytest.approx(0.8)
    assert leak.survives


def test_a_jpeg_grid_in_png_files_is_a_leak(tmp_path):
    images = [photograph(seed) for seed in range(12)]
    fake = np.arange(12) >= 6
    compressed = [jpeg(40)(each) if is_fake else each for each, is_fake in zip(images, fake, strict=True)]
    grids = np.array([grid_strength(each) for each in compressed])
    (leak,) = find_leaks(headers(tmp_path, [128] * 12), fake, grids, [None] * 12)
    assert "8x8" in leak.what
    assert leak.accuracy > 0.9


@pytest.mark.parametrize("channels", [1, 3])
def test_equalised_images_have_one_shape(channels):
    made = [
        equalise(96, channels)(each)
        for each in (photograph(0, 99), photograph(1, 130)[..., :1], photograph(2, 200))
    ]
    assert {(each.shape, each.dtype.name) for each in made} == {((96, 96, channels), "uint8")}


@pytest.mark.parametrize("side", range(99, 120))
def test_equalising_misaligns_the_grid_of_an_earlier_jpeg(side):
    rows, columns = np.mgrid[0:side, 0:side]
    blocks = ((rows // 8 + columns // 8) % 2 * 100 + 50).astype(np.uint8)[..., None]
    made = equalise(96, 1)(blocks)[..., 0].astype(int)
    border = int(np.abs(np.diff(made[0])).argmax()) + 1
    assert border % 8 != 0


@pytest.mark.parametrize("name", [name for name, perturb in CONDITIONS.items() if perturb])
def test_conditions_accept_colour_grey_and_16_bit_images(name):
    perturb = CONDITIONS[name]
    for pixels in (photograph(0, 96), photograph(0, 96)[..., :1], photograph(0, 96).astype(np.uint16) * 257):
        perturbed = perturb(pixels)
        assert perturbed.shape[2] == pixels.shape[2]
        assert perturbed.dtype == np.uint8


def test_conditions_do_what_their_names_say():
    pixels = photograph(0, 96)
    done = {name: perturb(pixels).astype(float) for name, perturb in CONDITIONS.items() if perturb}
    assert {name: each.shape[:2] for name, each in done.items() if name.endswith("x")} == {
        "0.5x": (48, 48),
        "0.75x": (72, 72),
        "1.5x": (144, 144),
    }
    far = {name: np.abs(each - pixels).mean() for name, each in done.items() if each.shape == pixels.shape}
    assert far["JPEG 95"] < far["JPEG 90"] < far["JPEG 75"] < far["JPEG 50"]
    assert (done["noise 4"] - pixels).std() == pytest.approx(4, abs=0.3)
    steps = [np.abs(np.diff(each, axis=1)).mean() for each in (done["blur 1"], pixels.astype(float))]
    assert steps[0] < 0.7 * steps[1]


def test_subfolders_are_groups_and_a_limit_is_spread_over_them(tmp_path):
    for index, place in enumerate(["real", "fake/a", "fake/b", "fake"]):
        (tmp_path / place).mkdir(parents=True, exist_ok=True)
        for number in range(4):
            Image.new("L", (8, 8), 10 * index + number).save(tmp_path / place / f"{number}.png")
    read = lambda pixels: np.array([pixels.mean()])  # noqa: E731
    found = load_features(tmp_path / "real", tmp_path / "fake", read)
    rows: dict[str, set[int]] = {}
    for row, group in zip(found.rows[:, 0], found.groups, strict=True):
        rows.setdefault(group, set()).add(int(row) // 10)
    assert rows == {"real": {0}, "a": {1}, "b": {2}, "fake": {3}}
    few = load_features(tmp_path / "real", tmp_path / "fake", read, limit=3)
    assert (few.fake.sum(), len(few.fake)) == (3, 6)
    assert len(set(few.groups)) == 4
    predicted, groups = np.array([0.1, 0.99, 0.99, 0.2]), ["real", "a", "a", "b"]
    table = score(Detector.shipped("traces"), Condition("", predicted, np.arange(4) > 0, groups, []))
    assert [(row.group, row.reals, row.fakes, row.auc, row.false_alarms, row.missed) for row in table] == [
        ("all fakes", 1, 3, 1, 0, pytest.approx(1 / 3)),
        ("a", 1, 2, 1, 0, 0),
        ("b", 1, 1, 1, 0, 1),
    ]


def test_inputs_are_files_folders_and_globs_each_once(tmp_path):
    for name in ("b.png", "a.jpg", "video.mp4", "notes.txt"):
        (tmp_path / name).write_bytes(b"")
    everything = [tmp_path / "a.jpg", tmp_path / "b.png", tmp_path / "video.mp4"]
    assert find_inputs([str(tmp_path)]) == (everything, {})
    assert find_inputs([str(tmp_path / "*.png"), str(tmp_path / "b.png")]) == ([tmp_path / "b.png"], {})
    found, unmatched = find_inputs([str(tmp_path / "*.gif"), str(tmp_path / "b.png")])
    assert found == [tmp_path / "b.png"]
    assert "matches no file" in unmatched[str(tmp_path / "*.gif")]
    for arguments in ([], [str(tmp_path / "*.gif")]):
        with pytest.raises(UserError):
            find_inputs(arguments)
