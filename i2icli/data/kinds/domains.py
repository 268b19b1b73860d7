"""Images of two of many domains, drawn for every step: for ComboGAN."""

from collections.abc import Sequence
from itertools import combinations
from pathlib import Path

import numpy as np
import torch

from i2icli.data.describe import NOT_ALIGNED, aligned_line, counted, sizes_of
from i2icli.data.examples import DataFolder, Example, Examples
from i2icli.data.image_sides import one_side
from i2icli.data.kinds.domain_folders import DOMAINS_EXAMPLE, known_domain, recognise_domains
from i2icli.data.options import DataOptions
from i2icli.data.preprocess import Preprocess
from i2icli.data.scan import ImageReader, aligned, memory_needed
from i2icli.data.sizes import check_sizes, sized
from i2icli.data.validation_split import TOO_FEW, split_each, split_line
from i2icli.image import FileItem
from i2icli.image.finding import Collection
from i2icli.stage import Shape

_VALIDATED = 100  # validation examples, unless there are more pairs of domains

Files = list[FileItem]


class DomainImages(DataFolder):
    """A folder of images per domain.

    Examples: "A" and "B", (C, H, W) in [-1, 1], an image each of two domains, and "pair", (2,) int64, the
    indices of these domains: the same for all examples of a step. Validation examples of one scene in
    both domains carry "truth", a true value.
    """

    def __init__(
        self,
        folders: Sequence[Path],
        options: DataOptions,
        *,
        domains: tuple[str, ...] = (),
        learn: tuple[str, ...] = (),
    ) -> None:
        """domains: those to use, all if empty; learn: those of them whose networks learn, all if empty."""
        super().__init__(options)
        found = recognise_domains(
            folders, lambda names: tuple(known_domain(each, names, "domains") for each in domains) or names
        )
        self.names = found.names
        self.files = [self.read_headers(each, DOMAINS_EXAMPLE) for each in found.train]
        self.report.insert(0, f"{len(self.names)} domains, training images: {self._counts(self.files)}")
        self.truth = False
        self.held_out: list[Files] = []
        if found.validation is not None:
            self._take_validation(found.validation)
        else:
            self._split_off()
        train, validation = ([file for files in each for file in files] for each in self._splits)
        check_sizes(sized(train), sized(validation), options)
        both = one_side(train + validation, options)
        self.settings, self.port = both.settings | {"domains": self.names}, both.ports[0]
        self.learned = self._learned(learn)
        self.report += both.report
        ports = [self.port] * len(self.names)
        self.plan_cache(memory_needed(*self._splits, ports, options.preprocess))

    def make(self, shape: Shape) -> tuple[Examples, Examples | None]:
        """See `DataFolder.make`. As many training examples as show every image once on average, two in each;
        validation examples of every two domains.
        """
        preprocess = self.options.preprocess.at(shape.resolution)
        pairs = [pair for pair in combinations(range(len(self.names)), 2) if self.learned & set(pair)]
        train = DomainPairs(self._readers(self.files, preprocess), pairs)
        if not self.held_out:
            return train, None
        readers = self._readers(self.held_out, preprocess.for_validation())
        return train, ValidationPairs(readers, pairs, truth=self.truth)

    @property
    def _splits(self) -> tuple[list[Files], list[Files]]:
        return self.files, self.held_out

    def _readers(self, collections: list[Files], preprocess: Preprocess) -> list[ImageReader]:
        spec = self.read_spec(self.port, preprocess)
        return [ImageReader(files, spec) for files in collections]

    def _counts(self, collections: list[Files]) -> str:
        """a 3, b 2"""
        return sizes_of(self.names, collections)

    def _learned(self, learn: tuple[str, ...]) -> set[int]:
        """The indices of the domains that are learned; pairs of two others teach nothing."""
        if not learn:
            return set(range(len(self.names)))
        spelled = tuple(known_domain(name, self.names, "learn") for name in learn)
        self.report.append(f"learning only {', '.join(spelled)}, paired with every other domain")
        self.settings["learn"] = spelled
        return {self.names.index(name) for name in spelled}

    def _take_validation(self, collections: Sequence[Collection]) -> None:
        """Scan the validation folders and find the scenes that all domains show."""
        self.held_out = [self.read_headers(each, DOMAINS_EXAMPLE) for each in collections]
        counts = self._counts(self.held_out)
        same = aligned(collections, self.held_out, complete=False)
        if same:
            self.truth, self.held_out = True, same
        number = counted(len(self.held_out[0]), "file name")
        scored = aligned_line(f"{number} in all domains") if same else NOT_ALIGNED
        self.report.append(f"validation: {counts}; {scored}")

    def _split_off(self) -> None:
        split = split_each(self.files, self.options)
        if split is None:
            self.report.append(TOO_FEW)
            return
        self.files, self.held_out = split
        number = counted(sum(map(len, self.held_out)), "image")
        self.report.append(split_line(number, scored=False))


class DomainPairs(Examples):
    """An image each of two domains, both drawn; `of_batch` draws the domains."""

    def __init__(self, readers: list[ImageReader], pairs: list[tuple[int, int]]) -> None:
        """pairs: the indices of the domains that may be drawn together."""
        self.readers = readers
        self.pairs = pairs

    def __len__(self) -> int:
        return max(1, sum(map(len, self.readers)) // 2)

    def of_batch(self, rng: np.random.Generator) -> Examples:
        """The same images, of two domains that are drawn for the whole step, in either order."""
        first, second = self.pairs[int(rng.integers(len(self.pairs)))]
        return DomainPairs(self.readers, [(second, first) if rng.random() < 0.5 else (first, second)])

    def get(self, index: int, rng: np.random.Generator | None) -> Example:
        """The index only decides which images are taken where `rng` is None."""
        pair = self.pairs[index % len(self.pairs)]
        lengths = [len(self.readers[domain]) for domain in pair]
        indices = [int(rng.integers(length)) if rng else index % length for length in lengths]
        return _example(self.readers, pair, indices, rng)


class ValidationPairs(Examples):
    """Every two domains in turn, with images spread evenly over the collections."""

    def __init__(self, readers: list[ImageReader], pairs: list[tuple[int, int]], *, truth: bool) -> None:
        """truth: images with the same index in their collections show one scene."""
        self.readers = readers
        self.pairs = pairs
        self.truth = truth
        most = max(map(len, readers))
        self.each = max(1, min(most, _VALIDATED // len(pairs)))  # examples of every pair

    def __len__(self) -> int:
        return self.each * len(self.pairs)

    def get(self, index: int, rng: np.random.Generator | None) -> Example:
        """The example with that index."""
        pair = self.pairs[index % len(self.pairs)]
        indices = [index * len(self.readers[domain]) // len(self) for domain in pair]
        example = _example(self.readers, pair, indices, rng)
        return example | {"truth": torch.tensor(True)} if self.truth else example


def _example(
    readers: list[ImageReader], pair: tuple[int, int], indices: list[int], rng: np.random.Generator | None
) -> Example:
    a, b = (readers[domain].example(index, rng) for domain, index in zip(pair, indices, strict=True))
    return {"pair": torch.tensor(pair), "A": a, "B": b}
