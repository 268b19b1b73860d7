"""Describing a video file. ffmpeg's own description is read with care, as it quotes the file."""

import re
from dataclasses import replace
from fractions import Fraction
from functools import lru_cache
from pathlib import Path

from i2icli.errors import UserError
from i2icli.video.ffmpeg import DESCRIPTION, MAX_PIXELS, ask, input_words, plain
from i2icli.video.info import Colour, Track, TrackKind, VideoInfo
from i2icli.video.packets import Packets, read_packets
from i2icli.video.pixel_formats import bits_of, has_alpha


def probe(path: Path) -> VideoInfo:
    """Describe a video file: its header is read, its packets counted, nothing decoded.

    Raises UserError (exit code 1): no such file, not a video, no video stream, frames beyond 100 million
    pixels.
    """
    return with_packets(describe(path))


def describe(path: Path) -> VideoInfo:
    """Describe a video file by its header alone, however long it is: no packets, no number of frames.

    The duration is what the header says, if anything. Raises UserError as `probe` does.
    """
    if path.is_dir():
        raise UserError(f"cannot read {path}: a folder, not a video", exit_code=1)
    if not path.is_file():
        raise UserError(f"cannot read {path}: no such file or directory", exit_code=1)
    _, _, text = ask(input_words(path), kept=DESCRIPTION)
    lines = text.replace(str(path), "").split("\n")
    if not any(line.startswith("Input #0, ") for line in lines):
        said = [line for line in lines if line.strip() and "misdetection" not in line]
        reason = plain(said[0] if said else "no message")
        if "not on whitelist" in reason:
            reason = "a kind of file without video, or one that names other files"
        raise UserError(f"cannot read {path}: not a video that ffmpeg can read ({reason})", exit_code=1)
    return _described(path, lines)


def with_packets(info: VideoInfo) -> VideoInfo:
    """A description by the header, completed by the packets. Raises UserError if there are no frames."""
    return _with_times(info, read_packets(info.path))


def probe_once(path: Path) -> VideoInfo:
    """As `probe`, but a file that has not changed is described once. Raises UserError."""
    try:
        status = path.stat()
    except OSError:
        return probe(path)
    return _probed(path, status.st_mtime_ns, status.st_size)


@lru_cache(maxsize=64)
def _probed(path: Path, changed: int, size: int) -> VideoInfo:  # noqa: ARG001 - they name a state of the file
    return probe(path)


_STREAM = re.compile(r"  Stream #0:(\d+)(?:\[0x[0-9a-f]+\])?(?:\(([^)\s]{1,20})\))?: (\w+): (.*)")
_VIDEO = re.compile(
    r"(?P<codec>[\w-]+)(?P<about>.*?), (?P<pixels>[a-z0-9]+)(?:\((?P<tags>[^)]*)\))?, "
    r"(?P<width>\d{1,6})x(?P<height>\d{1,6})(?P<rest>.*)"
)


def _described(path: Path, lines: list[str]) -> VideoInfo:
    """What the header says; times are filled in from the packets. Raises UserError."""
    streams = _streams(lines)
    videos = [each for each in streams if each[1][3] == "Video" and "(attached pic)" not in each[1][4]]
    if not videos:
        kinds = ", ".join(f"{m[3].lower()} ({m[4].split()[0].strip(',')})" for _, m in streams) or "nothing"
        raise UserError(f"cannot read {path}: no video stream; it holds {kinds}", exit_code=1)
    number, match = videos[0]
    if not (video := _VIDEO.fullmatch(match[4])):
        raise UserError(f"cannot read {path}: ffmpeg cannot decode its video ({match[4][:60]})", exit_code=1)
    later = (other for other, _ in streams if other > number)
    about = lines[number + 1 : next(later, len(lines))]
    alpha_beside = any(re.match(r"(?i)\s+alpha_mode\s+: 1$", line) for line in about)
    rate = re.search(r"([\d.]+k?) fps", video["rest"])
    rotation = _rotation(about)
    size, aspect = _shown(path, video, rotation)
    return VideoInfo(
        path=path,
        container=next(line for line in lines if line.startswith("Input #0, "))[10:].split(", from")[0],
        size=size,
        rate=nominal_rate(rate[1]) if rate else None,
        time_base=Fraction(1, 1000),
        start=Fraction(0),
        duration=_duration(lines),
        frames=None,
        codec=video["codec"],
        pixel_format=video["pixels"],
        bits=bits_of(video["pixels"]),
        alpha=has_alpha(video["pixels"]) or alpha_beside,
        colour=_colour(video["tags"] or ""),
        rotation=rotation,
        tracks=tuple(_track(each) for other, each in streams if other != number),
        index=int(match[1]),
        chapters=sum(bool(re.match(r"    Chapter #0:\d+: start ", line)) for line in lines),
        variable=False,
        interlaced=bool(re.search(r"(top|bottom) (first|coded)", video["tags"] or "")),
        sample_aspect=aspect,
        zero=_zero(lines),
    )


def _streams(lines: list[str]) -> list[tuple[int, re.Match[str]]]:
    """The lines that describe a stream. Those of a group are indented, and one may be in several groups."""
    found: dict[str, tuple[int, re.Match[str]]] = {}
    grouped = False  # before the first group, what is indented is a text of the file
    for number, line in enumerate(lines):
        grouped = grouped or line.startswith("  Stream group #0:")
        match = _STREAM.fullmatch(line.replace("    ", "  ", 1) if grouped and line[4:5] != " " else line)
        if match:
            found.setdefault(match[1], (number, match))
    return list(found.values())


def _zero(lines: list[str]) -> Fraction:
    """Seconds at which a stream for broadcast begins; 0 for files, whose times count from 0."""
    if any(line.startswith(("Input #0, mpegts,", "Input #0, mpeg,")) for line in lines):
        for line in lines:
            if found := re.match(r"  Duration: [^,]+, start: (-?\d{1,12}\.\d{1,9})", line):
                return Fraction(found[1])
    return Fraction(0)


def _duration(lines: list[str]) -> Fraction | None:
    """Seconds of the longest track, as the header says."""
    for line in lines:
        if found := re.match(r"  Duration: (\d{1,6}):(\d\d):(\d\d\.\d{1,6}),", line):
            return int(found[1]) * 3600 + int(found[2]) * 60 + Fraction(found[3])
    return None


def _shown(path: Path, video: re.Match[str], rotation: int) -> tuple[tuple[int, int], Fraction]:
    """(height, width) as displayed, and the shape of a pixel. Raises UserError for absurd sizes."""
    width, height = int(video["width"]), int(video["height"])
    if width * height > MAX_PIXELS or not width * height:
        raise UserError(f"cannot read {path}: frames of {width}x{height} pixels", exit_code=1)
    given = re.search(r"SAR (\d{1,9}):(\d{1,9})", video["rest"])
    aspect = Fraction(int(given[1]) or 1, int(given[2]) or 1) if given else Fraction(1)
    return ((width, height), 1 / aspect) if rotation % 180 == 90 else ((height, width), aspect)


def _rotation(about: list[str]) -> int:
    """Degrees counter-clockwise in {0, 90, 180, 270}; ffmpeg turns other angles, too, keeping the size."""
    for line in about:
        found = re.match(r"\s+[Dd]isplay ?[Mm]atrix: rotation of (-?\d+\.\d+) degrees", line)
        if found:
            return round(float(found[1])) % 360
    return 0


def _track(match: re.Match[str]) -> Track:
    kinds: dict[str, TrackKind] = {
        "Audio": "audio",
        "Subtitle": "subtitle",
        "Attachment": "attachment",
        "Video": "video",
    }
    codec = re.match(r"[\w-]+", match[4])
    language = match[2] if match[2] not in (None, "und") else None
    return Track(int(match[1]), kinds.get(match[3], "data"), codec[0] if codec else "unknown", language)


_MATRICES = (
    "gbr",
    "bt709",
    "fcc",
    "bt470bg",
    "smpte170m",
    "smpte240m",
    "ycgco",
    "bt2020nc",
    "bt2020c",
    "ictcp",
)


def _colour(tags: str) -> Colour:
    """The tags that ffmpeg prints behind a pixel format: "tv, bt709, progressive"."""
    colour = Colour()
    for tag in tags.split(", "):
        if tag in ("tv", "pc"):
            colour = replace(colour, full_range=tag == "pc")
        names = tag.split("/")
        if len(names) == 3 or tag in _MATRICES:
            named = [None if name in ("unknown", "reserved") else name for name in names * (4 - len(names))]
            colour = replace(colour, matrix=named[0], primaries=named[1], transfer=named[2])
    return colour


def nominal_rate(text: str) -> Fraction | None:
    """A rate as ffmpeg prints it, two digits behind the point: "29.97" is 30000/1001; None for 0."""
    value = Fraction(text.removesuffix("k")) * (1000 if text.endswith("k") else 1)
    for whole in (24, 30, 48, 60, 120):
        if abs(value - Fraction(whole * 1000, 1001)) < Fraction(1, 100):
            return Fraction(whole * 1000, 1001)
    return value or None


def _with_times(info: VideoInfo, packets: Packets) -> VideoInfo:
    """Times from the packets, which are exact, where the header is rounded."""
    if not len(packets.times):
        raise UserError(f"cannot read {info.path}: no frames", exit_code=1)
    ticks = packets.times
    steps = ticks[1:] - ticks[:-1]
    last = max(1, packets.last_duration)
    length = int(ticks[-1] - ticks[0]) + last
    base = packets.time_base
    tolerance = 1 + Fraction(1, 500) / base if base >= Fraction(1, 1000) else 1
    variable = len(steps) > 1 and int(steps.max() - steps.min()) > tolerance
    rate = info.rate
    if len(steps) and not variable and steps.max() == steps.min() and int(steps[0]):
        rate = 1 / (base * int(steps[0]))
    elif variable or rate is None:
        rate = len(ticks) / (base * length) if length else None
    return replace(
        info,
        rate=rate,
        time_base=base,
        start=base * int(ticks[0]) - info.zero,
        duration=base * length,
        frames=len(ticks),
        variable=bool(variable),
        packets=packets,
    )
