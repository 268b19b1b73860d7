"""Examples of reference-style tasks: a bare image, a styled one, a synthetic transfer of the style."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from i2icli.data.examples import Example, Examples
from i2icli.data.kinds.colour_statistics import with_colours_of
from i2icli.data.kinds.style_names import Comparison
from i2icli.data.preprocess import Crop
from i2icli.data.scan import ReadSpec, partners
from i2icli.face import (
    Points,
    Triangles,
    blank,
    points_in,
    region_box,
    synthetic_transfer,
    triangulate,
)
from i2icli.image import FileItem, Pixels, resize, to_tensor


@dataclass(frozen=True)
class StyledFile:
    """An image and, where they are needed, the landmarks of its face."""

    file: FileItem
    key: str  # its path below its folder, without suffix
    face: Points | None = None  # (N, 2), from 0 to 1 across the image


@dataclass(frozen=True)
class Cropped:
    """An image, or a crop of one."""

    pixels: Pixels  # (H, W, C)
    points: Points  # its landmarks, in pixels; (0, 2) if there are none
    triangles: Triangles  # between them

    @property
    def image(self) -> Tensor:
        """(C, H, W) in [-1, 1]."""
        return to_tensor(self.pixels)

    def crop(self, crop: Crop) -> "Cropped":
        """A part of it, possibly flipped."""
        points = self.points - np.array([crop.left, crop.top], np.float32)
        if crop.flipped:
            points = points * np.array([-1, 1], np.float32) + np.array([crop.width, 0], np.float32)
        return Cropped(crop.crop(self.pixels), points, self.triangles)


class StyledReader:
    """The prepared images of one collection, by index."""

    def __init__(self, files: Sequence[StyledFile], spec: ReadSpec) -> None:
        self.files = files
        self.spec = spec
        self.cache = spec.cache(len(files), self._load)

    def __len__(self) -> int:
        return len(self.files)

    def get(self, index: int) -> Cropped:
        """A whole image. Raises UserError if none can be read."""
        return Cropped(*self.cache.get(index))

    def _load(self, index: int) -> tuple[Pixels, ...]:
        # All together, as a broken image is replaced by another one with a face of its own.
        each = self.files[index]
        pixels = self.spec.prepared(each.file)
        if each.face is None:
            return pixels, np.zeros((0, 2), np.float32), np.zeros((0, 3), int)
        points = each.face * np.array([pixels.shape[1], pixels.shape[0]], np.float32)
        return pixels, points, triangulate(points)


class StyledExamples(Examples):
    """ "bare", "styled" and, if wanted, "synthetic": (C, H, W) in [-1, 1].

    In validation also "truth_bare" and "truth_styled" where they are known. With regions each of the
    three for every region instead, such as "bare_lips".
    """

    def __init__(
        self,
        bare: StyledReader,
        styled: StyledReader,
        *,
        synthetic: str,
        regions: tuple[str, ...] = (),
        region_size: int = 0,
        comparisons: Sequence[Comparison] | None = None,
    ) -> None:
        """synthetic: landmarks or colour, else there is none; comparisons: for validation, None: training."""
        self.bare = bare
        self.styled = styled
        self.synthetic = synthetic
        self.regions = regions
        self.region_size = region_size
        self.comparisons = comparisons
        self.faces = synthetic == "landmarks" or bool(regions)

    def __len__(self) -> int:
        return max(len(self.bare), len(self.styled)) if self.comparisons is None else len(self.comparisons)

    def get(self, index: int, rng: np.random.Generator | None) -> Example:
        """The index walks the larger collection, `rng` draws the partner; or it is that of a comparison."""
        if self.comparisons is not None:
            return self._compared(self.comparisons[index])
        return self._example(*partners(index, (len(self.bare), len(self.styled)), rng), rng)

    def _compared(self, known: Comparison) -> Example:
        example = self._example(known.bare, known.styled, None)
        if self.regions:
            return example
        if known.truth_bare is not None:
            example["truth_bare"] = self._cropped(self.bare, known.truth_bare, None).image
        if known.truth_styled is not None:
            example["truth_styled"] = self._cropped(self.styled, known.truth_styled, None).image
        return example

    def _example(self, bare: int, styled: int, rng: np.random.Generator | None) -> Example:
        # Landmarks of flipped faces are those of the other side, so either both are flipped or none.
        flipped = (
            None if rng is None or not self.faces else self.bare.spec.preprocess.flip and rng.random() < 0.5
        )
        x = self._cropped(self.bare, bare, rng, flipped)
        y = self._cropped(self.styled, styled, rng, flipped)
        W = self._synthetic(x, y) if self.synthetic in ("colour", "landmarks") else None
        whole = {"bare": (x.image, x.points), "styled": (y.image, y.points)}
        if W is not None:
            whole["synthetic"] = (W, x.points)
        if not self.regions:
            return {name: image for name, (image, _) in whole.items()}
        return {
            f"{name}_{region}": self._region(image, points, region)
            for region in self.regions
            for name, (image, points) in whole.items()
        }

    def _cropped(
        self, reader: StyledReader, index: int, rng: np.random.Generator | None, flipped: bool | None = None
    ) -> Cropped:
        """A crop, drawn by `rng`; the whole image where regions are cropped from it later."""
        whole = reader.get(index)
        height, width = whole.pixels.shape[:2]
        crop = Crop(0, 0, height, width, False)
        if not self.regions:
            crop = reader.spec.preprocess.window((height, width), rng)
        return whole.crop(crop if flipped is None else crop._replace(flipped=flipped))

    def _synthetic(self, x: Cropped, y: Cropped) -> Tensor:
        """W(x, y), which the style discriminator treats as a real transfer: (C, H, W)."""
        bare, styled = x.image.numpy(), y.image.numpy()
        if self.synthetic == "colour":
            return torch.from_numpy(with_colours_of(bare, styled))
        made = synthetic_transfer(
            bare.transpose(1, 2, 0), x.points, styled.transpose(1, 2, 0), y.points, x.triangles
        )  # (H, W, C)
        return torch.from_numpy(np.ascontiguousarray(made.transpose(2, 0, 1)))

    def _region(self, image: Tensor, points: Points, region: str) -> Tensor:
        """(C, H, W) -> (C, region_size, region_size): a crop of a region, grey where other regions are."""
        values = image.numpy()
        box = region_box(points, region, (values.shape[1], values.shape[2]))
        size = (self.region_size, self.region_size)
        inside = values[:, box.top : box.top + box.height, box.left : box.left + box.width]  # (C, h, w)
        square = resize(inside.transpose(1, 2, 0), size).copy()  # (size, size, C)
        square[blank(points_in(points, box, size), region, size)] = 0
        return torch.from_numpy(np.ascontiguousarray(square.transpose(2, 0, 1)))
