"""Reference-style tasks: unpaired collections of bare and of styled images."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from i2icli.data.describe import NOT_ALIGNED, counted, empty_line
from i2icli.data.examples import DataFolder, Examples
from i2icli.data.image_sides import one_side
from i2icli.data.kinds.faces import faces_found
from i2icli.data.kinds.style_names import Comparison, compare_by_name
from i2icli.data.kinds.styled_examples import StyledExamples, StyledFile, StyledReader
from i2icli.data.layout_errors import UNPAIRED_EXAMPLE
from i2icli.data.layouts import FolderLayout, recognise
from i2icli.data.options import DataOptions
from i2icli.data.preprocess import Preprocess
from i2icli.data.scan import key_of, memory_needed
from i2icli.data.sizes import Size, refuse_mixed_sizes, refuse_small_examples, sized
from i2icli.data.validation_split import TOO_FEW, split_each, split_line
from i2icli.image import FileItem
from i2icli.image.finding import collect
from i2icli.stage import Shape
from i2icli.task import Port
from i2icli.value_range import TYPE

_READ_TOGETHER = (
    "an image and its reference must have the same size; use --preprocess resize or resize-and-crop"
)


class StyledImages(DataFolder):
    """Two folders of images: A bare, B styled. See `StyledExamples` for the examples.

    Where faces are needed, images without one are left out.
    """

    def __init__(
        self,
        folders: Sequence[Path],
        options: DataOptions,
        *,
        synthetic: str = "none",
        regions: tuple[str, ...] = (),
        region_size: int = 0,
        name_domains: bool = False,
    ) -> None:
        """synthetic: how synthetic transfers are made, landmarks or colour, else there are none; regions:
        parts of a face to crop, of `region_size` pixels a side; name_domains: the folders' names become
        the setting "domains".
        """
        super().__init__(options)
        self.regions = regions
        self.faces = synthetic == "landmarks" or bool(regions)
        self.examples = partial(StyledExamples, synthetic=synthetic, regions=regions, region_size=region_size)
        layout = recognise(folders, pairs=False)
        self.files = [self._styled_files(folder) for folder in layout.train]
        self.held_out: list[list[StyledFile]] = [[], []]
        self.comparisons: list[Comparison] = []
        self._describe(layout)
        self.report += layout.unused_lines
        self._take_validation(layout.validation) if layout.validation else self._split_off()
        heads = [[each.file for each in files] for files in (*self.files, *self.held_out)]
        self._check_sizes(heads[0] + heads[1], heads[2] + heads[3])
        everything = [file for files in heads for file in files]
        found = one_side(everything, options)
        self.settings, self.port = found.settings, found.ports[0]
        if name_domains:
            names, lines = layout.naming()
            self.settings |= names
            self.report += lines
        self.report += found.report
        self.plan_cache(memory_needed(heads[:2], heads[2:], [self.port] * 2, options.preprocess))

    def make(self, shape: Shape) -> tuple[Examples, Examples | None]:
        """See `DataFolder.make`. As many training examples as the larger collection has images, and a
        validation example for each comparison.
        """
        preprocess = self.options.preprocess.at(shape.resolution)
        train = self.examples(*self._readers(self.files, preprocess))
        still = self._readers(self.held_out, preprocess.for_validation())
        return train, self.examples(*still, comparisons=self.comparisons) if self.comparisons else None

    def _readers(
        self, both: list[list[StyledFile]], preprocess: Preprocess
    ) -> tuple[StyledReader, StyledReader]:
        spec = self.read_spec(self.port, preprocess)
        bare, styled = (StyledReader(files, spec) for files in both)
        return bare, styled

    def _styled_files(self, folder: Path) -> list[StyledFile]:
        collection = collect(folder)
        files = self.read_headers(collection, UNPAIRED_EXAMPLE)
        found = [StyledFile(file, key_of(collection, file)) for file in files]
        if not self.faces:
            return found
        ranged = self.options.range != TYPE  # else nothing need be known of them all
        port = one_side(files, self.options).ports[0] if ranged else Port()
        found, lines = faces_found(folder, found, port)
        self.report += lines
        return found

    def _describe(self, layout: FolderLayout) -> None:
        sides = zip(("bare", "styled"), layout.train, self.files, strict=True)
        counts = (f"{name} in {folder}: {counted(len(files), 'image')}" for name, folder, files in sides)
        self.report.insert(0, "two collections: " + ", ".join(counts))

    def _take_validation(self, folders: tuple[Path, ...]) -> None:
        empty = [folder for folder in folders if not collect(folder).images]
        if empty:
            self.report.append(empty_line(empty[0]))
            return
        self.held_out = [self._styled_files(folder) for folder in folders]
        self.comparisons = self._with_equal_sizes(self._compare())
        removals = sum(each.truth_bare is not None for each in self.comparisons)
        transfers = sum(each.truth_styled is not None for each in self.comparisons)
        bare, styled = (counted(len(files), "image") for files in self.held_out)
        scored = NOT_ALIGNED
        if removals or transfers:
            scored = (
                f"file names give the truth of {counted(removals, 'removal')} "
                f"and {counted(transfers, 'transfer')}"
            )
        self.report.append(f"validation: {bare} from {folders[0]}, {styled} from {folders[1]}; {scored}")

    def _split_off(self) -> None:
        split = split_each(self.files, self.options)
        if split is None:
            self.report.append(TOO_FEW)
            return
        self.files, self.held_out = split
        self.comparisons = [replace(each, truth_bare=None, truth_styled=None) for each in self._compare()]
        bare, styled = map(len, self.held_out)
        self.report.append(split_line(f"{bare} bare and {styled} styled images", scored=False))

    def _compare(self) -> list[Comparison]:
        bare, styled = ([each.key for each in files] for files in self.held_out)
        return compare_by_name(bare, styled)

    def _with_equal_sizes(self, comparisons: list[Comparison]) -> list[Comparison]:
        """Without truths whose size differs from that of the image they would be compared with."""
        bare, styled = ([each.file.size for each in files] for files in self.held_out)

        def kept(truth: int | None, sizes: list[Size], size: Size) -> int | None:
            return truth if truth is not None and sizes[truth] == size else None

        return [
            replace(
                each,
                truth_bare=kept(each.truth_bare, bare, styled[each.styled]),
                truth_styled=kept(each.truth_styled, styled, bare[each.bare]),
            )
            for each in comparisons
        ]

    def _check_sizes(self, train: list[FileItem], validation: list[FileItem]) -> None:
        """G reads a bare and a styled image together, so even within one example sizes have to agree."""
        if self.regions:
            return
        preprocess = self.options.preprocess
        for files, how in ((train, preprocess), (validation, preprocess.for_validation())):
            refuse_small_examples(sized(files), how, self.options.smallest_side)
            refuse_mixed_sizes(sized(files), how, _READ_TOGETHER)
