"""A few frames of a video, spread over it: key frames first, sought where the file allows it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from i2icli.errors import UserError
from i2icli.video.damage import Damage
from i2icli.video.decoding import Decoded, decode, known_packets
from i2icli.video.info import VideoInfo
from i2icli.video.key_frames import KeyFrame, pick_key_frames, seek_key_frames
from i2icli.video.probing import describe, with_packets
from i2icli.video.ranges import read_range

_DECODED = 1000  # frames at most that are decoded for those beside the key frames; longer videos are sought
_FASTEST = 120  # frames per second: what a header says beyond is a unit of time, not a rate

Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class VideoSample:
    """Some frames of a video."""

    frames: list[Pixels]  # (H, W, 3) each: key frames, then others
    keys: int  # number of key frames
    bits_per_pixel: float  # of the whole file, audio included


def sample_frames(path: Path, number: int) -> VideoSample:
    """At most `number` frames, evenly spaced: key frames as far as there are, then others.

    Key frames are sought, so that the length of a video hardly matters. Where that does not give enough, its
    packets are counted; where there are not enough key frames, at most 1,000 other frames are decoded, those
    behind them. Raises UserError if the video cannot be read.
    """
    info = describe(path)
    keys: list[KeyFrame] = []
    length = _told_length(info)
    if info.duration and length > _DECODED:
        keys = seek_key_frames(
            info, [info.duration * (2 * index + 1) / (2 * number) for index in range(number)]
        )
    others: list[Pixels] = []
    if len(keys) < number:
        info = with_packets(info)
        length = info.frames or 1
        keys = _picked(info, keys, number)
        others = _others(info, keys, number - len(keys))
    if not keys and not others:
        raise UserError(f"cannot read {path}: no frames", exit_code=1)
    height, width = info.size
    frames = [key.pixels for key in keys] + others
    return VideoSample(frames, len(keys), 8 * path.stat().st_size / (height * width * length))


def _told_length(info: VideoInfo) -> int:
    """The number of frames by the header; 0: it does not say."""
    if not info.duration or not info.rate or info.rate > _FASTEST:
        return 0
    return round(info.duration * info.rate)


def _picked(info: VideoInfo, sought: list[KeyFrame], number: int) -> list[KeyFrame]:
    """The key frames found so far, or more of them if the packets tell of more."""
    assert info.packets
    there = int(info.packets.keys.sum())
    if there <= len(sought):
        return sought
    found = pick_key_frames(info, _spread(there, number))
    return found if len(found) > len(sought) else sought


def _others(info: VideoInfo, keys: Sequence[KeyFrame], number: int) -> list[Pixels]:
    """At most `number` frames that are none of the key frames."""
    if number <= 0:
        return []
    packets = known_packets(info)
    if packets:
        ticks = {key.time / info.time_base for key in keys}
        is_key = [tick in ticks for tick in packets.times.tolist()]
    else:  # times may be guesses, and differ between two readings
        seen = {_excerpt(key.pixels) for key in keys}
        is_key = [_excerpt(frame.pixels) in seen for frame in _beginning(info)]
    if len(is_key) > _DECODED and keys:
        return _behind(info, [index for index, key in enumerate(is_key) if key], number)
    rest = [index for index, key in enumerate(is_key[:_DECODED]) if not key]
    wanted = {rest[place] for place in _spread(len(rest), number)}
    return [frame.pixels for frame in _beginning(info) if frame.index in wanted]


def _excerpt(pixels: Pixels) -> bytes:
    """A few pixels, by which a frame is recognised."""
    return pixels[::8, ::8].tobytes()


def _beginning(info: VideoInfo) -> Iterator[Decoded]:
    """The first frames, as many as may be decoded."""
    return islice(decode(info, Damage(), alpha=False, deep=False), _DECODED)


def _behind(info: VideoInfo, keys: Sequence[int], number: int) -> list[Pixels]:
    """Frames of a long video at a bounded distance behind its few key frames, given by their indices."""
    ends, found = [*keys[1:], info.frames or 1], []
    for place, (key, end) in enumerate(zip(keys, ends, strict=True)):
        count = number * (place + 1) // len(keys) - number * place // len(keys)
        step = min(end - key, _DECODED // len(keys)) // (count + 1)
        if count and step:
            found += read_range(info, key + step, count, step)
    return found


def _spread(length: int, number: int) -> list[int]:
    """At most `number` indices below a length, evenly spaced."""
    return sorted({int((2 * index + 1) * length / (2 * number)) for index in range(number)}) if length else []
