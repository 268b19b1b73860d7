"""Perceptual loss of any system: one term for every update that provides what it reconstructed."""

from dataclasses import replace

from i2icli.losses.perceptual import PerceptualLoss
from i2icli.runtime.device import Placement
from i2icli.system import Update


class PerceptualTerm:
    """The perceptual term of a run. No checkpoint, moving average or optimiser holds its network."""

    def __init__(self, loss: PerceptualLoss, weight: float, placement: Placement) -> None:
        """Moves the loss's network to the device, in the precision of the run unless it asks for float32."""
        if loss.precise:
            placement = replace(placement, dtype=None)
        placement.prepare_for_inference(loss)
        self.loss, self.weight, self.placement = loss, weight, placement

    def add_to(self, update: Update) -> Update:
        """The update with `weight` times the loss of each of its reconstructions, if it has any."""
        with self.placement.autocast():
            terms = {
                f"perceptual_{name}" if name else "perceptual": self.weight * self.loss(fake, real)
                for name, (fake, real) in update.reconstructed.items()
            }
        return replace(update, losses=update.losses | terms)
