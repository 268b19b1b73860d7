"""Frames of a video decoded by ffmpeg: every frame once, with its exact time and number, also after seeking.

ffmpeg's own messages (-debug_ts) tell the time of every frame, as decoded and as delivered, in one order, and
which were decoded from damaged data.
"""

import re
from collections import deque
from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from fractions import Fraction
from math import ceil
from queue import Empty, SimpleQueue
from typing import Any

import numpy as np
from numpy.typing import NDArray

from i2icli.errors import UserError
from i2icli.video.colours import reading_filter
from i2icli.video.damage import Damage
from i2icli.video.ffmpeg import Child, input_words, pipe_size, plain, running
from i2icli.video.info import VideoInfo
from i2icli.video.packets import Packets

_TIME = re.compile(r" (?:frame_)?pts:(-?\d+) ")
_DURATION = re.compile(r" duration:(\d+) ")
_PATIENCE = 30.0  # seconds in which the time of a delivered frame must be told
_MESSAGES = 5
_AFTER_DECODING = ("[vf#", "[Parsed_", "[enc:", "[vost#", "[out#", "[rawvideo ")  # who speaks
_BEGINNING = "[info] Stream mapping:"  # decoding begins
_INTRA = ("mjpeg", "prores", "ffv1", "png", "qtrle", "cinepak", "mpeg4")
_SEEKABLE = {  # container -> codecs of which every packet is one frame, with its time
    "mov,mp4": ("h264", "hevc", "vp9", "av1", *_INTRA),
    "matroska,webm": ("h264", "hevc", "vp9", "av1", *_INTRA),
    "mpegts": ("h264", "hevc"),
    "avi": _INTRA,
}


@dataclass(frozen=True, eq=False)
class Decoded:
    """A frame as it came out of the decoder."""

    index: int  # in the video, from 0
    ticks: int  # its time in units of the time base
    pixels: NDArray[Any]  # (H, W, 3 or 4), uint8 or uint16
    damaged: bool
    duration: int  # in units of the time base; 0: not known


def known_packets(info: VideoInfo) -> Packets | None:
    """The packets of a video, if they tell which frames there are: one frame for each, its time known."""
    packets = info.packets
    if packets is None or not packets.exact or info.interlaced:
        return None
    able = any(info.container.startswith(name) and info.codec in codecs for name, codecs in _SEEKABLE.items())
    return packets if able else None


def decode(
    info: VideoInfo, damage: Damage, *, first: int = 0, start: Fraction | None = None, alpha: bool, deep: bool
) -> Iterator[Decoded]:
    """All frames from number `first` and time `start` (seconds) on, to the end of the video.

    With `alpha` four channels, with `deep` 16 bits. Closing the iterator ends ffmpeg. Raises UserError if
    ffmpeg cannot read on and no frame came.
    """
    packets = known_packets(info)
    lowest = ceil((start + info.zero) / info.time_base) if start is not None else None
    if not packets:
        tests = [f"gte(n,{first})"] * (first > 0) + [f"gte(pts,{lowest})"] * (lowest is not None)
        yield from _run(info, damage, alpha, deep, _Plan("*".join(tests), skip=first, lowest=lowest))
        return
    if lowest is not None:
        first = max(first, int(np.searchsorted(packets.times, lowest)))
    if first >= len(packets.times):
        return
    head = int(packets.times[first])
    plan = _Plan(f"gte(pts,{head})" if first else "", lowest=head)
    key = int(packets.times[np.flatnonzero(packets.keys[: first + 1])].max(initial=0))
    if key > max(0, packets.times[0]):
        sought = Damage()
        frames = _run(info, sought, alpha, deep, replace(plan, seek=key))
        with closing(frames):
            landed = next(frames, None)
            if landed is not None and landed.ticks == head:
                try:
                    yield landed
                    yield from frames
                finally:
                    damage.take(sought)
                return
    count = 0
    for count, frame in enumerate(_run(info, damage, alpha, deep, plan), 1):  # noqa: B007
        yield frame
    if not count and first:  # the packets told wrong times
        yield from _run(info, damage, alpha, deep, _Plan(f"gte(n,{first})", skip=first))


@dataclass(frozen=True)
class _Plan:
    """Which frames ffmpeg is to deliver."""

    select: str = ""  # an expression of its filter of that name; "": all
    skip: int = 0  # frames by number that the expression leaves out
    lowest: int | None = None  # frames before that time are left out
    seek: int | None = None  # the time of the frame where decoding begins


@dataclass(frozen=True)
class _Told:
    """What ffmpeg tells of a frame."""

    number: int  # of all that were decoded
    ticks: int
    damaged: bool
    duration: int


class _Messages:
    """Listens to ffmpeg: which frames were decoded, which delivered, what was damaged."""

    def __init__(self, plan: _Plan, corrupt: str) -> None:
        """`corrupt`: a warning that counts as damage."""
        self.delivered: SimpleQueue[_Told] = SimpleQueue()
        self.errors: list[tuple[_Told, str]] = []  # behind which frame
        self._corrupt_packet, self._last = corrupt, _Told(-1, -1, False, 0)
        self._decoded: deque[_Told] = deque()
        self._number, self._corrupt, self._plan = -1, False, plan
        self._decoding = False  # before, ffmpeg quotes texts of the file, whatever they say

    def __call__(self, line: str) -> bool:
        """Whether a message was understood."""
        if not line.startswith("["):
            return False
        if "[info] " in line:
            self._decoding = self._decoding or line == _BEGINNING
            if self._decoding and "[info] decoder -> " in line:
                self._add(line)
            elif self._decoding and "[info] filter_raw -> " in line:
                self._deliver(_number(_TIME, line))
            return True
        if "corrupt decoded frame" in line:
            self._corrupt = True
        serious = "[error] " in line or "[fatal] " in line
        serious = serious or line.endswith(self._corrupt_packet)
        if serious and not line.startswith(_AFTER_DECODING) and len(self.errors) < _MESSAGES:
            self.errors.append((self._last, plain(line)))
        return False

    def _add(self, line: str) -> None:
        ticks = _number(_TIME, line)
        self._number += 1
        damaged, self._corrupt = self._corrupt, False
        self._last = told = _Told(self._number, ticks, damaged, _number(_DURATION, line))
        if self._number >= self._plan.skip and (self._plan.lowest is None or ticks >= self._plan.lowest):
            self._decoded.append(told)

    def _deliver(self, ticks: int) -> None:
        told = _Told(self._number, ticks, False, 0)
        while self._decoded:
            told = self._decoded.popleft()
            if told.ticks == ticks:
                break
        self.delivered.put(replace(told, ticks=ticks))


def _number(pattern: re.Pattern[str], line: str) -> int:
    found = pattern.search(line)
    return int(found[1]) if found else 0


def _run(info: VideoInfo, damage: Damage, alpha: bool, deep: bool, plan: _Plan) -> Generator[Decoded]:
    """The frames of one ffmpeg."""
    listen = _Messages(plan, f"corrupt input packet in stream {info.index}")
    known = known_packets(info)
    numbers = _Numbers(known, plan.lowest)
    frames = 0
    with running(_words(info, plan, alpha, deep), listen=listen) as child:
        pipe_size(child.output)
        try:
            while (pixels := _read_frame(child, info.size, 4 if alpha else 3, deep)) is not None:
                told = _told(listen, info)
                number = numbers.of(told)
                if told.damaged:
                    damage.add(number, lost=False)
                frames += 1
                yield Decoded(number, told.ticks, pixels, told.damaged, told.duration)
            child.wait()
            numbers.end()
        finally:
            damage.messages += [text for _, text in listen.errors]
            if listen.errors:
                damage.behind = numbers.decoded(listen.errors[0][0])
            if listen.errors:  # without, a frame may be left out rightly: one that needs others before a cut
                for number in numbers.missing:
                    damage.add(number, lost=True)
        if not frames and child.process.returncode:
            raise UserError(f"cannot read {info.path}: {child.reason()}", exit_code=1)


class _Numbers:
    """Counts frames: by the packets where they are known, so that a lost frame leaves its number free."""

    def __init__(self, packets: Packets | None, lowest: int | None) -> None:
        self._times = packets.times if packets else None
        self._next = int(np.searchsorted(packets.times, lowest)) if packets and lowest is not None else 0
        self.missing: list[int] = []

    def of(self, told: _Told) -> int:
        """The number of the next frame."""
        if self._times is None:
            return told.number
        number = max(int(np.searchsorted(self._times, told.ticks)), self._next)
        self._skip_to(number)
        self._next = number + 1
        return number

    def decoded(self, told: _Told) -> int:
        """The number of a frame that was decoded, perhaps not delivered; -1: none was."""
        if self._times is None or told.number < 0:
            return told.number
        return int(np.searchsorted(self._times, told.ticks))

    def end(self) -> None:
        """No frame follows."""
        if self._times is not None:
            self._skip_to(len(self._times))

    def _skip_to(self, number: int) -> None:
        self.missing += range(self._next, number)


def _told(listen: _Messages, info: VideoInfo) -> _Told:
    try:
        return listen.delivered.get(timeout=_PATIENCE)
    except Empty:
        raise UserError(
            f"cannot read {info.path}: ffmpeg does not tell the time of a frame", exit_code=1
        ) from None


def _words(info: VideoInfo, plan: _Plan, alpha: bool, deep: bool) -> list[str]:
    options = (
        ["-noaccurate_seek", "-seek_timestamp", "1", "-ss", _seconds(info, plan.seek)] if plan.seek else []
    )
    if alpha and info.codec in ("vp8", "vp9"):  # the decoders of ffmpeg itself leave alpha out
        options += ["-c:v", "libvpx" if info.codec == "vp8" else "libvpx-vp9"]
    pixel_format = ("rgba64le" if alpha else "rgb48le") if deep else ("rgba" if alpha else "rgb24")
    filters = [f"select='{plan.select}'"] * bool(plan.select) + [
        reading_filter(info),
        f"format={pixel_format}",
    ]
    words = [
        "-loglevel",
        "repeat+level+info",
        "-nostats",
        "-debug_ts",
        "-copyts",
        *input_words(info.path, *options),
    ]
    words += [
        "-map",
        "0:V:0",
        "-fps_mode",
        "passthrough",
        "-enc_time_base",
        "demux",
        "-map_metadata",  # texts of the file are not quoted again for the output
        "-1",
        "-vf",
        ",".join(filters),
    ]
    return [*words, "-f", "rawvideo", "pipe:1"]


def _seconds(info: VideoInfo, ticks: int) -> str:
    """A time as ffmpeg takes it, in microseconds, not before it."""
    microseconds = ceil(ticks * info.time_base * 1_000_000)
    return f"{microseconds // 1_000_000}.{microseconds % 1_000_000:06d}"


def _read_frame(child: Child, size: tuple[int, int], channels: int, deep: bool) -> NDArray[Any] | None:
    """The pixels (H, W, channels) of the next frame; None at the end."""
    pixels = np.empty((*size, channels), np.uint16 if deep else np.uint8)
    view = memoryview(pixels.reshape(-1).view(np.uint8).data)
    done = 0
    while done < len(view):
        got = child.output.readinto(view[done:])  # type: ignore[attr-defined]
        if not got:
            return None
        done += got
    return pixels
