"""Key frames of a video: decoded alone, sought one by one or picked in one pass. They show most detail."""

import re
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from fractions import Fraction
from os import cpu_count

import numpy as np
from numpy.typing import NDArray

from i2icli.video.colours import reading_filter
from i2icli.video.ffmpeg import input_words, running
from i2icli.video.info import VideoInfo

_AT_ONCE = 4  # processes: most of their time is their start
_BASE = re.compile(r"\[Parsed_showinfo_\d+ @ \w+\] config in time_base: (\d{1,10})/(\d{1,10}),")
_TIME = re.compile(r"\[Parsed_showinfo_\d+ @ \w+\] n: *\d+ pts: *(-?\d{1,18}) ")


@dataclass(frozen=True, eq=False)
class KeyFrame:
    """A decoded key frame."""

    time: Fraction  # seconds, in the file
    pixels: NDArray[np.uint8]  # (H, W, 3)


def seek_key_frames(info: VideoInfo, times: Sequence[Fraction]) -> list[KeyFrame]:
    """The key frames at or before some times, in seconds from the beginning: each once, in order.

    Fewer where several times share one, where a file ends early or cannot be sought.
    """
    with ThreadPoolExecutor(min(_AT_ONCE, cpu_count() or 1)) as pool:
        found = [frame for each in pool.map(lambda time: _sought(info, time), times) for frame in each]
    return _each_once(found)


def pick_key_frames(info: VideoInfo, indices: Sequence[int]) -> list[KeyFrame]:
    """Key frames by their index among all key frames, in one pass that decodes no other frames."""
    wanted = "+".join(f"eq(n,{index})" for index in sorted(set(indices)))
    return _each_once(_decoded(info, (), f"select=key,select='{wanted}',", len(set(indices))))


def _each_once(frames: Sequence[KeyFrame]) -> list[KeyFrame]:
    found = {frame.time: frame for frame in frames}
    return [found[time] for time in sorted(found)]


def _sought(info: VideoInfo, time: Fraction) -> list[KeyFrame]:
    """The key frame at or before a time, none or one; also the one behind it, where a file lands anywhere."""
    return _decoded(info, ("-noaccurate_seek", "-ss", f"{float(time):.6f}"), "", 1)


def _decoded(info: VideoInfo, seek: Sequence[str], select: str, number: int) -> list[KeyFrame]:
    """At most `number` key frames of one ffmpeg."""
    base, times = Fraction(1, 1000), []

    def listen(line: str) -> bool:
        nonlocal base
        if told := _BASE.match(line):
            base = Fraction(int(told[1]), int(told[2]) or 1)
        elif told := _TIME.match(line):
            times.append(int(told[1]) * base)
        return told is not None

    # One thread: several wait for several key frames, and read on for them.
    options = ("-threads", "1", "-skip_frame", "nokey", *seek)
    filters = f"{select}showinfo=checksum=0,{reading_filter(info)},format=rgb24"
    words = ["-loglevel", "info", "-nostats", "-copyts", *input_words(info.path, *options)]
    words += ["-map", "0:V:0", "-map_metadata", "-1", "-fps_mode", "passthrough", "-enc_time_base", "demux"]
    words += ["-vf", filters, "-frames:v", str(number), "-f", "rawvideo", "pipe:1"]
    height, width = info.size
    data = bytearray()
    with running(words, listen=listen) as child:
        while part := child.output.read(1 << 20):
            data += part
        child.wait()
    size = height * width * 3
    whole = np.frombuffer(data, np.uint8)[: len(data) // size * size].reshape(-1, height, width, 3)
    return [KeyFrame(time, pixels) for time, pixels in zip(times, whole, strict=False)]
