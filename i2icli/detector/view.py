"""An image as the detector sees it: every measurement is made once, when it is first asked for."""

from functools import cached_property

from torch import Tensor

from i2icli.detector.lattice import maps
from i2icli.detector.peaks import log_spectrum
from i2icli.detector.resampling import Resampling, detect_resampling
from i2icli.detector.residual import high_pass, planes, tiles
from i2icli.image import Pixels


class View:
    """An image (H, W, 1 or 3) of any dtype; what is measured needs sides of at least `residual.SMALLEST`."""

    def __init__(self, pixels: Pixels) -> None:
        self.pixels = pixels

    @cached_property
    def planes(self) -> list[Tensor]:
        """Luminance and two colour differences of each tile: (3, H, W) in 0..255."""
        return [planes(tile) for tile in tiles(self.pixels)]

    @cached_property
    def residuals(self) -> list[Tensor]:
        """Their fine detail, (3, H, W) each."""
        return [high_pass(each) for each in self.planes]

    @cached_property
    def maps(self) -> list[tuple[Tensor, Tensor]]:
        """Of each residual, where a lattice is looked for: its values and its sharpness, (3, H, W) both."""
        return [maps(each) for each in self.residuals]

    @cached_property
    def spectrum(self) -> Tensor:
        """The mean log power of windows of the residuals, (3, 64, 33)."""
        return log_spectrum(self.residuals)

    @cached_property
    def resampling(self) -> Resampling:
        """The strongest period of sharpness in luminance."""
        return detect_resampling([each[0] for each in self.planes])
