"""Spectral regularisation of any system: one term for every update that tells what it generated."""

from dataclasses import replace

from i2icli.losses.spectral import spectral_loss
from i2icli.nn.spectrum import FEWEST_RINGS, num_rings
from i2icli.system import Update


def with_spectral_term(update: Update, weight: float, cut: float = 0.0) -> Update:
    """The update with `weight` times the spectral loss of each of its fakes; as it is where that is 0.

    Images of fewer than 9 pixels a side have no spectrum to speak of, so that a network that grows begins
    without the term.
    """
    if weight == 0:
        return update
    terms = {
        f"spectrum_{name}" if name else "spectrum": weight * spectral_loss(fake, real, cut)
        for name, (fake, real) in update.fakes.items()
        if num_rings(*fake.shape[-2:]) >= FEWEST_RINGS
    }
    return replace(update, losses=update.losses | terms)
