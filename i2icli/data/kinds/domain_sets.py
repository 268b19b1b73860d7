"""Label sets of images whose label is the folder of their domain."""

from collections.abc import Sequence
from pathlib import Path

from i2icli.data.describe import sizes_of
from i2icli.data.kinds.domain_folders import DOMAINS_EXAMPLE, known_domain, recognise_domains
from i2icli.data.kinds.label_sets import LabelledImage, LabelledSet, validation_line
from i2icli.data.options import DataOptions
from i2icli.data.scan import aligned, scan
from i2icli.data.validation_split import split_off
from i2icli.image import FileItem
from i2icli.image.finding import Collection


def domain_set(folders: Sequence[Path], wanted: tuple[str, ...], options: DataOptions) -> LabelledSet:
    """Images whose label is the domain they lie in; `wanted`: domains to learn, all if empty."""
    found = recognise_domains(
        folders, lambda known: tuple(known_domain(name, known, "domains") for name in wanted) or known
    )
    names = found.names
    report: list[str] = []

    def scanned(collections: Sequence[Collection]) -> list[list[FileItem]]:
        strict, reading = options.strict, options.reading
        results = [
            scan(each, strict=strict, expected=DOMAINS_EXAMPLE, reading=reading) for each in collections
        ]
        report.extend(line for _, lines in results for line in lines)
        return [files for files, _ in results]

    train = scanned(found.train)
    if found.validation is None:
        split = [split_off(files, options) for files in train]
        train, validation = [kept for kept, _ in split], [held_out for _, held_out in split]
    else:
        validation = scanned(found.validation)
    same = aligned(found.validation or found.train, validation)
    report.insert(0, f"{len(names):,} domains: {sizes_of(names, train)} images")
    held_out = _scene_by_scene(same) if same else _domain_by_domain(validation)
    report.append(validation_line(held_out, given=found.validation is not None, aligned=bool(same)))
    return LabelledSet("domains", names, _domain_by_domain(train), held_out, bool(same), report)


def _domain_by_domain(domains: Sequence[list[FileItem]]) -> list[LabelledImage]:
    return [
        LabelledImage(file, _one_hot(index, len(domains)))
        for index, files in enumerate(domains)
        for file in files
    ]


def _scene_by_scene(domains: Sequence[list[FileItem]]) -> list[LabelledImage]:
    """The first scene in every domain, then the second, ..."""
    return [
        LabelledImage(file, _one_hot(index, len(domains)))
        for scene in zip(*domains, strict=True)
        for index, file in enumerate(scene)
    ]


def _one_hot(index: int, length: int) -> tuple[bool, ...]:
    return tuple(each == index for each in range(length))
