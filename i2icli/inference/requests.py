"""What a user asks of a trained system, checked, as one wish for each answer a picture is to get."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from i2icli.data.layouts import VALIDATION_SPLITS
from i2icli.errors import UserError
from i2icli.image import probe
from i2icli.image.finding import find_images
from i2icli.inference.latents import between, draw_codes, given_codes
from i2icli.inference.manifest import content
from i2icli.report.sheet import SHEETS
from i2icli.system import System
from i2icli.task import ALL

_FLAGS = {"source": "from"}  # fields of a request whose option has another name
_CODES = ("samples", "latent", "interpolate", "truncate")  # options about latent codes
_SPLIT = re.compile(rf"^({'|'.join(('train', *sorted(VALIDATION_SPLITS, key=len, reverse=True)))})[ _-]?")
_LARGEST_SEED = 2**63 - 1
_LONGEST_NAME = 80  # characters of a folder's name


@dataclass(frozen=True)
class Asked:
    """The options that say what the answers should be."""

    to: str | None = None
    source: str | None = None
    references: tuple[str | Path, ...] = ()
    samples: int | None = None
    latent: "str | Path | NDArray[np.floating] | None" = None
    interpolate: int | None = None
    truncate: float | None = None  # codes are drawn from N(0, 1) within these bounds
    size: tuple[int, int] | None = None  # (height, width)
    seed: int = 0

    def settings(self) -> dict[str, object]:
        """Those that were given, by the names of their options, as plain values."""
        given = {
            "to": self.to,
            "from": self.source,
            "reference": [content(each) for each in self.references] or None,
            "samples": self.samples,
            "latent": None if self.latent is None else content(self.latent),
            "interpolate": self.interpolate,
            "truncate": self.truncate,
            "size": list(self.size) if self.size else None,
            "seed": self.seed,
        }
        return {name: value for name, value in given.items() if value is not None}


@dataclass(frozen=True)
class Wish:
    """One answer that is asked for every picture."""

    name: str = ""  # tells it from the others; empty where it is the only one
    to: str | None = None
    source: str | None = None
    reference: Path | None = None
    latent: Tensor | None = None  # (Z,)
    size: tuple[int, int] | None = None  # (height, width) that inputs are resized to
    seed: int = 0


def make_wishes(system: System[Any], asked: Asked) -> list[Wish]:
    """Every target with every reference and every latent code that was asked for.

    Raises UserError, naming what the system takes instead, for what it does not read or know,
    and for what a target needs and was not given.
    """
    check_options(system, asked)
    references = _references(asked.references)
    wishes: list[Wish] = []
    source = _source(system, asked.source)
    targets = resolve_targets(system, asked.to, source)
    for to in targets:
        if "reference" in system.needs(to) and not references:
            way = f" to {to}" if to else ""
            raise UserError(f"translating{way} needs --reference: the image whose look is taken over")
        codes = _codes(system, to, asked)
        reads = "reference" in system.reads(to)
        if references and not reads and len(targets) == 1:
            raise UserError(f"translating to {to} reads no --reference: there is one answer only")
        for reference in references if references and reads else (None,):
            for number, latent in enumerate(codes, 1):
                names = [to] if len(targets) > 1 and to else []
                names += [reference.stem] if reference and len(references) > 1 else []
                names += [f"{number:0{len(str(len(codes)))}}"] if len(codes) > 1 else []
                wishes.append(Wish(" ".join(names), to, source, reference, latent, asked.size, asked.seed))
    return _named(wishes)


def infer_source(system: System[Any], wish: Wish, folders: Sequence[str]) -> Wish:
    """The wish with the source domain filled in, if a folder above the picture names it, as in trainA.

    `folders`: their names, nearest first. Raises UserError if none does where it must be known.
    """
    if wish.source is not None:
        return wish
    known = {name.casefold(): name for name in system.sources()} if system.sources_are_folders else {}
    for folder in map(str.casefold, folders):
        name = known.get(folder) or known.get(_SPLIT.sub("", folder))
        if name is not None:
            return replace(wish, source=name)
    if "source" not in system.needs(wish.to):
        return wish
    raise UserError(
        f"which domain is it from? No folder above it is called {_either(system.sources())}; say --from"
    )


def check_options(system: System[Any], asked: Asked) -> None:
    """Raise UserError for options that the system does not read, naming what it takes, or that clash."""
    name, accepts = type(system).__name__, system.accepts
    fields = {
        "to": asked.to,
        "source": asked.source,
        "reference": asked.references or None,
        "latent": next((flag for flag in _CODES if getattr(asked, flag) is not None), None),
    }
    for field, value in fields.items():
        if value is not None and field not in accepts:
            others = ", ".join(f"--{_FLAGS.get(each, each)}" for each in sorted(accepts - {"image"}))
            takes = f"it takes {others}" if others else "it translates images in one way only"
            flag = value if field == "latent" else _FLAGS.get(field, field)
            raise UserError(f"{name} has no --{flag}; {takes}")
    if asked.references and fields["latent"] is not None:
        raise UserError("--reference and latent codes both decide the look; give one of them")
    if asked.latent is not None and (asked.samples is not None or asked.truncate is not None):
        raise UserError("--latent gives the codes that would be drawn; leave out --samples and --truncate")
    if asked.truncate is not None and not asked.truncate > 0:
        raise UserError(f"--truncate {asked.truncate:g}: expected a positive number, such as 0.7")
    if not 0 <= asked.seed <= _LARGEST_SEED:
        raise UserError(f"--seed {asked.seed}: expected a whole number from 0 to {_LARGEST_SEED}")
    for flag, number, least in (("samples", asked.samples, 1), ("interpolate", asked.interpolate, 2)):
        if number is not None and number < least:
            raise UserError(f"--{flag} {number}: expected {least} or more")


def resolve_targets(system: System[Any], to: str | None, source: str | None = None) -> list[str | None]:
    """The targets that `--to` means: the default, one, or all of those that images of a source can have.

    Raises UserError listing those there are.
    """
    known = system.targets()
    if to is None:
        return [known[0] if known else None]
    if is_all(to) and to not in known:
        return list(system.targets_from(source))
    try:
        return [system.resolve_target(to)]
    except UserError as error:
        every = f"; {ALL} means every one" if len(known) > 1 else ""
        raise UserError(f"--to {to}: {error}{every}") from None


def is_all(to: str | None) -> bool:
    """Whether `--to` means every target."""
    return to is not None and to.casefold() == ALL


def _source(system: System[Any], source: str | None) -> str | None:
    try:
        return None if source is None else system.resolve_source(source)
    except UserError as error:
        raise UserError(f"--from {source}: {error}") from None


def _references(given: Sequence[str | Path]) -> list[Path]:
    """The reference images, folders opened; each is known to be an image."""
    found: list[Path] = []
    for each in map(Path, given):
        images = find_images(each) if each.is_dir() else [each]
        if not images:
            raise UserError(f"--reference {each}: no images in this folder")
        found += images
    for each in found:
        try:
            probe(each)
        except UserError as error:
            raise UserError(f"--reference: {error}") from None
    return found


def _codes(system: System[Any], to: str | None, asked: Asked) -> Sequence[Tensor | None]:
    """The latent codes (Z,) asked for; one None where the system reads none or a reference decides."""
    size = system.latent_size(to)
    if size == 0 or asked.references:
        if (
            size == 0
            and (asked.samples or asked.interpolate or asked.latent is not None)
            and not is_all(asked.to)
        ):
            raise UserError(f"translating to {to} reads no latent code: there is one answer only")
        return [None]
    if asked.latent is not None:
        codes = given_codes(asked.latent, size)  # (K, Z)
    else:
        codes = draw_codes(asked.samples or (2 if asked.interpolate else 1), size, asked.seed, asked.truncate)
    if asked.interpolate is None:
        return list(codes)
    if len(codes) < 2:
        raise UserError("--interpolate goes from one code to the next; give two or more")
    return list(between(codes, asked.interpolate))


def folder_name(name: str) -> str:
    """A name, perhaps from a file of others, as one that a folder may bear."""
    return re.sub(r"[^\w ,.+=-]", "_", name).strip(" .")[:_LONGEST_NAME]


def _named(wishes: list[Wish]) -> list[Wish]:
    """Names that differ, from the sheets' too, and can be folders: they may come from files of others."""
    taken = {SHEETS.casefold(): 1}
    named: list[Wish] = []
    for wish in wishes:
        name = folder_name(wish.name)
        if len(wishes) > 1:
            name = name or "_"
            taken[name.casefold()] = count = taken.get(name.casefold(), 0) + 1
            name = name if count == 1 else f"{name} ({count})"
        named.append(replace(wish, name=name))
    return named


def _either(names: Sequence[str]) -> str:
    return " or ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
