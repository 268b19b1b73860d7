"""The zip archives of torch.save, opened after a look at what they claim to hold."""

import struct
import zipfile
from pathlib import Path
from typing import IO

from i2icli.originals.pickle_machine import TOO_MUCH, RefusedError

LARGEST_DIRECTORY = 16 * 2**20  # bytes: some 200,000 records
PART = 2**20  # bytes that are read at once
LARGEST_PICKLE = 64 * 2**20  # bytes of the description of all tensors; large ones have a megabyte
_END, _END_64, _LOCATOR_64 = b"PK\5\6", b"PK\6\6", b"PK\6\7"
_TAIL = 2**16 + 22  # bytes at the end of a file in which its directory is announced


class Archive:
    """The records of a file; each is read when it is asked for, and checked against its sum."""

    def __init__(self, path: Path) -> None:
        """Raises RefusedError, or what zipfile raises, for an archive that torch.save does not write."""
        with path.open("rb") as file:
            if _directory_size(file) > LARGEST_DIRECTORY:
                raise RefusedError(TOO_MUCH)
        self.zip = zipfile.ZipFile(path)
        self.records = {record.filename: record for record in self.zip.infolist()}
        if any(record.compress_type != zipfile.ZIP_STORED for record in self.records.values()):
            raise RefusedError("it holds compressed records, which torch.save never writes")
        if sum(record.file_size for record in self.records.values()) > path.stat().st_size:
            raise RefusedError(TOO_MUCH)
        names = [name for name in self.records if name.rpartition("/")[2] == "data.pkl"]
        if len(names) != 1:
            raise RefusedError("it is no archive of torch.save")
        self.root = names[0].removesuffix("data.pkl")

    def size(self, name: str) -> int:
        """Bytes of a record. Raises RefusedError if there is none."""
        record = self.records.get(self.root + name)
        if record is None:
            raise RefusedError("some of its values are missing")
        return record.file_size

    def has(self, name: str) -> bool:
        """Whether there is such a record, or a folder of that name."""
        start = self.root + name
        return any(each == start or each.startswith(f"{start}/") for each in self.records)

    def read(self, name: str) -> bytes:
        """A record. Raises RefusedError if there is none, and what zipfile raises for a damaged one."""
        self.size(name)
        record = self.records[self.root + name]
        if record.CRC == 0:  # as torch.save writes where it is told to compute no sums
            record.CRC = None  # type: ignore[assignment]
        with self.zip.open(record) as file:
            return file.read()

    def check_sums(self) -> None:
        """Read every record, in parts, against its sum. Raises what zipfile raises for a damaged one."""
        for record in self.records.values():
            if record.CRC == 0:
                continue  # none was computed, or there is nothing in it
            with self.zip.open(record) as file:
                while file.read(PART):
                    pass

    def pickle(self) -> bytes:
        """The description of what the records mean."""
        if self.size("data.pkl") > LARGEST_PICKLE:
            raise RefusedError(TOO_MUCH)
        return self.read("data.pkl")


def is_archive(path: Path) -> bool:
    """Whether a file begins like one."""
    with path.open("rb") as file:
        return file.read(4) == b"PK\3\4"


def _directory_size(file: IO[bytes]) -> int:
    """Bytes of the directory, as announced at the end of the file; 0 if nothing is announced there."""
    length = file.seek(0, 2)
    file.seek(max(0, length - _TAIL))
    tail = file.read()
    place = tail.rfind(_END)
    if place < 0 or place + 20 > len(tail):
        return 0  # zipfile will refuse it
    (size,) = struct.unpack_from("<I", tail, place + 12)
    locator = place - 20
    if locator < 0 or tail[locator : locator + 4] != _LOCATOR_64:
        return int(size)
    (start,) = struct.unpack_from("<Q", tail, locator + 8)
    file.seek(min(start, length))
    record = file.read(56)
    if len(record) < 56 or record[:4] != _END_64:
        return int(size)
    return max(int(size), int(struct.unpack_from("<Q", record, 40)[0]))
