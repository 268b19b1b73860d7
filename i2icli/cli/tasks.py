"""A model's tasks in words: what goes in, what comes out, which options count."""

from collections.abc import Iterator, Sequence

from i2icli.task import Port, Task
from i2icli.written import counted

MOST = 12  # tasks that are listed one by one

_OPTIONS = {"to": "--to", "source": "--from", "reference": "--reference", "latent": "--samples, --latent"}
_BITS = {"uint8": "8 bit", "uint16": "16 bit", "int16": "signed 16 bit", "float32": "floats"}
_OPTIONS |= {"style": "--style", "truncate": "--truncate"}


def task_lines(tasks: Sequence[Task]) -> Iterator[str]:
    """One line for each task, the default first; the last line counts those that are left out."""
    for number, task in enumerate(tasks[:MOST]):
        yield _line(task, default=number == 0 and len(tasks) > 1)
    if len(tasks) > MOST:
        yield f"and {len(tasks) - MOST:,} more"


def default_line(names: Sequence[str]) -> str:
    """What a translation without --to makes of the targets that there are, two or more, and how to choose."""
    others = ", ".join(names[1:9]) + (", ..." if len(names) > 9 else "")
    if len(names) == 2:
        return f"translating to {names[0]} (default); --to {others} for the other way"
    return f"translating to {names[0]} (default); other targets for --to: {others}"


def _line(task: Task, *, default: bool) -> str:
    given = ", ".join(_input(name, port) for name, port in task.inputs.items())
    if task.generates:
        given = f"latent code of {counted(task.latent_size, 'number')}"
    name = f"to {task.name}" if task.name else "generate" if task.generates else "translate"
    read = [_OPTIONS[each] for each in _OPTIONS if each in task.reads]
    needed = [_OPTIONS[each] for each in _OPTIONS if each in task.requires]
    options = f"; options: {', '.join(read)}" if read else ""
    options += f"; needs {', '.join(needed)}" if needed else ""
    options += "; remembers the frames before, see i2i video" if task.memory else ""
    return f"{name}{' (default)' if default else ''}: {given} -> {_port('image', task.output)}{options}"


def _input(name: str, port: Port) -> str:
    """An input in a few words: "image of 3 channels, sides padded to multiples of 4"."""
    padded = f", sides padded to multiples of {port.multiple}" if port.multiple > 1 else ""
    if port.condition is not None:
        name = f"{name} ({port.condition.kind} of the image given)"
    return _port(name, port) + padded + (" (optional)" if port.instead else "")


def _port(name: str, port: Port) -> str:
    """An input or output in a few words: "image of 3 channels, 2 times the size"."""
    known = port.labels
    classes = counted(len(known.classes) if known is not None else port.channels, "class")
    classes += " and unlabelled" if known is not None and known.dont_care else ""
    what = {"labels": classes, "instances": "ids"}.get(port.kind)
    words = [f"{name} of {what or _counted(port.channels)}"]
    if port.parts:
        words[0] += f" ({' + '.join(f'{part.name} {part.channels}' for part in port.parts)})"
    if port.fixed is not None:
        height, width = port.fixed
        words.append(f"{width}x{height} px")
    if port.reading.alpha:
        words.append("the last transparency")
    if port.range is not None:
        words.append(f"values {port.range}")
    if port.dtype is not None:
        words.append(_BITS.get(port.dtype, port.dtype))
    if port.scale != 1:
        words.append(f"{port.scale:g} times the size")
    return ", ".join(words)


def _counted(channels: int) -> str:
    return "1 channel" if channels == 1 else f"{channels} channels"
