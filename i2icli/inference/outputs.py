"""What is asked of a model, checked, as one output for each task, reference and latent code."""

import re
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path

from i2icli.config import Config
from i2icli.data.split_names import side_of
from i2icli.errors import UserError, about
from i2icli.image.finding import find_images
from i2icli.image.items import ArrayItem, FileItem, Item
from i2icli.inference.given import Given, as_item
from i2icli.inference.latents import draw_codes, interpolate_codes, parse_codes
from i2icli.inference.options import TranslateOptions
from i2icli.inference.pages import read_as_asked
from i2icli.inference.resizing import AS_IT_IS, LearnedScale, Resizing
from i2icli.reading import AS_FOUND, Reading
from i2icli.report.sheet import SHEETS
from i2icli.request import Array
from i2icli.stage import Stage
from i2icli.task import Port, Task, is_all, names_of

_FLAGS = {"source": "from"}  # options that are spelled otherwise
_CODES = ("samples", "latent", "interpolate", "truncate")  # options about latent codes
_LONGEST_NAME = 80  # characters of a folder's name


@dataclass(frozen=True)
class OutputSpec:
    """One output that is asked for every input."""

    task: Task
    name: str = ""  # tells it from the others; empty where it is the only one
    reference: Item | None = None
    latent: tuple[float, ...] | None = None  # Z numbers
    style: tuple[tuple[str, str], ...] = ()  # names of classes or objects, and the style of each
    truncate: float | None = None  # for a task that reads it
    resizing: Resizing = AS_IT_IS  # of inputs and results
    seed: int = 0


class Outputs:
    """What the settings of a model make of options. `name` is what messages call it."""

    def __init__(self, name: str, config: Config, tasks: Sequence[Task], stage: Stage | None = None) -> None:
        """tasks: those that are in question, all translating or all generating; stage: None: the last."""
        self.name, self.config, self.tasks, self.stage = name, config, tasks, stage

    def plan(self, options: TranslateOptions) -> list[OutputSpec]:
        """Every task with every reference and every latent code that was asked for.

        Raises UserError, naming what the model takes instead, for what it does not read or know, and for
        what a task requires and was not given.
        """
        self.check(options)
        ports = (read_as_asked(task, options).reference for task in self.tasks)
        reading = next((port.reading for port in ports if port is not None), AS_FOUND)
        references = _references(options.reference, reading)
        resizing = Resizing.checked(
            options.size, LearnedScale.of(self.config, self.stage), detail=options.detail
        )
        specs: list[OutputSpec] = []
        if options.detail:
            _check_detail(self.tasks, options)
        tasks = [read_as_asked(task, options) for task in self.resolve(options.to, options.source)]
        for task in tasks:
            if "reference" in task.requires and not references:
                way = f" to {task.name}" if task.name else ""
                raise UserError(f"translating{way} needs --reference: the image whose style is to be taken")
            codes = self.codes(task, options)
            for given, field in ((references, "reference"), (options.style, "style")):
                if given and field not in task.reads and len(tasks) == 1:
                    way = f"translating to {task.name} reads no --{field}"
                    raise UserError(f"{way}: there is one output only")
            plain = OutputSpec(
                task,
                style=tuple(options.style.items()) if "style" in task.reads else (),
                truncate=options.truncate if "truncate" in task.reads else None,
                resizing=resizing,
                seed=options.seed,
            )
            for reference in references if references and "reference" in task.reads else (None,):
                for number, spec in enumerate(with_codes(plain, codes), 1):
                    names = [task.name] if len(tasks) > 1 and task.name else []
                    names += [Path(reference.name).stem] if reference and len(references) > 1 else []
                    names += [f"{number:0{len(str(len(codes)))}}"] if len(codes) > 1 else []
                    specs.append(replace(spec, name=" ".join(names), reference=reference))
        return _named(specs)

    def check(self, options: TranslateOptions) -> None:
        """Raise UserError for options that the model does not read, naming what it takes, or that clash."""
        reads = (task.reads | set(list(task.inputs)[1:]) for task in self.tasks)
        accepts = frozenset[str]().union(*reads) - {"truncate"}
        given = {
            "to": options.to if names_of(self.tasks) or not is_all(options.to) else None,  # all of one
            "source": options.source,
            "reference": options.reference or None,
            "instances": options.instances,
            "style": options.style or None,
            "latent": next((flag for flag in _CODES if getattr(options, flag) is not None), None),
        }
        for field, value in given.items():
            if value is not None and field not in accepts:
                others = ", ".join(f"--{_FLAGS.get(each, each)}" for each in sorted(accepts))
                takes = f"it takes {others}" if others else "it translates images in one way only"
                flag = value if field == "latent" else _FLAGS.get(field, field)
                raise UserError(f"{self.name} has no --{flag}; {takes}")
        if options.reference and given["latent"] is not None:
            raise UserError("--reference and latent codes both decide the style; give one of them")
        if options.latent is not None and (options.samples is not None or options.truncate is not None):
            raise UserError(
                "--latent gives the codes that would be drawn; leave out --samples and --truncate"
            )

    def resolve(self, to: str | None, source: str | None = None) -> list[Task]:
        """The tasks that `--to` means: the default, one, or all that are possible from the source.

        Raises UserError listing those there are.
        """
        names = names_of(self.tasks)
        if to is None or not is_all(to) or to in names or not names:
            return [self.config.resolve(self.tasks, None if is_all(to) and not names else to, source)]
        found: list[Task] = []
        refused: UserError | None = None
        for name in names:
            try:
                found.append(self.config.resolve(self.tasks, name, source))
            except UserError as error:  # not from this source
                refused = error
        if refused is not None and not found:
            raise refused
        return found

    def infer_source(self, spec: OutputSpec, folders: Sequence[str]) -> OutputSpec:
        """The spec with the source domain filled in, if a folder above the image names it, as in trainA.

        `folders`: their names, nearest first. Raises UserError if none does where it must be known.
        """
        task = spec.task
        if task.source is not None:
            return spec
        known = {name.casefold(): name for name in task.sources}
        for folder in folders:
            name = known.get(folder.casefold()) or known.get(side_of(folder).casefold())
            if name is not None:
                return replace(spec, task=replace(task, source=name))
        if "source" not in task.requires:
            return spec
        raise UserError(
            f"which domain is it from? No folder above it is called {_either(task.sources)}; give --from"
        )

    def codes(
        self, task: Task, options: TranslateOptions, count: int = 1, ends: int = 2
    ) -> Sequence[Array | None]:
        """The latent codes (Z,) asked for; one None where none is read.

        count: how many are drawn, ends: how many to interpolate between, where the user does not say.
        """
        size = task.latent_size
        if size == 0 or (options.reference and "reference" in task.reads):
            asked = options.samples or options.interpolate or options.latent is not None
            if size == 0 and asked and not is_all(options.to):
                raise UserError(f"translating to {task.name} reads no latent code: there is one output only")
            return [None]
        if options.latent is not None:
            codes = parse_codes(options.latent, size)  # (K, Z)
        else:
            number = options.samples or (ends if options.interpolate else count)
            bounds = None if "truncate" in task.reads else options.truncate
            codes = draw_codes(number, size, options.seed, bounds)
        if options.interpolate is None:
            return list(codes)
        if len(codes) < 2:
            raise UserError("--interpolate goes from one code to the next; give two or more")
        return list(interpolate_codes(codes, options.interpolate))


def with_codes(spec: OutputSpec, codes: Iterable[Array | None]) -> list[OutputSpec]:
    """A spec for each latent code (Z,); None where none is read."""
    return [replace(spec, latent=None if code is None else tuple(code.tolist())) for code in codes]


def inputs_of(specs: Sequence[OutputSpec]) -> dict[str, Port]:
    """The inputs that some specs read, by name; the first is the one that is translated."""
    return {name: port for spec in specs for name, port in spec.task.inputs.items()}


def folder_name(name: str) -> str:
    """A name, perhaps from a file of others, as one that a folder may bear."""
    return re.sub(r"[^\w ,.+=-]", "_", name).strip(" .")[:_LONGEST_NAME]


def about_reference(item: Item, *, named: bool = False) -> AbstractContextManager[None]:
    """Errors raised inside are about a reference; what is no file is called "reference 1" already.

    named: whether they hold its name.
    """
    if isinstance(item, FileItem):
        return about("--reference" if named else f"--reference {item.name}")
    return nullcontext() if named else about(item.name)


def _check_detail(tasks: Sequence[Task], options: TranslateOptions) -> None:
    """Raise UserError where results have no detail of the inputs to keep, or none is lost."""
    port, output = next(iter(tasks[0].inputs.values()), Port()), tasks[0].output
    if {port.kind, output.kind} != {"image"} or output.scale != 1:
        raise UserError("--detail keeps that of images whose size stays; this model does not translate such")
    if options.size is None and port.fixed is None:
        raise UserError("--detail: inputs are translated at their own size; try it with --size trained")


def _references(given: Sequence[Given], reading: Reading) -> list[Item]:
    """The reference images, those in folders one by one; each is known to be an image."""
    found: list[Item] = []
    for number, each in enumerate(given, 1):
        if isinstance(each, str | Path) and Path(each).is_dir():
            images = find_images(Path(each))
            if not images:
                raise UserError(f"--reference {each}: no images in this folder")
            found += map(FileItem, images)
        else:
            found.append(as_item(each, f"reference {number}"))
    found = [_read_as(item, reading) for item in found]
    for item in found:
        with about_reference(item, named=True):
            item.header()
    return found


def _read_as(item: Item, reading: Reading) -> Item:
    """A reference whose header is read as it will be itself."""
    if isinstance(item, ArrayItem) and item.channels_first is None:
        return replace(item, channels_first=reading.channels_first)
    return FileItem(item.path, reading) if isinstance(item, FileItem) else item


def _named(specs: list[OutputSpec]) -> list[OutputSpec]:
    """Names that differ, from the sheets' too, and can be folders: they may come from files of others."""
    taken = {SHEETS.casefold(): 1}
    named: list[OutputSpec] = []
    for spec in specs:
        name = folder_name(spec.name)
        if len(specs) > 1:
            name = name or "_"
            taken[name.casefold()] = count = taken.get(name.casefold(), 0) + 1
            name = name if count == 1 else f"{name} ({count})"
        named.append(replace(spec, name=name))
    return named


def _either(names: Sequence[str]) -> str:
    return " or ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
