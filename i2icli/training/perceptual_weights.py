"""The weights of the perceptual loss's network: found before a run begins, and read."""

from collections.abc import Callable
from pathlib import Path

from i2icli.backbones.catalogue import BACKBONES, Download
from i2icli.backbones.weights import cached, fetch_weights, find_weights, read_weights
from i2icli.config import Config, RunOptions
from i2icli.errors import UserError
from i2icli.losses.perceptual import PerceptualLoss


def fetch_perceptual(config: Config, options: RunOptions, note: Callable[[str], None]) -> Path | None:
    """The file of the weights that settings ask for, downloaded if it has to be; None if they ask for none.

    Quick unless it downloads: called before the data is scanned. Raises UserError with the ways out.
    """
    _check_used(config, options)
    if not config.has_perceptual_loss:
        return None
    return fetch_weights(BACKBONES[config.perceptual], options.perceptual_file, note)


def perceptual_notes(config: Config, options: RunOptions) -> list[str]:
    """What a plan says of the weights; it downloads nothing. Raises UserError if there can be none."""
    _check_used(config, options)
    if not config.has_perceptual_loss:
        return []
    backbone = BACKBONES[config.perceptual]
    path = find_weights(backbone, options.perceptual_file)
    if path is not None:
        return [f"perceptual loss: {backbone.name}, weights in {path}"]
    assert isinstance(backbone.published, Download)
    size = f"{backbone.published.size / 1e6:,.0f} MB"
    folder = cached(backbone.published).parent
    return [f"perceptual loss: {backbone.name}; training downloads its weights ({size}) to {folder} first"]


def load_perceptual(config: Config, path: Path | None) -> tuple[PerceptualLoss | None, str | None]:
    """The loss with the weights of a file from `fetch_perceptual`, and which weights these are."""
    if path is None:
        return None, None
    backbone = BACKBONES[config.perceptual]
    network, source = read_weights(backbone, path)
    return backbone.loss(network), source


def _check_used(config: Config, options: RunOptions) -> None:
    if options.perceptual_file is not None and not config.has_perceptual_loss:
        raise UserError(
            f"--perceptual-file {options.perceptual_file}: without a perceptual loss nothing reads it; add "
            "--perceptual-weight, or leave it out"
        )
