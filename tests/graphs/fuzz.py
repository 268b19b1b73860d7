"""Thousands of damaged graphs, opened, loaded and run under limits of memory and time.

`python -m tests.graphs.fuzz FOLDER COUNT SEED [--only-look]` prints how many ended how; its exit code is 0 if
each ended with a result or a UserError of one line.
"""

import random
import resource
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from i2icli.errors import UserError
from i2icli.graphs.graph_file import open_graph
from i2icli.graphs.sessions import open_session

SLOW = 10.0  # seconds that no file may take
MEMORY = 8 * 2**30  # bytes of addresses; a runtime maps one or two itself


def flipped(data: bytes, draw: random.Random) -> bytes:
    """Some bytes replaced."""
    found = bytearray(data)
    for _ in range(draw.choice([1, 1, 2, 4, 16])):
        found[draw.randrange(len(found))] = draw.choice([0, 1, 0x7F, 0x80, 0xFF, draw.randrange(256)])
    return bytes(found)


def cut(data: bytes, draw: random.Random) -> bytes:
    """The beginning only."""
    return data[: draw.randrange(len(data))]


def spliced(data: bytes, draw: random.Random) -> bytes:
    """A piece repeated, moved or left out."""
    start, end = sorted(draw.randrange(len(data)) for _ in range(2))
    at = draw.randrange(len(data))
    return draw.choice([data[:start] + data[end:], data[:at] + data[start:end] + data[at:]])


def enlarged(data: bytes, draw: random.Random) -> bytes:
    """A large number in place of a byte: a length, a side, a type."""
    at = draw.randrange(len(data))
    number = draw.choice([2**7, 2**14, 2**31 - 1, 2**32, 2**63 - 1, 2**64 - 1])
    encoded = bytearray()
    while number > 127:
        encoded.append(number & 127 | 128)
        number >>= 7
    encoded.append(number)
    return data[:at] + bytes(encoded) + data[at + 1 :]


def reworded(data: bytes, draw: random.Random) -> bytes:
    """A number or word of a text replaced by an absurd one."""
    words = [
        b"-1",
        b"0",
        b"99999999999999999999",
        b"1e999",
        b"",
        b"Loop",
        b"..",
        b"<a>" * 50,
        b"&a;",
        b"\xff",
    ]
    places = [at for at in range(1, len(data)) if data[at - 1 : at] in b'"> ,']
    if not places:
        return flipped(data, draw)
    at = draw.choice(places)
    return data[:at] + draw.choice(words) + data[at + draw.randrange(8) :]


MUTATIONS: list[Callable[[bytes, random.Random], bytes]] = [flipped, cut, spliced, enlarged, reworded]


def mutated(files: list[Path], folder: Path, count: int, draw: random.Random) -> Iterator[Path]:
    """Some damaged copies of files, one after the other in one place, and the others whole beside them."""
    wholes = {path: path.read_bytes() for path in files}
    for _ in range(count):
        victim = draw.choice(files)
        data = wholes[victim]
        for _ in range(draw.choice([1, 1, 2, 3])):
            data = draw.choice(MUTATIONS)(data, draw) or b"\0"
        for path in files:
            (folder / path.name).write_bytes(data if path == victim else wholes[path])
        yield folder / (victim.with_suffix(".xml") if victim.suffix == ".bin" else victim).name


def outcome(path: Path, *, only_look: bool = False) -> str:
    """How it ended."""
    start = time.perf_counter()
    try:
        found = open_graph(path)
        if only_look:
            return "open"
        session = open_session(found)
        inputs = found.metadata.inputs
        shapes = {
            name: [side if isinstance(side, int) else 4 for side in each.shape]
            for name, each in inputs.items()
        }
        if sum(np.prod(shape, dtype=float) for shape in shapes.values()) > 1e7:
            return "open, inputs too large to try"
        session.run({name: np.zeros(shape, inputs[name].dtype) for name, shape in shapes.items()})
    except UserError as error:
        text = str(error)
        assert text.isprintable(), text
        assert len(text) < 1000, text
        return "refused before" if "not run, as" in text or "damaged" in text else "refused"
    except MemoryError:
        return "out of memory"
    finally:
        took = time.perf_counter() - start
        assert took < SLOW, f"{path} took {took:.1f} s"
    return "run"


def main(folder: Path, count: int, seed: int, *, only_look: bool) -> Counter[str]:
    """Damage the graphs in a folder so often, and count how they end."""
    files = [path for path in sorted(folder.iterdir()) if path.suffix in (".onnx", ".xml", ".bin")]
    into = folder / "damaged"
    into.mkdir(exist_ok=True)
    damaged = mutated(files, into, count, random.Random(seed))
    return Counter(outcome(path, only_look=only_look) for path in damaged)


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    arguments = [each for each in sys.argv[1:] if each != "--only-look"]
    print(main(Path(arguments[0]), *map(int, arguments[1:3]), only_look="--only-look" in sys.argv))
