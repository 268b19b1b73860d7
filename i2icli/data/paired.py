"""Pairs of images that show the same scene twice: for pix2pix and its heirs."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np

from i2icli.config import Config
from i2icli.data.describe import cache_line, counted, skipped_lines
from i2icli.data.examples import DataFolder, Example, Examples
from i2icli.data.folder import Collection, collect
from i2icli.data.holdout import hold_out
from i2icli.data.images import ImageFile, Store, count_channels, prepare, survey
from i2icli.data.layouts import Layout, recognise
from i2icli.data.transforms import Framing
from i2icli.errors import UserError
from i2icli.image import Pixels, read_picture, to_tensor


@runtime_checkable
class Directed(Protocol):
    """Settings that say which half of a pair is given: "AtoB" or "BtoA"."""

    @property
    def direction(self) -> str: ...


@dataclass(frozen=True)
class Pair:
    """Two images of one scene; `b` is None where the right half of `a` is meant."""

    a: ImageFile
    b: ImageFile | None

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) of A, which B follows."""
        height, width = self.a.header.size
        return (height, width // 2) if self.b is None else (height, width)

    def read(self) -> tuple[Pixels, Pixels]:
        """A and B, decoded (H, W, C). Raises UserError."""
        pixels = read_picture(self.a.path).pixels
        if self.b is not None:
            return pixels, read_picture(self.b.path).pixels
        half = pixels.shape[1] // 2
        return pixels[:, :half], pixels[:, half:]


class PairedImages(DataFolder):
    """Folders of pairs: side by side in one image, or two folders with the same names.

    Examples: "source" and "target", (C, H, W) in [-1, 1], cut and mirrored alike.
    """

    def __init__(
        self, folders: Sequence[Path], config: Config, *, strict: bool = False, cache_bytes: int = 0
    ) -> None:
        self.config = config
        self.strict = strict
        self.report: list[str] = []
        self.backwards = isinstance(config, Directed) and config.direction == "BtoA"
        layout = recognise(folders, pairs=True)
        train = self._pairs(layout.train)
        validation = self._pairs(layout.validation) if layout.validation else []
        self._describe(layout, train, validation)
        if not layout.validation:
            train, validation = self._hold_out(train)
        self.pairs, self.held_out = train, validation
        self.channels = self._channels(train + validation)
        self.settings = {"channels": self.channels}
        self.cached = self._plan_cache(cache_bytes)
        self._made: dict[int | None, tuple[Examples, Examples | None]] = {}

    def train(self, resolution: int | None = None, clip_length: int | None = None) -> Examples:
        """The training pairs."""
        return self._examples(resolution)[0]

    def validation(self, resolution: int | None = None, clip_length: int | None = None) -> Examples | None:
        """The validation pairs, None where there are none."""
        return self._examples(resolution)[1]

    def _examples(self, resolution: int | None) -> tuple[Examples, Examples | None]:
        if resolution not in self._made:
            framing = Framing.of(self.config, resolution)
            train = PairExamples(self.pairs, framing, self.channels, self.backwards, self.cached, self.strict)
            validation = PairExamples(
                self.held_out,
                framing.for_validation(),
                self.channels,
                self.backwards,
                self.cached,
                self.strict,
            )
            self._made[resolution] = train, validation if self.held_out else None
        return self._made[resolution]

    # -- looking at the folders ----------------------------------------------------------

    def _pairs(self, folders: tuple[Path, ...]) -> list[Pair]:
        if len(folders) == 1:
            return self._halves(collect(folders[0]))
        return self._matched(collect(folders[0]), collect(folders[1]))

    def _halves(self, collection: Collection) -> list[Pair]:
        files, broken = survey(collection.images, strict=self.strict)
        self.report += skipped_lines(collection, broken)
        if not files:
            raise UserError(f"{collection.folder}: none of its {len(broken)} images can be read; {broken[0]}")
        for file in files:
            height, width = file.header.size
            if width % 2:
                raise UserError(
                    f"{file.path}: {width}x{height} pixels have no middle; a pair side by side needs an even width "
                    "(two folders A/ and B/ with the same names work too)"
                )
        return [Pair(file, None) for file in files]

    def _matched(self, a: Collection, b: Collection) -> list[Pair]:
        """Pair the images of two folders by their names without suffix."""
        by_key = [{each.key(image): image for image in reversed(each.images)} for each in (a, b)]
        for each, other in ((a, b), (b, a)):
            if not each.images:
                raise UserError(
                    f"{each.folder}: no images in this folder; expected one for each of {other.folder}, same names"
                )
        common = [key for key in map(a.key, a.images) if key in by_key[1]]
        common = list(dict.fromkeys(common))  # one of two that share a stem, the first
        if not common:
            raise UserError(
                f"{a.folder} and {b.folder}: no names in common (e.g. {a.images[0].name} and {b.images[0].name}); "
                "pairs need the same name in both folders, such as A/1.png and B/1.png; "
                "for collections without pairs train cyclegan"
            )
        self._report_unmatched(a, b, set(common))
        paths = [(by_key[0][key], by_key[1][key]) for key in common]
        files_a, broken_a = survey([pair[0] for pair in paths], strict=self.strict)
        files_b, broken_b = survey([pair[1] for pair in paths], strict=self.strict)
        self.report += skipped_lines(a, broken_a) + skipped_lines(b, broken_b)
        good_a = {file.path: file for file in files_a}
        good_b = {file.path: file for file in files_b}
        pairs = [Pair(good_a[p], good_b[q]) for p, q in paths if p in good_a and q in good_b]
        if not pairs:
            raise UserError(f"{a.folder}: no pair can be read; {(broken_a + broken_b)[0]}")
        return pairs

    def _report_unmatched(self, a: Collection, b: Collection, common: set[str]) -> None:
        for each, other in ((a, b), (b, a)):
            alone = [image for image in each.images if each.key(image) not in common]
            if alone:
                self.report.append(
                    f"skipped {counted(len(alone), 'image')} of {each.folder} without a partner in {other.folder}, "
                    f"e.g. {alone[0].relative_to(each.folder)}"
                )
            twins = len(each.images) - len(alone) - len(common)
            if twins > 0:
                self.report.append(
                    f"skipped {counted(twins, 'image')} of {each.folder} whose name occurs twice"
                )

    def _channels(self, pairs: list[Pair]) -> tuple[int, int]:
        wanted = self.config.channels
        if wanted is not None and len(wanted) > 2:
            raise UserError(f"--channels {','.join(map(str, wanted))}: expected one number, or source,target")
        b_files = [pair.b or pair.a for pair in pairs]
        sides = [[pair.a for pair in pairs], b_files]
        source, target = reversed(sides) if self.backwards else sides
        return (
            count_channels(source, wanted[0] if wanted else None),
            count_channels(target, wanted[-1] if wanted else None),
        )

    def _hold_out(self, pairs: list[Pair]) -> tuple[list[Pair], list[Pair]]:
        kept, held_out = hold_out(pairs, self.config.holdout, self.config.seed)
        if held_out:
            self.report.append(
                f"no val or test folder: {counted(len(held_out), 'pair')} held out for validation, "
                f"{len(kept)} left to train on (--holdout 0 to train on all)"
            )
        else:
            self.report.append(
                "no val or test folder, and too few pairs to hold some out: nothing to validate on"
            )
        return kept, held_out

    def _describe(self, layout: Layout, train: list[Pair], validation: list[Pair]) -> None:
        arrow = "B to A" if self.backwards else "A to B"
        if layout.side_by_side:
            line = f"pairs side by side in {layout.train[0]}: {counted(len(train), 'pair')}, A left, B right"
        else:
            line = f"pairs: A in {layout.train[0]}, B in {layout.train[1]}: {counted(len(train), 'pair')}"
        lines = [f"{line}; learning {arrow}"]
        if layout.validation:
            where = " and ".join(map(str, layout.validation))
            lines.append(f"validation: {counted(len(validation), 'pair')} from {where}")
        narrow = next((pair for pair in train if pair.b is None and pair.size[0] > 1.5 * pair.size[1]), None)
        if narrow is not None:
            height, width = narrow.a.header.size
            lines.append(
                f"{narrow.a.path} is {width}x{height}: are these really pairs, both halves side by side?"
            )
        uneven = [pair for pair in train if pair.b is not None and pair.b.header.size != pair.size]
        if uneven:
            lines.append(
                f"{counted(len(uneven), 'pair')} of differing sizes (e.g. {uneven[0].a.path.name}): "
                "B is resized to A"
            )
        if any(pair.a.header.alpha or (pair.b is not None and pair.b.header.alpha) for pair in train):
            lines.append("some images have transparency: it is ignored, only colours are learned")
        self.report = lines + self.report

    def _plan_cache(self, cache_bytes: int) -> bool:
        framing = Framing.of(self.config)
        total = 0
        for pairs, frame in ((self.pairs, framing), (self.held_out, framing.for_validation())):
            for pair in pairs:
                height, width = frame.prepared_size(pair.size)
                sides = (pair.a, pair.b or pair.a)
                a, b = reversed(self.channels) if self.backwards else self.channels
                values = a * sides[0].header.dtype.itemsize + b * sides[1].header.dtype.itemsize
                total += height * width * values
        self.report.append(cache_line(total, cache_bytes))
        return total <= cache_bytes


class PairExamples(Examples):
    """Pairs as tensors: "source" and "target" (C, H, W) in [-1, 1]."""

    def __init__(
        self,
        pairs: list[Pair],
        framing: Framing,
        channels: tuple[int, int],
        backwards: bool,
        cached: bool,
        strict: bool,
    ) -> None:
        self.pairs = pairs
        self.framing = framing
        self.channels = channels
        self.backwards = backwards
        self.store = Store(len(pairs), partial(PairExamples._load, self), cached=cached, strict=strict)

    def __len__(self) -> int:
        return len(self.pairs)

    def get(self, index: int, rng: np.random.Generator | None) -> Example:
        """One pair, both halves cut and mirrored alike. Raises UserError if none can be read."""
        source, target = self.store.get(index)
        window = self.framing.window(source.shape[:2], rng)
        return {"source": to_tensor(window.cut(source)), "target": to_tensor(window.cut(target))}

    def _load(self, index: int) -> tuple[Pixels, Pixels]:
        """Source and target, prepared: (h, w, C) of one size."""
        a, b = self.pairs[index].read()
        size = self.framing.prepared_size(a.shape[:2])
        source, target = (b, a) if self.backwards else (a, b)
        return prepare(source, self.channels[0], size), prepare(target, self.channels[1], size)
