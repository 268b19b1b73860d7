"""Preview grids: one row per example, one named column per image."""

from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from i2icli.files import written_beside

GAP = 4  # pixels between images
TITLE = 18  # pixels for the column names


def sample_sheet(columns: dict[str, Tensor]) -> Image.Image:
    """A sheet of images (B, C, H, W) in [-1, 1]; columns may differ in size and channels."""
    rows = min(len(images) for images in columns.values())
    widths = [images.shape[-1] for images in columns.values()]
    height = max(images.shape[-2] for images in columns.values())
    sheet = Image.new("RGB", (sum(widths) + GAP * (len(widths) + 1), TITLE + rows * (height + GAP)), "white")
    draw = ImageDraw.Draw(sheet)
    left = GAP
    for (name, images), width in zip(columns.items(), widths, strict=True):
        draw.text((left, 2), name, fill="black", font=ImageFont.load_default(12))
        for row in range(rows):
            sheet.paste(Image.fromarray(_rgb(images[row])), (left, TITLE + row * (height + GAP)))
        left += width + GAP
    return sheet


def write_sample_sheet(path: Path, columns: dict[str, Tensor]) -> None:
    """Write a sheet as PNG."""
    with written_beside(path) as beside:
        sample_sheet(columns).save(beside)


def _rgb(image: Tensor) -> np.ndarray:
    """(C, H, W) in [-1, 1] -> (H, W, 3) uint8; other channel counts show their first three or repeat one."""
    image = image.detach().float().cpu()
    image = image[:3] if len(image) >= 3 else image[:1].expand(3, -1, -1)
    pixels: np.ndarray = ((image.clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8).permute(1, 2, 0).numpy()
    return pixels  # (H, W, 3)
