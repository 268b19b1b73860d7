"""What a setting accepts, in words, for help texts and for errors. No torch here."""

from collections.abc import Callable, Mapping
from difflib import get_close_matches
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from i2icli.classes import LabelClass
from i2icli.config import Config, Size
from i2icli.errors import UserError
from i2icli.setting_types import NewSize
from i2icli.written import DURATION, Moment, Seconds

C = TypeVar("C", bound=Config)

Kind = Literal["flag", "choice", "size", "time", "list", "paths", "pairs", "int", "number", "path", "text"]

_WORDS: dict[Kind, str] = {
    "flag": "yes or no",
    "size": "pixels like 256, or WIDTHxHEIGHT like 512x256",
    "time": DURATION,
    "list": "values joined by commas",
    "int": "a whole number",
    "number": "a number",
    "path": "a path",
    "paths": "paths, the option repeated for each",
    "pairs": "NAME=VALUE, the option repeated for each",
    "text": "a text",
}

MOST_SHOWN = 80  # characters of a value that is refused
_BOUNDS = {"ge": "at least", "gt": "more than", "le": "at most", "lt": "less than"}


def kind(field: FieldInfo) -> Kind:
    """What sort of value a setting takes."""
    annotation, metadata = _unwrapped(field)
    if annotation is bool:
        return "flag"
    if get_origin(annotation) is Literal:
        return "choice"
    if _parser(Size) in metadata or _parser(NewSize) in metadata:
        return "size"
    if _parser(Seconds) in metadata or _parser(Moment) in metadata:
        return "time"
    if get_origin(annotation) is tuple:
        element = get_args(annotation)[0]
        return "path" if element is LabelClass else "paths" if element is Any else "list"
    if get_origin(annotation) is Mapping:
        return "pairs"
    if annotation is int:
        return "int"
    if annotation is float:
        return "number"
    return "path" if annotation is Path else "text"


def choices(field: FieldInfo) -> tuple[str, ...]:
    """The values of a choice; empty for every other kind."""
    annotation, _ = _unwrapped(field)
    return tuple(map(str, get_args(annotation))) if get_origin(annotation) is Literal else ()


def allowed(field: FieldInfo) -> str:
    """What a setting accepts: "a whole number, at least 1"."""
    sort = kind(field)
    if sort == "choice":
        return "one of " + ", ".join(choices(field))
    example = f" like {show(field.default)}" if sort == "list" and field.default else ""
    return ", ".join([_WORDS[sort] + example, *_limits(field)])


def show(value: object) -> str:
    """A value as the command line takes it: (0.5, 0.999) -> "0.5,0.999", 200.0 -> "200"."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.12g}"
    if isinstance(value, list | tuple):
        return ",".join(show(part) for part in value)
    if isinstance(value, Mapping):
        return ",".join(f"{name}={show(part)}" for name, part in value.items())
    return str(value)


def show_time(seconds: float) -> str:
    """300.0 -> "5m"; 90.0 -> "90s"."""
    for unit, length in (("h", 3600), ("m", 60)):
        if seconds >= length and seconds % length == 0:
            return f"{seconds / length:g}{unit}"
    return f"{seconds:g}s"


def shown_defaults(model: type[BaseModel]) -> dict[str, str | None]:
    """The default of every setting as text; None where there is none."""
    values = model().model_dump()
    shown: dict[str, str | None] = {}
    for name, field in model.model_fields.items():
        value = values[name]
        if value is None:
            shown[name] = None
        else:
            shown[name] = show_time(value) if kind(field) == "time" else show(value)
    return shown


def flag(name: str) -> str:
    """The option of a setting: crop_size -> --crop-size."""
    return "--" + name.replace("_", "-")


def close(name: str, model: type[BaseModel], spell: Callable[[str], str]) -> str:
    """A hint "; did you mean --crop-size?", empty if no setting has a name like it."""
    near = get_close_matches(name.replace("-", "_"), list(model.model_fields), n=1)
    return f"; did you mean {spell(near[0])}?" if near else ""


def explain(error: ValidationError, model: type[BaseModel], spell: Callable[[str], str]) -> str:
    """The first complaint of a validation as one line: the setting, the value, what is allowed.

    `spell` says how the user wrote a setting's name: a flag, a key of a recipe, a Python argument.
    """
    first = error.errors(include_url=False)[0]
    name = str(first["loc"][0]) if first["loc"] else ""
    reason = first.get("ctx", {}).get("error")
    if first["type"] == "extra_forbidden":
        return f"there is no setting {spell(name)}{close(name, model, spell)}"
    if name not in model.model_fields:
        return str(reason or first["msg"])
    value = show(first["input"]) or "''"
    value = value if len(value) <= MOST_SHOWN else f"{value[:MOST_SHOWN]}..."
    if first["type"] == "too_long":
        reason = "{actual_length:,} are too many; expected at most {max_length:,}".format(**first["ctx"])
    return f"{spell(name)} {value}: {reason or 'expected ' + allowed(model.model_fields[name])}"


def completed(config: C, found: Mapping[str, Any]) -> C:
    """`Config.with_found`. Raises UserError if what was found contradicts what was asked for."""
    try:
        return config.with_found(found)
    except ValidationError as error:
        raise UserError(explain(error, type(config), flag)) from error


def _unwrapped(field: FieldInfo) -> tuple[Any, list[Any]]:
    """A field's type without `| None` and `Annotated`, and everything that was annotated to it."""
    annotation: Any = field.annotation
    metadata = list(field.metadata)
    if get_origin(annotation) in (Union, UnionType):
        annotation = next(part for part in get_args(annotation) if part is not type(None))
    while get_origin(annotation) is Annotated:
        annotation, *more = get_args(annotation)
        metadata += more
    for info in [entry for entry in metadata if isinstance(entry, FieldInfo)]:
        metadata += info.metadata
    return annotation, metadata


def _parser(annotated: Any) -> Any:
    """The first validator-like annotation of Size or Seconds, which tells the type apart from others."""
    return next(part for part in get_args(annotated)[1:] if not isinstance(part, FieldInfo))


def _limits(field: FieldInfo) -> list[str]:
    """The bounds of a setting in words, from the `ge=`, `gt=`, `le=`, `lt=` of its field."""
    return [
        f"{word} {getattr(entry, bound)}"
        for entry in _unwrapped(field)[1]
        for bound, word in _BOUNDS.items()
        if hasattr(entry, bound)
    ]
