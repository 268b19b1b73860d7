"""Changes of good files, drawn from a seed: bits, sectors, ends, lengths, numbers in texts."""

import random
import re
import zipfile
from collections.abc import Callable
from io import BytesIO

from tests.hostile.kinds import Parts

LARGE = (0, 1, 0x7F, 0xFF, 2**16 - 1, 2**31 - 1, 2**32 - 1, 2**40, 2**63 - 1, 2**64 - 1)


def changed(data: bytes, parts: Parts, chance: random.Random) -> bytes:
    """The file after one to four changes, at times of what lies inside its checksums."""
    if parts == "zip" and chance.random() < 0.7:
        return _in_zip(data, chance)
    if parts == "safetensors" and chance.random() < 0.7:
        return _in_header(data, chance)
    return _several(data, chance)


def _several(data: bytes, chance: random.Random) -> bytes:
    for _ in range(chance.randint(1, 4)):
        data = chance.choice(_CHANGES)(data, chance) if data else data
    return data


def _in_zip(data: bytes, chance: random.Random) -> bytes:
    """The description of the tensors changed, in an archive that is right again."""
    target = BytesIO()
    with zipfile.ZipFile(BytesIO(data)) as source, zipfile.ZipFile(target, "w") as archive:
        for record in source.infolist():
            content = source.read(record)
            if record.filename.endswith("data.pkl"):
                content = _several(content, chance)
            elif chance.random() < 0.02:
                continue
            archive.writestr(record.filename, content)
    return target.getvalue()


def _in_header(data: bytes, chance: random.Random) -> bytes:
    """The header changed, and its length right again."""
    size = int.from_bytes(data[:8], "little")
    header = _several(data[8 : 8 + size], chance)
    return len(header).to_bytes(8, "little") + header + data[8 + size :]


def _bit(data: bytes, chance: random.Random) -> bytes:
    place = chance.randrange(len(data))
    return data[:place] + bytes([data[place] ^ 1 << chance.randrange(8)]) + data[place + 1 :]


def _byte(data: bytes, chance: random.Random) -> bytes:
    place = chance.randrange(len(data))
    return data[:place] + bytes([chance.randrange(256)]) + data[place + 1 :]


def _cut(data: bytes, chance: random.Random) -> bytes:
    return data[: chance.randrange(len(data))]


def _sector(data: bytes, chance: random.Random) -> bytes:
    place, length = chance.randrange(len(data)), chance.choice((16, 64, 512))
    return data[:place] + bytes(min(length, len(data) - place)) + data[place + length :]


def _number(data: bytes, chance: random.Random) -> bytes:
    place, length = chance.randrange(len(data)), chance.choice((1, 2, 4, 8))
    number = (chance.choice(LARGE) % 256**length).to_bytes(length, chance.choice(("little", "big")))
    return data[:place] + number + data[place + length :]


def _moved(data: bytes, chance: random.Random) -> bytes:
    start, length, place = chance.randrange(len(data)), chance.randint(1, 200), chance.randrange(len(data))
    return data[:place] + data[start : start + length] + data[place:]


def _left_out(data: bytes, chance: random.Random) -> bytes:
    place = chance.randrange(len(data))
    return data[:place] + data[place + chance.randint(1, 100) :]


def _digits(data: bytes, chance: random.Random) -> bytes:
    """A number that stands there in digits becomes another one."""
    found = list(re.finditer(rb"\d+", data[:20_000]))
    if not found:
        return data
    match = chance.choice(found)
    number = chance.choice((b"-1", b"1e999", b"9" * 5000, *(str(each).encode() for each in LARGE)))
    return data[: match.start()] + number + data[match.end() :]


_CHANGES: tuple[Callable[[bytes, random.Random], bytes], ...] = (
    _bit, _byte, _cut, _sector, _number, _moved, _left_out, _digits,
)  # fmt: skip
