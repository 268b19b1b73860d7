"""Sample sheets, of training and inference: one row per example, one named column per image."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor
from torch.nn.functional import interpolate

from i2icli.errors import UserError, readable
from i2icli.files import atomic_write

GAP = 4  # pixels between images
TITLE = 18  # pixels for the column names, and for the name of a row
SHEETS = "compare"  # subfolder for the sheets of an inference run
ROWS = 8  # per sheet
SMALLEST, LARGEST = 128, 512  # pixels: range of the longer side of an image on a sheet


Row = dict[str, Tensor]
"""Images (C, H, W) in [-1, 1] by the name of their column."""


def sample_sheet(rows: Sequence[Row], captions: Sequence[str] = ()) -> Image.Image:
    """Draw a sheet; the keys of the first row name the columns. Sizes and channels may differ.

    Large images are downscaled, small ones upscaled by integer factors.
    """
    rows = [{name: _fitted(image) for name, image in row.items()} for row in rows]
    names = list(rows[0])
    font = ImageFont.load_default(12)
    widths = [max(int(font.getlength(name)), *(row[name].shape[-1] for row in rows)) for name in names]
    heights = [max(image.shape[-2] for image in row.values()) for row in rows]
    above = TITLE if any(captions) else 0
    size = (sum(widths) + GAP * (len(names) + 1), TITLE + sum(heights) + (GAP + above) * len(rows))
    sheet = Image.new("RGB", size, "white")
    draw = ImageDraw.Draw(sheet)
    left = GAP
    for name, width in zip(names, widths, strict=True):
        draw.text((left, 2), name, fill="black", font=font)
        top = TITLE + above
        for row, height in zip(rows, heights, strict=True):
            sheet.paste(Image.fromarray(_rgb(row[name])), (left, top))
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

    def __init__(self, folder: Path, rows: int = ROWS) -> None:
        self.folder, self.rows = folder, rows
        self.pending: list[Row] = []
        self.captions: list[str] = []
        self.count = 0

    def add(self, row: Row, caption: str = "") -> None:
        """Add a row; a full sheet is written."""
        self.pending.append({name: _fitted(image) for name, image in row.items()})
        self.captions.append(caption)
        if len(self.pending) == self.rows:
            self._write()

    def close(self) -> None:
        """Write the last, shorter sheet."""
        if self.pending:
            self._write()

    def _write(self) -> None:
        self.count += 1
        write_sample_sheet(_numbered(self.folder, self.count), self.pending, self.captions)
        self.pending, self.captions = [], []


def check_sheets(folder: Path, rows: int, since: int) -> None:
    """Raise UserError if sheets for `rows` rows would replace a file that is older than `since` (ns)."""
    if folder.exists() and not folder.is_dir():
        raise UserError(f"{folder}, the folder for sample sheets, is a file; choose another --out")
    for number in range(1, -(-rows // ROWS) + 1) if folder.exists() else ():
        path = _numbered(folder, number)
        if path.exists() and path.stat().st_mtime_ns < since:
            why = "exists and was not made with this model, and a sample sheet would replace it"
            raise UserError(f"{path} {why}; choose another --out, or add --overwrite")


def _numbered(folder: Path, number: int) -> Path:
    return folder / f"{number:04}.png"


def _rgb(image: Tensor) -> NDArray[np.uint8]:
    """(C, H, W) in [-1, 1] -> (H, W, 3) uint8: the first three channels, or the first one as grey."""
    image = image.detach().float().cpu()
    image = image[:3] if len(image) >= 3 else image[:1].expand(3, -1, -1)
    pixels = ((image.clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8)
    return pixels.permute(1, 2, 0).numpy()  # (H, W, 3)


def _fitted(image: Tensor) -> Tensor:
    """(C, H, W) scaled to a longer side from about SMALLEST to LARGEST, aspect ratio preserved."""
    factor = LARGEST / max(image.shape[-2:])
    if factor >= 1:
        whole = max(1, SMALLEST // max(image.shape[-2:]))
        return image.repeat_interleave(whole, -2).repeat_interleave(whole, -1)  # (C, h, w)
    size = [max(1, round(side * factor)) for side in image.shape[-2:]]
    return interpolate(image[None].float(), size=size, mode="bilinear", antialias=True)[0]  # (C, h, w)
