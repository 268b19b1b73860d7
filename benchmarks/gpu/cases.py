"""What is run of each system: toy data, and settings with which a GPU has something to do."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from i2icli.config import Config, RunOptions
from i2icli.data.examples import DataFolder
from i2icli.demo.toy.digits import write_digits
from i2icli.demo.toy.domains import write_domains
from i2icli.demo.toy.films import write_films
from i2icli.demo.toy.label_scenes import write_label_scenes
from i2icli.demo.toy.landscapes import write_landscapes
from i2icli.demo.toy.makeup import write_makeup
from i2icli.demo.toy.scenes import write_paired, write_unpaired
from i2icli.demo.toy.sprites import write_sprites
from i2icli.demo.toy.styles import write_styles
from i2icli.registry import config_type
from i2icli.system import Batch
from i2icli.training.run_data import RunData, open_data

SHARED: dict[str, Any] = {
    "steps": 4,
    "precision": "fp32",
    "holdout": 0.0,
    "flip": False,
    "perceptual": "off",
}
TRAIN, TEST = 8, 2  # images, or clips
FRAMES = 8  # of a clip


@dataclass(frozen=True)
class Kind:
    """The toy data of a system, and its settings at a size that loads a GPU."""

    write: Callable[..., None]
    settings: dict[str, Any]
    part: str = "."  # the subfolder of what is written that is learned from


def _write_clips(folder: Path, train: int, test: int, size: int) -> None:
    write_films(folder, train, test, FRAMES, size)


KINDS: dict[str, Kind] = {
    "spectral_dcgan": Kind(write_sprites, {"crop_size": 64, "width": 32, "num_latents": 64, "batch_size": 8}),
    "lapgan": Kind(
        write_landscapes,
        {"crop_size": 64, "width": 32, "discriminator_width": 32, "batch_size": 8, "lr": 1e-3},
    ),
    "dtn": Kind(
        write_digits,
        {
            "crop_size": 32,
            "width": 32,
            "generator_width": 32,
            "discriminator_width": 32,
            "batch_size": 8,
            "feature_steps": 1,
        },
    ),
    "pix2pix": Kind(
        write_paired, {"crop_size": 128, "width": 32, "discriminator_width": 32, "batch_size": 2}
    ),
    "progan": Kind(
        write_sprites,
        {
            "crop_size": 64,
            "start_size": 32,
            "width": 64,
            "num_latents": 64,
            "batch_size": 8,
            "stage_images": 8,
            "fade_images": 8,
        },
    ),
    "augmented_cyclegan": Kind(
        write_styles, {"crop_size": 64, "width": 32, "batch_size": 4, "supervised_fraction": 0.5}
    ),
    "stargan": Kind(
        write_domains,
        {
            "crop_size": 64,
            "width": 32,
            "discriminator_width": 32,
            "num_layers": 4,
            "critic_steps": 1,
            "batch_size": 4,
        },
    ),
    "spade": Kind(
        write_label_scenes,
        {"crop_size": 128, "width": 16, "modulation_width": 32, "discriminator_width": 32, "batch_size": 4},
    ),
    "pix2pixhd": Kind(
        write_label_scenes, {"crop_size": 128, "width": 32, "discriminator_width": 32, "batch_size": 2}
    ),
    "vid2vid": Kind(
        _write_clips,
        {"crop_size": 64, "width": 32, "discriminator_width": 32, "clip_length": 5, "clip_doublings": 0},
        part="films",
    ),
    "cyclegan": Kind(
        write_unpaired, {"crop_size": 128, "width": 32, "discriminator_width": 32, "num_blocks": 6}
    ),
    "combogan": Kind(
        write_domains, {"crop_size": 64, "width": 32, "discriminator_width": 32, "num_blocks": 6}
    ),
    "paired_cyclegan": Kind(
        write_makeup, {"crop_size": 64, "width": 16, "discriminator_width": 32, "synthetic": "colour"}
    ),
}
"""Those with the shortest steps first."""


class Case:
    """One system with its data, completed settings and a few batches."""

    def __init__(self, name: str, work: Path, *, quick: bool = False) -> None:
        """work: a folder for toy data; quick: the tiny networks of the tests."""
        self.name = name
        self.settings = _tiny(name) if quick else SHARED | KINDS[name].settings
        written = work / f"data-{name}"
        if not written.exists():
            KINDS[name].write(written, train=TRAIN, test=TEST, size=self.settings["crop_size"])
        self.folder = written / KINDS[name].part
        self.data, self.config = self.opened()

    def opened(self, **changes: Any) -> tuple[DataFolder, Config]:
        """The data, and the settings as training completes them, some of them changed."""
        config = config_type(self.name).model_validate(self.settings | changes)
        return open_data(self.name, [self.folder], config, RunOptions())

    def batches(self, count: int, *, pin: bool = False) -> list[Batch]:
        """The first batches of the last stage, through the loader."""
        data = RunData(self.data, self.config, RunOptions(workers=2), pin=pin)
        endless = data.training(self.config.stages()[-1])
        try:
            return [next(endless) for _ in range(count)]
        finally:
            endless.close()


def _tiny(name: str) -> dict[str, Any]:
    from tests.tiny import SHARED as TINIEST
    from tests.tiny import TINY

    found = SHARED | TINIEST | TINY[name]
    return {key: value for key, value in found.items() if key not in {"domains", "classes"}}
