"""Spectral regularisation of any system: one term for every update that tells what it generated."""

from dataclasses import dataclass, replace
from typing import Self

from i2icli.config import Config, SpectralOf
from i2icli.losses.spectral import mean_spectral_loss, spectral_loss
from i2icli.nn.spectrum import FEWEST_RINGS, num_rings
from i2icli.system import Update

LOSSES = {"image": spectral_loss, "batch": mean_spectral_loss}


@dataclass(frozen=True)
class SpectralTerm:
    """The term as the settings want it; none by default."""

    weight: float = 0.0
    cut: float = 0.0
    of: SpectralOf = "image"

    @classmethod
    def wanted(cls, config: Config) -> Self:
        """The term that a run's settings ask for."""
        return cls(config.spectral_weight, config.spectral_cut, config.spectral_of)

    def added(self, update: Update) -> Update:
        """The update with `weight` times the spectral loss of each of its fakes; as it is where that is 0.

        Images of fewer than 9 pixels a side have no spectrum to speak of, so that a network that grows begins
        without the term.
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
