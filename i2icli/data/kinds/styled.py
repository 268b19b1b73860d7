"""Reference-style tasks: a collection of bare pictures and one of styled pictures, not paired."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Protocol

from i2icli.data.describe import counted
from i2icli.data.examples import DataFolder, Examples
from i2icli.data.kinds.faces import faces_found
from i2icli.data.kinds.style_names import Comparison, compare_by_name
from i2icli.data.kinds.styled_examples import StyledExamples, StyledFile, StyledSource
from i2icli.data.layouts import UNPAIRED_EXAMPLE, Layout, recognise
from i2icli.data.preprocess import Preprocess
from i2icli.data.scan import ReadSpec, common_channels, memory_needed, scan, transparency_lines
from i2icli.data.validation_split import TOO_FEW, split_each
from i2icli.errors import UserError
from i2icli.image.finding import collect


class StyleSettings(Protocol):
    """What a system's settings say about reference-style data."""

    @property
    def synthetic(self) -> str:
        """What W(x, y) is made by: landmarks or colour; the data makes none for other words."""

    @property
    def regions(self) -> tuple[str, ...]:
        """Parts of a face to cut out; none: whole pictures."""

    @property
    def region_size(self) -> int:
        """Side of a region in pixels."""


class StyledImages(DataFolder):
    """Two folders of pictures: A bare, B styled. See `StyledExamples` for what comes out.

    Where faces are needed, pictures without one are left out.
    """

    def look(self, folders: Sequence[Path]) -> None:
        """See `DataFolder.look`."""
        self.style: StyleSettings = self.config  # type: ignore[assignment] # of the system that asked
        layout = recognise(folders, pairs=False)
        self.files = [self._files(folder) for folder in layout.train]
        self.held_out: list[list[StyledFile]] = [[], []]
        self.comparisons: list[Comparison] = []
        self._say_what_was_found(layout)
        self._take_validation(layout) if layout.validation else self._hold_out()
        self._refuse_mixed_sizes()
        heads = [[each.file for each in files] for files in (*self.files, *self.held_out)]
        self.channels = common_channels(heads, self.config.channels)
        names, lines = layout.naming(self.config)
        self.settings = {"channels": (self.channels,)} | names
        self.report += lines
        self.report += transparency_lines(heads)
        preprocess = Preprocess.of(self.config)
        self.plan_cache(memory_needed(heads[:2], heads[2:], [self.channels] * 2, preprocess))

    def make(self, resolution: int | None) -> tuple[Examples, Examples | None]:
        """See `DataFolder.make`. To train on as many examples as the larger collection has, for validation a
        comparison for each styled picture.
        """
        preprocess, style = Preprocess.of(self.config, resolution), self.style
        examples = partial(
            StyledExamples,
            synthetic=style.synthetic,
            regions=style.regions,
            region_size=style.region_size,
        )
        train = examples(*self._sources(self.files, preprocess))
        still = self._sources(self.held_out, preprocess.for_validation())
        return train, examples(*still, comparisons=self.comparisons) if self.comparisons else None

    def _sources(
        self, both: list[list[StyledFile]], preprocess: Preprocess
    ) -> tuple[StyledSource, StyledSource]:
        reading = ReadSpec(self.channels, preprocess, self.cached, self.strict)
        bare, styled = (StyledSource(files, reading) for files in both)
        return bare, styled

    # -- looking at the folders ----------------------------------------------------------

    def _files(self, folder: Path) -> list[StyledFile]:
        collection = collect(folder)
        files, lines = scan(collection, strict=self.strict, expected=UNPAIRED_EXAMPLE)
        self.report += lines
        found = [StyledFile(file, collection.key(file.path)) for file in files]
        if self.style.synthetic != "landmarks" and not self.style.regions:
            return found
        found, lines = faces_found(folder, found)
        self.report += lines
        return found

    def _say_what_was_found(self, layout: Layout) -> None:
        sides = zip(("bare", "styled"), layout.train, self.files, strict=True)
        told = (f"{name} in {folder}: {counted(len(files), 'image')}" for name, folder, files in sides)
        self.report.insert(0, "two collections: " + ", ".join(told))

    def _take_validation(self, layout: Layout) -> None:
        assert layout.validation is not None
        for folder in layout.validation:
            if not collect(folder).images:
                self.report.append(f"{folder} is empty: nothing to validate on")
                return
        self.held_out = [self._files(folder) for folder in layout.validation]
        self.comparisons = self._with_equal_sizes(self._compare())
        removals = sum(each.truth_bare is not None for each in self.comparisons)
        transfers = sum(each.truth_styled is not None for each in self.comparisons)
        numbers = [counted(len(files), "image") for files in self.held_out]
        scored = f"by their names the truth is known of {counted(removals, 'removal')} "
        scored += f"and {counted(transfers, 'transfer')}"
        if not removals and not transfers:
            scored = "other names, so other subjects: shown, not scored"
        self.report.append(
            f"validation: {numbers[0]} from {layout.validation[0]}, {numbers[1]} from "
            f"{layout.validation[1]}; {scored}"
        )

    def _hold_out(self) -> None:
        split = split_each(self.files, self.config)
        if split is None:
            self.report.append(TOO_FEW)
            return
        self.files, self.held_out = split
        self.comparisons = [replace(each, truth_bare=None, truth_styled=None) for each in self._compare()]
        self.report.append(
            f"no val or test folders: {len(self.held_out[0])} bare and {len(self.held_out[1])} styled images "
            "held out for validation, shown but not scored (--holdout 0 to train on all)"
        )

    def _compare(self) -> list[Comparison]:
        bare, styled = ([each.key for each in files] for files in self.held_out)
        return compare_by_name(bare, styled)

    def _with_equal_sizes(self, comparisons: list[Comparison]) -> list[Comparison]:
        """A truth of another size than what it is held against is none."""
        bare, styled = ([each.file.header.size for each in files] for files in self.held_out)

        def kept(truth: int | None, sizes: list[tuple[int, int]], size: tuple[int, int]) -> int | None:
            return truth if truth is not None and sizes[truth] == size else None

        return [
            replace(
                each,
                truth_bare=kept(each.truth_bare, bare, styled[each.styled]),
                truth_styled=kept(each.truth_styled, styled, bare[each.bare]),
            )
            for each in comparisons
        ]

    def _refuse_mixed_sizes(self) -> None:
        """G reads a bare and a styled picture together, so that even in one example sizes have to agree."""
        preprocess = Preprocess.of(self.config)
        if self.style.regions:
            return
        for both, frame in ((self.files, preprocess), (self.held_out, preprocess.for_validation())):
            files = [each.file for collection in both for each in collection]
            sizes = [frame.example_size(file.header.size) for file in files]
            for file, (height, width) in zip(files, sizes, strict=True):
                if (height, width) != sizes[0]:
                    raise UserError(
                        f"{file.path} becomes {width}x{height} pixels, {files[0].path} "
                        f"{sizes[0][1]}x{sizes[0][0]}: an image and its reference are read together; "
                        "use --preprocess resize or resize-and-crop"
                    )
