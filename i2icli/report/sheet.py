"""Sample sheets, of training and inference: one row per example, one named column per image."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image, ImageDraw, ImageFont

from i2icli.errors import UserError, readable
from i2icli.files import atomic_write
from i2icli.marks import SHEETS as SHEETS

GAP = 4  # pixels between images
TITLE = 18  # pixels for the column names, and for the name of a row
ROWS = 8  # per sheet
SMALLEST, LARGEST = 128, 512  # pixels: range of the longer side of an image on a sheet


Row = Mapping[str, ArrayLike]
"""Images (C, H, W) in [-1, 1] by the name of their column: arrays, or tensors on the CPU."""


_Shown = dict[str, Image.Image]  # a row as it is drawn


def sample_sheet(rows: Sequence[Row], captions: Sequence[str] = ()) -> Image.Image:
    """Draw a sheet; the keys of the first row name the columns. Sizes and channels may differ.

    Large images are downscaled, small ones upscaled by integer factors.
    """
    return _drawn([_shown(row) for row in rows], captions)


def _drawn(rows: Sequence[_Shown], captions: Sequence[str]) -> Image.Image:
    names = list(rows[0])
    font = ImageFont.load_default(12)
    widths = [max(int(font.getlength(name)), *(row[name].width for row in rows)) for name in names]
    heights = [max(image.height for image in row.values()) for row in rows]
    above = TITLE if any(captions) else 0
    size = (sum(widths) + GAP * (len(names) + 1), TITLE + sum(heights) + (GAP + above) * len(rows))
    sheet = Image.new("RGB", size, "white")
    draw = ImageDraw.Draw(sheet)
    left = GAP
    for name, width in zip(names, widths, strict=True):
        draw.text((left, 2), name, fill="black", font=font)
        top = TITLE + above
        for row, height in zip(rows, heights, strict=True):
            sheet.paste(row[name], (left, top))
            top += height + GAP + above
        left += width + GAP
    top = TITLE
    for caption, height in zip(captions, heights, strict=False):
        draw.text((GAP, top + 2), readable(caption), fill="gray", font=font)
        top += height + GAP + above
    return sheet


def write_sample_sheet(path: Path, rows: Sequence[Row], captions: Sequence[str] = ()) -> None:
    """Write a sheet as PNG."""
    with atomic_write(path) as temporary:
        sample_sheet(rows, captions).save(temporary)


class SheetWriter:
    """Collects rows and writes them as numbered sheets."""

    def __init__(self, folder: Path, rows: int = ROWS, head: Row | None = None) -> None:
        """head: a row above those of every sheet, the references of its columns."""
        self.folder, self.rows = folder, rows
        self.head = [_shown(head)] if head else []
        self.pending: list[_Shown] = []
        self.captions: list[str] = []
        self.count = 0

    def add(self, row: Row, caption: str = "") -> None:
        """Add a row; a full sheet is written."""
        self.pending.append(_shown(row))
        self.captions.append(caption)
        if len(self.pending) == self.rows:
            self._write()

    def close(self) -> None:
        """Write the last, shorter sheet."""
        if self.pending:
            self._write()

    def _write(self) -> None:
        self.count += 1
        rows, captions = self.pending, self.captions
        self.pending, self.captions = [], []  # also where they cannot be written
        with atomic_write(_numbered(self.folder, self.count)) as temporary:
            above = ["reference"] if self.head else []
            _drawn([*self.head, *rows], [*above, *captions]).save(temporary)


def check_sheets(folder: Path, rows: int, since: int) -> None:
    """Raise UserError if sheets for `rows` rows would replace a file that is older than `since` (ns)."""
    if folder.exists() and not folder.is_dir():
        raise UserError(f"{folder}, the folder for sample sheets, is a file; choose another --out")
    for number in range(1, -(-rows // ROWS) + 1) if folder.exists() else ():
        path = _numbered(folder, number)
        if os.path.lexists(path) and path.lstat().st_mtime_ns < since:
            why = "exists and was not made with this model, and a sample sheet would replace it"
            raise UserError(f"{path} {why}; choose another --out, or add --overwrite")


def _numbered(folder: Path, number: int) -> Path:
    return folder / f"{number:04}.png"


def _shown(row: Row) -> _Shown:
    return {name: _fitted(_rgb(np.asarray(image, np.float32))) for name, image in row.items()}


def _rgb(image: NDArray[np.float32]) -> NDArray[np.uint8]:
    """(C, H, W) in [-1, 1] -> (H, W, 3) uint8: the first three channels, or the first one as grey."""
    image = image[:3] if len(image) >= 3 else np.repeat(image[:1], 3, axis=0)
    image = np.nan_to_num(image, nan=0)  # grey where a network gives no numbers
    pixels: NDArray[np.uint8] = ((image.clip(-1, 1) + 1) * 127.5).round().astype(np.uint8)
    return pixels.transpose(1, 2, 0)


def _fitted(pixels: NDArray[np.uint8]) -> Image.Image:
    """(H, W, 3) scaled to a longer side from about SMALLEST to LARGEST, aspect ratio preserved."""
    height, width = pixels.shape[:2]
    factor = LARGEST / max(height, width)
    if factor >= 1:
        whole = max(1, SMALLEST // max(height, width))
        return Image.fromarray(pixels.repeat(whole, 0).repeat(whole, 1))
    size = max(1, round(width * factor)), max(1, round(height * factor))
    return Image.fromarray(np.ascontiguousarray(pixels)).resize(size, Image.Resampling.BILINEAR)
