"""What losses measure, a sentence each: for the legends of systems, which say the same of the same loss."""

from collections.abc import Mapping
from fnmatch import fnmatchcase

GAN_OF_G = (
    "How far the outputs are from passing for real images; it goes up and down as the discriminator "
    "learns too, and need not fall."
)
GAN_OF_D = (
    "How far the discriminator is from telling real images and outputs apart; if it stays at its lowest, "
    "the generator has lost touch."
)
CRITIC_OF_G = (
    "The critic's score of samples, turned round; it drifts with the critic, so its level alone says little."
)
CRITIC = "Distance between samples and real images as the critic sees it, negative with wgangp; it nears 0."
CYCLE = "Difference between images and themselves after translation there and back; it falls."
PENALTY = "Gradient penalty: how far the slope of the discriminator is from 1; it should stay small."
MATCHING = (
    "Difference between the discriminator's features of outputs and of real images; it falls as details "
    "come to match."
)
OF_ENGINE = {
    "*/spectrum*": "Difference between the power spectra of outputs and of real images; it falls.",
    "*/perceptual*": "Difference between outputs and what they should show, in features of a network.",
}
"""What the engine adds to the losses of any system."""


def explanation(legend: Mapping[str, str], name: str) -> str | None:
    """The sentence about a loss "optimiser/name": of the first pattern of a legend that it fits."""
    patterns = {**legend, **OF_ENGINE}
    return next((text for pattern, text in patterns.items() if fnmatchcase(name, pattern)), None)
