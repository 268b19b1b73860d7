"""Spectral regularisation of any system: one term for every update that provides its fakes."""

from dataclasses import dataclass, replace
from typing import Self

from i2icli.config import Config, SpectralOf
from i2icli.losses.spectral import mean_spectral_loss, spectral_loss
from i2icli.nn.spectrum import FEWEST_RINGS, num_rings
from i2icli.system import Update

LOSSES = {"image": spectral_loss, "batch": mean_spectral_loss}


@dataclass(frozen=True)
class SpectralTerm:
    """The spectral term of a run; none by default."""

    weight: float = 0.0
    cut: float = 0.0
    of: SpectralOf = "image"

    @classmethod
    def from_config(cls, config: Config) -> Self:
        """The term configured by a run's settings."""
        return cls(config.spectral_weight, config.spectral_cut, config.spectral_of)

    def add_to(self, update: Update) -> Update:
        """The update with `weight` times the spectral loss of each of its fakes; unchanged if that is 0.

        Images with sides of less than 9 pixels are skipped, so growing networks start without the term.
        """
        if self.weight == 0:
            return update
        loss = LOSSES[self.of]
        terms = {
            f"spectrum_{name}" if name else "spectrum": self.weight * loss(fake, real, self.cut)
            for name, (fake, real) in update.fakes.items()
            if num_rings(*fake.shape[-2:]) >= FEWEST_RINGS
        }
        return replace(update, losses=update.losses | terms)
