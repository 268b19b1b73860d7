"""Which pages of a TIFF file make up its images: channels, z-stacks, time series, pyramids, previews."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from i2icli.image.decoded import ImageError
from i2icli.reading import PAGES_AS_CHANNELS, PAGES_AS_IMAGES, Reading

if TYPE_CHECKING:
    from tifffile import TiffFile, TiffPage, TiffPageSeries

_CHANNELS = "C"  # the axis of pages that are the channels of one image
_NAMES = {"Z": "z-stack", "T": "time series"}
_MOST = 1_000_000  # images in a file


@dataclass(frozen=True)
class PageImage:
    """One image of a file: the pages that hold its channels, one after another."""

    series: "TiffPageSeries"
    planes: tuple[int, ...]  # their numbers in the series

    @property
    def page(self) -> "TiffPage":
        """The page that says what its pixels are; of several what they have in common."""
        key = self.series.keyframe
        found: Any = None if _is_bare(self.series) else self.series[self.planes[0]]
        if len(self.planes) > 1 or found is None or found is key:
            return key
        own: TiffPage = found.aspage() if hasattr(found, "aspage") else found  # it may have its own palette
        return own

    @property
    def samples(self) -> int:
        """Values per pixel, of all pages."""
        return self.series.keyframe.samplesperpixel * len(self.planes)

    def pages(self) -> "Iterator[TiffPage]":
        """The pages themselves, of those that are described."""
        for number in () if _is_bare(self.series) else self.planes:
            page = self.series[number]
            if page is not None:
                yield page.aspage()

    def arrays(self) -> Iterator[NDArray[Any]]:
        """The pages as they are stored, shaped as `page.axes` says. Raises ImageError."""
        for number in self.planes:
            if _is_bare(self.series):
                yield _bare_plane(self.series, number)
                continue
            page = self.series[number]
            if page is None:
                raise ImageError("a page of it is missing, as those in other files are")
            yield page.asarray()


def images_in(file: "TiffFile") -> list[PageImage]:
    """The images of a file, without previews, masks and the smaller levels of pyramids. Raises ImageError."""
    everything = _series_in(file)
    series = [each for each in everything if not each.keyframe.subfiletype & 5] or everything[:1]
    if not series:
        raise ImageError("holds no image")
    if len(series) == 1 and len(file.pages) == 1 and not _is_bare(series[0]):
        images = [PageImage(series[0], (0,))]
    else:
        images = [image for each in series for image in _images_of(each)]
    announced = (file.imagej_metadata or {}).get("images", 1) if file.is_imagej else 1
    if isinstance(announced, int) and announced > sum(len(image.planes) for image in images):
        raise ImageError(f"damaged or truncated (ImageJ wrote {announced} pages, {len(images)} are there)")
    return images


def chosen(file: "TiffFile", reading: Reading) -> list[PageImage]:
    """The images whose channels are read as those of one. Raises ImageError that names the choices."""
    images = images_in(file)
    if reading.page is not None:
        if reading.page > len(images):
            raise ImageError(f"{_contents(file, images)}; there is no page {reading.page} (--pages)")
        return [images[reading.page - 1]]
    if len(images) == 1 or reading.pages == PAGES_AS_CHANNELS:
        if len({(each.page.imagelength, each.page.imagewidth, each.page.dtype) for each in images}) > 1:
            raise ImageError(
                f"{_contents(file, images)} of different sizes or types, which are not the channels of one"
            )
        return images
    found = _contents(file, images)
    if reading.pages == PAGES_AS_IMAGES:
        raise ImageError(f"{found}; give the number of the one that is meant (--pages N)")
    raise ImageError(
        f"{found}; add --pages channels (one image), --pages images (each its own) or --pages N (one of them)"
    )


def _series_in(file: "TiffFile") -> "Sequence[TiffPageSeries]":
    """What belongs together; every page alone where the text that should tell cannot be understood."""
    try:
        return file.series
    except Exception:  # as odd as what is in the file
        from tifffile import TiffPageSeries

        pages = [page.aspage() for page in file.pages]
        return [TiffPageSeries([page], page.shape, page.dtype, page.axes, parent=file) for page in pages]


def _images_of(series: "TiffPageSeries") -> Iterator[PageImage]:
    """The images of a series: for every position on the other axes, the pages of all channels."""
    inside = len(series.keyframe.axes)
    axes, shape = series.axes[:-inside], series.shape[:-inside]
    if prod(shape) > _MOST:
        raise ImageError(f"{prod(shape):,} pages; expected at most {_MOST:,}")
    if series.axes[-inside:] != series.keyframe.axes or (len(series) < prod(shape) and not _is_bare(series)):
        axes, shape = "I", (len(series),)
    others = [number for number, axis in enumerate(axes) if axis != _CHANNELS]
    numbers = np.arange(prod(shape)).reshape(shape)
    numbers = np.transpose(numbers, [*others, *(n for n in range(len(axes)) if n not in others)])
    sides = [shape[number] for number in others]
    for position in product(*map(range, sides)):
        yield PageImage(series, tuple(int(each) for each in np.ravel(numbers[position])))


def _contents(file: "TiffFile", images: Sequence[PageImage]) -> str:
    """What a file holds, in words: a z-stack of 5 planes."""
    series = {id(each.series): each.series for each in images}
    first, count = images[0].series, len(images)
    axes = first.axes[: -len(first.keyframe.axes)]
    named = [_NAMES[axis] for axis in axes if axis in _NAMES] if len(series) == 1 else []
    each = f" of {images[0].samples} channels each" if len(images[0].planes) > 1 < count else ""
    if len(named) == 1 and count > 1:
        return f"a {named[0]} of {count} {'planes' if 'Z' in axes else 'frames'}{each}"
    if named and count > 1:
        return f"a time series of z-stacks, {count} planes{each}"
    kind = "pages" if len(series) == 1 or not file.is_ome else "images (series)"
    return f"{count} {'page' if count == 1 else kind}{each}"


def _is_bare(series: "TiffPageSeries") -> bool:
    """Whether only the first page is described, and the others lie behind it, as ImageJ writes them."""
    parent, count = series.parent, _pages_of(series)
    if parent is None or count == 1 or series.dataoffset is None:
        return False
    return len(series) < count or len(parent.pages) < len(series)


def _pages_of(series: "TiffPageSeries") -> int:
    """How many pages its shape has."""
    return prod(series.shape) // max(1, prod(series.keyframe.shape))


def _bare_plane(series: "TiffPageSeries", number: int) -> NDArray[Any]:
    """A page that lies behind the first. Raises ImageError."""
    offset, key, parent = series.dataoffset, series.keyframe, series.parent
    if offset is None or parent is None:
        raise ImageError("damaged or truncated (pages that are not described)")
    start = offset + number * key.nbytes
    handle = parent.filehandle
    if start + key.nbytes > handle.size:
        raise ImageError("damaged or truncated (it ends before its last page)")
    handle.seek(start)
    stored = np.dtype(parent.byteorder + series.dtype.char)
    return np.frombuffer(handle.read(key.nbytes), stored).reshape(key.shape)
