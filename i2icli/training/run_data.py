"""The data of a run: opening it, and batches to train on, validate, show and re-estimate statistics with."""

import os
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from itertools import islice
from pathlib import Path

from i2icli import registry
from i2icli.config import Config, RunOptions
from i2icli.data.examples import DataFolder, Examples
from i2icli.data.loader import batches, validation_batches
from i2icli.data.options import DataOptions
from i2icli.data.validation_split import SPLIT
from i2icli.errors import UserError
from i2icli.fields import completed
from i2icli.image.walking import subfolders_count
from i2icli.stage import Stage
from i2icli.system import Batch
from i2icli.task import ALL, is_all, names_of
from i2icli.training.distributed import rank, world_size
from i2icli.training.validation import Subset

PREVIEWS = 4  # rows of a sample sheet
CALIBRATION = 30  # batches to re-estimate batch norm of averaged networks on, as in NVIDIA's imaginaire


def open_data(
    name: str, data: Sequence[Path], config: Config, options: RunOptions
) -> tuple[DataFolder, Config]:
    """Scan the folders; also the settings completed by what only the data could tell.

    What depends on the settings alone is checked first. Raises UserError for settings that do not suit each
    other or the number of processes, and for data that do not suit the system or these settings.
    """
    _check_batch_size(config, max(options.devices, world_size()))
    cache_bytes = int(options.cache * 2**30)
    data_options = DataOptions.of(config, strict=options.strict, cache_bytes=cache_bytes)
    with subfolders_count(config.recursive):
        folder = registry.system_type(name).open_data([Path(each) for each in data], data_options, config)
    steps = config.total_steps(len(folder.train()))
    complete = completed(config, folder.settings | {"steps": steps})
    targets = names_of(complete.tasks(complete.stages()[-1]))
    hidden = [target for target in targets if is_all(target)]
    if hidden:
        raise UserError(f"a target is called {hidden[0]!r}, but --to {ALL} asks for all of them; rename it")
    return folder, complete


def _check_batch_size(config: Config, processes: int) -> None:
    """Raise UserError if batches cannot be shared by the processes, or leave them too few images each."""
    size, smallest = config.batch_size, config.smallest_batch
    if size % processes:
        raise UserError(
            f"--batch-size {size} cannot be split among {processes} processes; use a multiple of {processes}"
        )
    if size // processes < smallest:
        split = f" over {processes} processes" if processes > 1 else ""
        raise UserError(
            f"--batch-size {size}{split}: these settings need at least {smallest} images per batch and "
            f"process; use --batch-size {smallest * processes} or more"
        )


def counts_of(folder: DataFolder, options: RunOptions) -> dict[str, int | bool]:
    """How many examples a run learns from and is scored on, and whether these were split off from those.

    An example is what a step reads: a pair, an image of each collection, a clip.
    """
    training, validation = folder.train(), folder.validation()
    held = 0 if validation is None else len(validation)
    return {
        "training": len(training),
        "validation": held,
        "scored": min(held or len(training), options.validate_images),
        "split_off": any(line.startswith(SPLIT) for line in folder.report),
    }


class RunData:
    """The batches of a data folder, stage by stage."""

    def __init__(self, folder: DataFolder, config: Config, options: RunOptions, *, pin: bool = False) -> None:
        """pin: copy batches to pinned memory first, for a GPU."""
        self.folder, self.config, self.options, self.pin = folder, config, options, pin
        self.workers = workers(options)

    def training(self, stage: Stage, start: int = 0) -> Generator[Batch, None, None]:
        """This process's part of the batches, endless, from batch number `start` on."""
        return batches(
            self.folder.train(stage.shape),
            batch_size=stage.batch_size or self.config.batch_size,
            seed=self.config.seed,
            start=start,
            rank=rank(),
            world=world_size(),
            accumulate=self.config.accumulate,
            workers=self.workers,
            pin=self.pin,
        )

    def training_alone(self, stage: Stage, size: int) -> Generator[Batch, None, None]:
        """Training batches of `size` from the first on, endless, for this process alone."""
        examples = self.folder.train(stage.shape)
        return batches(examples, batch_size=size, seed=self.config.seed, workers=self.workers)

    def calibration(self, stage: Stage) -> Generator[Batch, None, None]:
        """The first training batches, of full size, the same each time; a clip has one for each frame."""
        count = -(-CALIBRATION // (stage.clip_length or 1))
        with closing(self.training_alone(stage, stage.batch_size or self.config.batch_size)) as endless:
            yield from islice(endless, count)

    def validation(self, stage: Stage) -> Iterator[Batch]:
        """The validation images, one by one; empty if there are none."""
        examples = self.folder.validation(stage.shape)
        return iter(()) if examples is None else self._in_order(examples, self.options.validate_images)

    def training_subset(self, stage: Stage) -> Generator[Batch, None, None]:
        """As many training images as are validated, evenly spread, without augmentation."""
        return self._in_order(self.folder.train(stage.shape), self.options.validate_images)

    def previews(self, stage: Stage) -> Iterator[Batch]:
        """The examples of the sample sheets."""
        examples = self.folder.validation(stage.shape) or self.folder.train(stage.shape)
        return self._in_order(examples, PREVIEWS)

    def all_training(self, stage: Stage) -> Generator[Batch, None, None]:
        """Every training image once, without augmentation."""
        return validation_batches(self.folder.train(stage.shape), batch_size=1, workers=self.workers)

    def _in_order(self, examples: Examples, count: int) -> Generator[Batch, None, None]:
        return validation_batches(Subset(examples, count), batch_size=1, workers=self.workers)


def workers(options: RunOptions) -> int:
    """Number of data-loading threads: as set, otherwise one per processor, at most 8."""
    return options.workers if options.workers is not None else min(8, os.cpu_count() or 1)
