"""The packets of a video stream: their times, without decoding. They tell where a frame lies."""

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from i2icli.video.ffmpeg import input_words, running

_MAX_PACKETS = 50_000_000  # more is an attack: nine days at 60 frames/s
_DISCARD, _KEY = 4, 1  # flags of a packet


@dataclass(frozen=True, eq=False)
class Packets:
    """Packets that hold something and are displayed, in the order of display."""

    time_base: Fraction
    times: NDArray[np.int64]  # (N,), in units of the time base, ascending
    keys: NDArray[np.bool_]  # (N,): whether decoding can begin there
    last_duration: int  # in units of the time base
    exact: bool  # every packet has its own time: none missing, none twice


def read_packets(path: Path) -> Packets:
    """Go through a file without decoding it. A file that cannot be read has no packets."""
    words = ["-v", "error", "-copyts", *input_words(path), "-map", "0:V:0", "-c", "copy", "-copyinkf"]
    base = Fraction(1, 1000)
    times: list[int] = []
    keys: list[bool] = []
    last, missing = 0, False
    with running([*words, "-f", "framecrc", "pipe:1"]) as child:
        rest = b""
        while part := child.output.read(1 << 16):
            *lines, rest = (rest + part).split(b"\n")
            for line in lines:
                if line.startswith(b"#tb 0: "):
                    base = Fraction(line[7:].decode())
                fields = line.split(b",")
                if line.startswith(b"#") or len(fields) < 6 or int(fields[4]) == 0:
                    continue
                flags = int(fields[6].strip()[2:], 16) if fields[6:] and b"F=" in fields[6] else _KEY
                if flags & _DISCARD or len(times) >= _MAX_PACKETS:
                    continue
                time = int(fields[2]) if fields[2].strip() != b"NOPTS" else np.iinfo(np.int64).min
                if abs(time) > 1 << 62:
                    missing, time = True, int(fields[1])
                times.append(time)
                keys.append(bool(flags & _KEY))
                last = int(fields[3])
    order = np.argsort(np.array(times, np.int64), kind="stable")
    sorted_times = np.array(times, np.int64)[order]
    exact = not missing and bool((np.diff(sorted_times) > 0).all())
    return Packets(base, sorted_times, np.array(keys, bool)[order], last, exact)


def count_packets(path: Path) -> int:
    """The number of packets of the video in a file: of its frames, where we wrote it."""
    return len(read_packets(path).times)
