"""`i2i env`: what a report of a fault should hold."""

import json
import os
import platform
import re
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, requires, version
from typing import Annotated

import typer

from i2icli import __version__
from i2icli.cli.console import output, say
from i2icli.home import VARIABLES
from i2icli.machine import total_memory
from i2icli.written import print_bytes

EXAMPLES = "For a report:  i2i env"
NOT_INSTALLED = "not installed"


def env(
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON object instead of lines")] = False,
) -> None:
    """Show versions and the machine, for reports of faults. Names no user, file or host."""
    found = dict(_facts())
    if as_json:
        print(json.dumps(found, indent=2))
        return
    console, width = output(), max(map(len, found))
    for name, text in found.items():
        say(console, f"{name:<{width}}  {text}")


def _facts() -> Iterator[tuple[str, str]]:
    yield "i2icli", __version__
    yield "Python", f"{platform.python_version()} ({platform.python_implementation()})"
    yield "system", f"{platform.system()} {platform.release()}, {platform.machine()}"
    yield "processors", str(os.cpu_count())
    if there := total_memory():
        yield "memory", print_bytes(there)
    yield from _devices()
    yield from _packages()
    yield "ffmpeg", _ffmpeg()
    yield "variables", ", ".join(map(_variable, sorted(_set()))) or "none set"


def _set() -> list[str]:
    """Variables of ours, and those that look like them."""
    return [name for name in os.environ if name.startswith("I2I_")]


def _variable(name: str) -> str:
    """A variable that is set, with its value unless that is a path."""
    if name not in VARIABLES:
        return f"{name} (no such variable)"
    return name if name in ("I2I_HOME", "I2I_RUNS") else f"{name}={os.environ[name]}"


def _devices() -> Iterator[tuple[str, str]]:
    """What torch computes on; where it does not load, why."""
    try:
        import torch
    except Exception as error:  # just what is to be reported
        yield "torch", f"does not load: {error}"
        return
    yield "threads", str(torch.get_num_threads())
    built = torch.version.cuda or torch.version.hip
    yield "torch built for", f"CUDA {built}" if torch.version.cuda else f"ROCm {built}" if built else "CPU"
    for number in range(torch.cuda.device_count()):
        properties = torch.cuda.get_device_properties(number)
        yield f"cuda:{number}", f"{properties.name}, {print_bytes(properties.total_memory)}"
    if torch.backends.mps.is_available():
        yield "mps", "available"


def _packages() -> Iterator[tuple[str, str]]:
    """The packages that i2icli and its extras need."""
    for requirement in _requirements():
        name = re.split(r"[^\w.-]", requirement, maxsplit=1)[0]
        wanted_by = requirement.partition("extra == ")[2].strip("\"' ")
        if wanted_by in ("test", "dev"):
            continue
        try:
            yield name, version(name)
        except PackageNotFoundError:
            yield name, NOT_INSTALLED + (f"; extra [{wanted_by}]" if wanted_by else ", but needed")


def _requirements() -> list[str]:
    try:
        return requires("i2icli") or []
    except PackageNotFoundError:  # run from its source, not installed
        return []


def _ffmpeg() -> str:
    """The version of the ffmpeg that videos go through."""
    try:
        from imageio_ffmpeg import get_ffmpeg_version

        return str(get_ffmpeg_version())
    except (ImportError, RuntimeError, OSError) as error:
        return f"does not start ({error})"
