"""Outputs beside what they should show: scores against the ground truth."""

from collections.abc import Sequence
from dataclasses import dataclass

from i2icli.data.sizes import lies_across
from i2icli.errors import UserError
from i2icli.image import DecodedImage, Item, Pixels, kinds, to_array
from i2icli.task import Port

BEST_PSNR = 100.0  # dB: of images that are equal; infinity is no number in JSON


@dataclass(frozen=True)
class Scores:
    """How near an output is to the ground truth, over the range of its values."""

    psnr: float  # dB, at most BEST_PSNR
    ssim: float

    def __str__(self) -> str:
        return f"PSNR {self.psnr:.2f} dB, SSIM {self.ssim:.3f}"


def read_truth(item: Item, port: Port, like: DecodedImage) -> Pixels:
    """The ground truth of an output (H, W, C), with its channels and size.

    port: of the output. Raises UserError for what cannot be read, or lies on its side.
    """
    pixels, (height, width) = kinds.decode(item, port), like.pixels.shape[:2]
    given = pixels.shape[0], pixels.shape[1]
    if lies_across(given, (height, width)):
        raise UserError(
            f"{item.name} of {given[1]}x{given[0]} px lies on its side against {width}x{height} px; rotate it"
        )
    return kinds.prepare(pixels, port, (height, width))


def score(output: DecodedImage, truth: Pixels) -> Scores:
    """Scores of an output against what `read_truth` gave."""
    import torch  # most translations score nothing

    from i2icli.scores import psnr, ssim

    both = [torch.from_numpy(to_array(pixels))[None] for pixels in (output.pixels, truth)]  # (1, C, H, W)
    decibels = min(float(psnr(both[0], both[1])), BEST_PSNR)
    return Scores(round(decibels, 3), round(float(ssim(both[0], both[1])), 4))


def mean(scores: Sequence[Scores]) -> Scores:
    """The mean of some."""
    count = len(scores)
    return Scores(sum(each.psnr for each in scores) / count, sum(each.ssim for each in scores) / count)
