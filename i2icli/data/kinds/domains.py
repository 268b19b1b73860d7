"""Images of two of many domains, drawn anew for every step: for ComboGAN."""

from collections.abc import Sequence
from itertools import combinations
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
import torch

from i2icli.data.describe import counted
from i2icli.data.examples import DataFolder, Example, Examples
from i2icli.data.images import ImageFile, refuse_mixed_sizes
from i2icli.data.kinds.domain_folders import DOMAINS_EXAMPLE, recognise_domains
from i2icli.data.preprocess import Preprocess
from i2icli.data.scan import (
    ImageReader,
    ReadSpec,
    common_channels,
    memory_needed,
    scan,
    transparency_lines,
)
from i2icli.data.validation_split import TOO_FEW, split_each
from i2icli.errors import UserError, one_of
from i2icli.image.finding import Collection

_VALIDATED = 100  # validation examples, unless there are more pairs of domains

Files = list[ImageFile]


@runtime_checkable
class Learning(Protocol):
    """Settings that name the domains, and those of them that are learned."""

    @property
    def domains(self) -> tuple[str, ...]: ...

    @property
    def learn(self) -> tuple[str, ...]: ...


class DomainImages(DataFolder):
    """A folder of images per domain.

    Examples: "A" and "B", (C, H, W) in [-1, 1], an image each of two domains, and "pair", (2,) int64, the
    numbers of these domains: the same for all examples of a step. Validation examples of one scene in
    both domains carry "truth", a true value.
    """

    def look(self, folders: Sequence[Path]) -> None:
        """See `DataFolder.look`."""
        found = recognise_domains(folders, self._chosen)
        self.names = found.names
        self.files = [self._files(collection) for collection in found.train]
        listed = ", ".join(
            f"{name} {len(files):,}" for name, files in zip(self.names, self.files, strict=True)
        )
        self.report.insert(0, f"{len(self.names)} domains, images to train on: {listed}")
        self.truth = False
        self.held_out: list[Files] = []
        if found.validation is not None:
            self._take_validation(found.validation)
        else:
            self._hold_out()
        preprocess = Preprocess.of(self.config)
        everything = [file for files in self.files for file in files]
        sizes = [preprocess.example_size(file.header.size) for file in everything]
        refuse_mixed_sizes(everything, sizes, self.config.batch_size)
        self.channels = common_channels([*self.files, *self.held_out], self.config.channels)
        self.settings = {"channels": (self.channels,), "domains": self.names}
        self.learned = self._learned()
        self.report += transparency_lines(self.files)
        channels = [self.channels] * len(self.names)
        self.plan_cache(memory_needed(self.files, self.held_out, channels, preprocess))

    def make(self, resolution: int | None) -> tuple[Examples, Examples | None]:
        """See `DataFolder.make`. For training so many that every image is shown once, on average: two are
        in each; for validation some for every two domains.
        """
        preprocess = Preprocess.of(self.config, resolution)
        pairs = [pair for pair in combinations(range(len(self.names)), 2) if self.learned & set(pair)]
        train = DomainPairs(self._sources(self.files, preprocess), pairs)
        if not self.held_out:
            return train, None
        sources = self._sources(self.held_out, preprocess.for_validation())
        return train, ValidationPairs(sources, pairs, truth=self.truth)

    def _sources(self, collections: list[Files], preprocess: Preprocess) -> list[ImageReader]:
        reading = ReadSpec(self.channels, preprocess, self.cached, self.strict)
        return [ImageReader(files, reading) for files in collections]

    # -- looking at the folders ----------------------------------------------------------

    def _chosen(self, found: tuple[str, ...]) -> tuple[str, ...]:
        """The domains to use; all of those found, unless the user named some."""
        if not isinstance(self.config, Learning) or "domains" not in self.config.model_fields_set:
            return found
        return tuple(self._known(name, found, "domains") for name in self.config.domains)

    @staticmethod
    def _known(name: str, known: Sequence[str], option: str) -> str:
        try:
            return one_of(name, known, "domain")
        except UserError:
            raise UserError(
                f"--{option} {name}: there is no such domain in the data; found {', '.join(known)}"
            ) from None

    def _learned(self) -> set[int]:
        """The numbers of the domains that are learned; pairs of two others teach nothing."""
        if not isinstance(self.config, Learning) or not self.config.learn:
            return set(range(len(self.names)))
        learn = tuple(self._known(name, self.names, "learn") for name in self.config.learn)
        self.report.append(
            f"only {', '.join(learn)} learned, beside each of the others, which stay as they are"
        )
        self.settings["learn"] = learn  # as the folders spell them
        return {self.names.index(name) for name in learn}

    def _files(self, collection: Collection) -> Files:
        files, lines = scan(collection, strict=self.strict, expected=DOMAINS_EXAMPLE)
        self.report += lines
        return files

    def _take_validation(self, collections: Sequence[Collection]) -> None:
        """Read the validation folders; names that all domains have in equal sizes are the same scenes."""
        self.held_out = [self._files(collection) for collection in collections]
        counts = ", ".join(
            f"{name} {len(files):,}" for name, files in zip(self.names, self.held_out, strict=True)
        )
        by_name = [
            {collection.key(file.path): file for file in files}
            for collection, files in zip(collections, self.held_out, strict=True)
        ]
        first, *others = by_name
        common = [
            key
            for key, file in first.items()
            if all(key in other and other[key].header.size == file.header.size for other in others)
        ]
        if common:
            self.truth = True
            self.held_out = [[files[key] for key in common] for files in by_name]
            self.report.append(
                f"validation: {counts}; {counted(len(common), 'name')} in all domains, so the same scenes: "
                "scored against each other"
            )
        else:
            self.report.append(f"validation: {counts}; other names, so other scenes: shown, not scored")

    def _hold_out(self) -> None:
        split = split_each(self.files, self.config)
        if split is None:
            self.report.append(TOO_FEW)
            return
        self.files, self.held_out = split
        self.report.append(
            f"no val or test folders: {sum(map(len, self.held_out))} images held out for validation, "
            "shown but not scored (--holdout 0 to train on all)"
        )


class DomainPairs(Examples):
    """An image each of two domains, both drawn; `of_batch` draws the domains."""

    def __init__(self, sources: list[ImageReader], pairs: list[tuple[int, int]]) -> None:
        """pairs: the numbers of the domains that may meet."""
        self.sources = sources
        self.pairs = pairs

    def __len__(self) -> int:
        return max(1, sum(map(len, self.sources)) // 2)

    def of_batch(self, rng: np.random.Generator) -> Examples:
        """The same images, of two domains that are drawn for the whole step, in either order."""
        first, second = self.pairs[int(rng.integers(len(self.pairs)))]
        return DomainPairs(self.sources, [(second, first) if rng.random() < 0.5 else (first, second)])

    def get(self, index: int, rng: np.random.Generator | None) -> Example:
        """The index decides nothing but, with `rng` None, which images are shown."""
        pair = self.pairs[index % len(self.pairs)]
        places = [
            int(rng.integers(len(self.sources[d]))) if rng else index % len(self.sources[d]) for d in pair
        ]
        return _example(self.sources, pair, places, rng)


class ValidationPairs(Examples):
    """Every two domains with images spread evenly over the collections; the pairs take turns."""

    def __init__(self, sources: list[ImageReader], pairs: list[tuple[int, int]], *, truth: bool) -> None:
        """truth: images at the same place of their collections show one scene."""
        self.sources = sources
        self.pairs = pairs
        self.truth = truth
        most = max(map(len, sources))
        self.each = max(1, min(most, _VALIDATED // len(pairs)))  # examples for every pair

    def __len__(self) -> int:
        return self.each * len(self.pairs)

    def get(self, index: int, rng: np.random.Generator | None) -> Example:
        """The example at that place."""
        pair = self.pairs[index % len(self.pairs)]
        places = [index * len(self.sources[domain]) // len(self) for domain in pair]
        example = _example(self.sources, pair, places, rng)
        return example | {"truth": torch.tensor(True)} if self.truth else example


def _example(
    sources: list[ImageReader], pair: tuple[int, int], places: list[int], rng: np.random.Generator | None
) -> Example:
    a, b = (sources[domain].example(place, rng) for domain, place in zip(pair, places, strict=True))
    return {"pair": torch.tensor(pair), "A": a, "B": b}
