"""Clips as a strip of some frames and as a film."""

from pathlib import Path

import pytest
import torch
from PIL import Image

from i2icli.report.clips import write_film, write_strip
from i2icli.report.sections import data_uri


def clip(length: int) -> dict[str, torch.Tensor]:
    """Edges of one channel and frames of three, brighter from frame to frame."""
    grey = torch.linspace(-1, 0.5, length) + 0.5 * (torch.arange(length) % 2)  # unequal ones are not merged
    grey = grey[:, None, None, None]
    return {"source": grey.expand(length, 1, 16, 24), "truth": grey.expand(length, 3, 16, 24)}


@pytest.mark.parametrize(("length", "shown"), [(1, 1), (3, 3), (20, 6)])
def test_a_strip_shows_frames_from_the_first_to_the_last(tmp_path: Path, length: int, shown: int):
    write_strip(tmp_path / "strip.png", clip(length))
    strip = Image.open(tmp_path / "strip.png").convert("L")
    assert strip.width == shown * (24 * 5 + 4) + 4  # images are upscaled to 120 pixels
    assert strip.height > 2 * 16 * 5
    assert strip.getpixel((60, 60)) == 0
    assert length == 1 or strip.getpixel((strip.width - 60, 60)) > 150


@pytest.mark.parametrize(("length", "frames"), [(5, 5), (70, 60)])
def test_a_film_has_every_frame_and_can_be_shown_in_a_report(tmp_path: Path, length: int, frames: int):
    path = tmp_path / "film.webp"
    write_film(path, clip(length))
    film = Image.open(path)
    assert film.n_frames == frames
    first = film.convert("L").getpixel((60, 60))
    film.seek(frames - 1)
    assert first < 30
    assert film.convert("L").getpixel((60, 60)) > 150
    assert data_uri(path.read_bytes()).startswith("data:image/webp;base64,")
