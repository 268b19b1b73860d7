"""Editing label maps: the edited map, the photo that a model makes of it, and a sheet of before and after."""

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from i2icli.errors import UserError
from i2icli.files import real
from i2icli.image import DecodedImage, FileItem, Item, to_array, write_image
from i2icli.image.class_indices import class_indices
from i2icli.image.id_maps import IdMap
from i2icli.image.items import ArrayItem
from i2icli.image.kinds import known_classes
from i2icli.image.label_colours import in_colours
from i2icli.inference.inference import Inference
from i2icli.inference.inputs import Job, plan_jobs
from i2icli.inference.options import TranslateOptions
from i2icli.inference.other_inputs import OtherInputs
from i2icli.inference.outputs import OutputSpec
from i2icli.inference.places import Place
from i2icli.inference.results import Result
from i2icli.labels.edits import Written, apply, parse
from i2icli.labels.files import Encoding, read_label_map, write_16_bit_map, write_label_map
from i2icli.labels.regions import LabelMap
from i2icli.report.sheet import SHEETS, Row, write_sample_sheet
from i2icli.task import Port

FOLDERS = ("labels", "instances", "images", SHEETS)
"""Folders below --out: of edited maps, of photos, of sheets."""


@dataclass(frozen=True)
class _Given:
    """A label map that was read, and the other inputs that its task needs."""

    map: LabelMap
    encoding: Encoding
    others: dict[str, Item]


class Editing:
    """Edits of label maps: iterating makes them, one result per map; a bad file is reported."""

    problems: tuple[str, ...] = ()
    written = 0

    def __init__(
        self,
        inference: Inference,
        inputs: Iterable[str],
        out: Path,
        edits: Sequence[Written],
        options: TranslateOptions,
    ) -> None:
        """Plan it. Raises UserError if the request as a whole is wrong: an edit that cannot be, results
        that are there already, a model that reads no label maps.
        """
        self.inference = inference
        self.spec = _only_spec(inference, options)
        ports = dict(self.spec.task.inputs)
        self.first = next(iter(ports))
        self.labels = known_classes(ports[self.first])
        self.instances = next((name for name, port in ports.items() if port.kind == "instances"), "instances")
        ports.setdefault(self.instances, Port(1, "instances", instead=self.first))
        self.finder = OtherInputs(ports, options)
        pasted = OtherInputs(ports, options)  # of its own: notes are about the maps to edit
        self.edits = parse(edits, self.labels, lambda path: self._read(path, pasted).map)
        places = [Place(folder, kind="labels") for folder in FOLDERS]
        self.jobs = plan_jobs(inputs, out, ".png", places)
        inside = next((job.source for job in self.jobs if real(out) in real(job.source).parents), None)
        if inside is not None:
            raise UserError(
                f"--out {out}: {inside} lies in it, and results could replace its data; choose another folder"
            )
        for job in () if options.overwrite else self.jobs:
            there = next((target for target in job.targets if os.path.lexists(target)), None)
            if there is not None:
                raise UserError(f"{there} exists already; choose another --out, or add --overwrite")

    @property
    def notes(self) -> tuple[str, ...]:
        """What it means for the photos that some maps have no instance maps; known at the end."""
        return self.finder.notes() if self.instances in self.spec.task.inputs else ()

    def __len__(self) -> int:
        """Label maps to edit."""
        return len(self.jobs)

    def __iter__(self) -> Iterator[Result]:
        for job in self.jobs:
            try:
                if job.error:
                    raise UserError(job.error)
                self._edit(job)
            except UserError as error:
                yield Result(str(job.source), None, "failed", str(error))
            else:
                yield Result(str(job.source), job.targets[0], "done")

    def _edit(self, job: Job) -> None:
        given = self._read(job.source, self.finder)
        edited = replace(given, map=apply(self.edits, given.map))
        before = self._photo(given, replace(self.spec, style=()))
        after = self._photo(edited, self.spec)
        labels, instances, image, sheet = job.targets
        write_label_map(labels, edited.map.ids, self.labels, given.encoding)
        if edited.map.instances is not None:
            write_16_bit_map(instances, edited.map.instances)
        write_image(image, after)
        rows = [self._row(given.map, before), self._row(edited.map, after)]
        write_sample_sheet(sheet, rows, ("before", "after"))

    def _read(self, path: Path, finder: OtherInputs) -> _Given:
        """Raises UserError for maps that cannot be read or are of two sizes."""
        ids, encoding = read_label_map(FileItem(path), self.labels)
        others: dict[str, Item] = dict(finder.find(path))
        found = others.pop(self.instances, None)
        instances = None if found is None else found.read_map().ids
        return _Given(LabelMap(ids, self.labels, instances), encoding, others)

    def _photo(self, given: _Given, spec: OutputSpec) -> DecodedImage:
        items = given.others | {self.first: ArrayItem(given.map.ids, self.first)}
        if given.map.instances is not None:
            items[self.instances] = ArrayItem(given.map.instances, self.instances)
        image = self.inference.decode(items[self.first], spec.task)
        inputs = self.inference.read({**items, self.first: image}, spec)
        try:
            output = self.inference.compute(inputs, spec)
        except Exception as error:
            if not self.inference.backend.is_out_of_memory(error):
                raise
            height, width = given.map.ids.shape
            raise UserError(f"out of memory at {width}x{height} px", exit_code=1) from None
        return self.inference.result(image, output, spec)

    def _row(self, shown: LabelMap, photo: DecodedImage) -> Row:
        indices = class_indices(IdMap(shown.ids), self.labels, self.first)[..., None]  # (H, W, 1)
        return {"label map": to_array(in_colours(indices, self.labels)), "photo": to_array(photo.pixels)}


def _only_spec(inference: Inference, options: TranslateOptions) -> OutputSpec:
    """The only output that the options ask for. Raises UserError for several, and for models of photos."""
    port = next(iter(inference.tasks[0].inputs.values()), None)
    if port is None or port.kind != "labels":
        raise UserError("this model reads no label maps, so there is nothing to edit; use i2i translate")
    specs = inference.specs(options)
    if len(specs) > 1:
        raise UserError(f"these options give {len(specs)} photos of each map; an edit shows one")
    return specs[0]
