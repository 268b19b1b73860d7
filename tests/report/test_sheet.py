"""Sample sheets: every image in its place, at any size and number of channels."""

import numpy as np
import pytest
import torch
from PIL import Image

from i2icli.report.sheet import GAP, TITLE, SheetWriter, sample_sheet


def flat(channels, height, width, value):
    return torch.full((channels, height, width), value)


def test_rows_and_columns_stand_where_they_should():
    rows = [
        {"input": flat(3, 200, 300, 1.0), "a long name above": flat(1, 150, 130, -1.0)},
        {"input": flat(4, 130, 140, 0.0), "a long name above": flat(2, 200, 130, 0.5)},
    ]
    sheet = np.asarray(sample_sheet(rows))
    assert sheet.shape == (TITLE + 200 + 200 + 2 * GAP, 300 + 130 + 3 * GAP, 3)
    right = GAP + 300 + GAP
    assert (sheet[TITLE : TITLE + 150, right : right + 130] == 0).all()
    assert (sheet[TITLE + 150 : TITLE + 200, right : right + 130] == 255).all()  # below the smaller one
    second = TITLE + 200 + GAP
    assert (sheet[second : second + 130, GAP : GAP + 140] == 128).all()
    assert (sheet[second : second + 200, right : right + 130] == 191).all()


@pytest.mark.parametrize(("side", "shown"), [(8, 128), (50, 100), (128, 128), (512, 512), (2000, 512)])
def test_small_images_are_upscaled_and_large_ones_downscaled(side, shown):
    sheet = sample_sheet([{"x": torch.rand(3, side, side) * 2 - 1}])
    assert sheet.size == (shown + 2 * GAP, TITLE + shown + GAP)


def test_a_name_longer_than_its_images_moves_the_next_column():
    row = {"a rather long name of a column": flat(3, 128, 20, 0.0), "b": flat(3, 128, 20, -1.0)}
    sheet = np.asarray(sample_sheet([row]))
    black = np.flatnonzero((sheet[TITLE:-GAP] == 0).all(axis=(0, 2)))
    assert black[0] > 150


def test_a_writer_numbers_its_sheets_and_writes_the_last_short_one(tmp_path):
    writer = SheetWriter(tmp_path, rows=2)
    for _ in range(3):
        writer.add({"x": flat(3, 128, 128, 0.0)})
    writer.close()
    heights = [Image.open(path).height for path in sorted(tmp_path.iterdir())]
    assert heights == [TITLE + 2 * (128 + GAP), TITLE + 128 + GAP]


def test_a_caption_stands_above_its_row(tmp_path):
    writer = SheetWriter(tmp_path, rows=2)
    writer.add({"x": flat(3, 128, 128, 0.0)}, "first.png")
    writer.add({"x": flat(3, 128, 128, 0.0)}, "second.png")
    sheet = np.asarray(Image.open(tmp_path / "0001.png"))
    assert sheet.shape[0] == TITLE + 2 * (TITLE + 128 + GAP)
    for top in (TITLE, TITLE + TITLE + 128 + GAP):
        assert (sheet[top : top + TITLE] < 200).any()
        assert (sheet[top + TITLE : top + TITLE + 128, GAP : GAP + 128] == 128).all()


def test_a_head_stands_on_every_sheet(tmp_path):
    writer = SheetWriter(tmp_path, rows=1, head={"x": flat(3, 128, 128, -1.0)})
    for _ in range(2):
        writer.add({"x": flat(3, 128, 128, 0.0)}, "a.png")
    for path in sorted(tmp_path.iterdir()):
        sheet = np.asarray(Image.open(path))
        assert (sheet[2 * TITLE : 2 * TITLE + 128, GAP : GAP + 128] == 0).all()
        assert sheet.shape[0] == TITLE + 2 * (TITLE + 128 + GAP)
