"""What is known of a video or an image sequence."""

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Literal

from i2icli.video.packets import Packets

TrackKind = Literal["audio", "subtitle", "data", "attachment", "video"]


@dataclass(frozen=True)
class Colour:
    """How colours are encoded, in the names of ffmpeg; None: not said."""

    matrix: str | None = None
    primaries: str | None = None
    transfer: str | None = None
    full_range: bool | None = None


@dataclass(frozen=True)
class Track:
    """A track beside the images: sound, subtitles, a cover."""

    index: int  # among all tracks of the file
    kind: TrackKind
    codec: str
    language: str | None = None


@dataclass(frozen=True)
class VideoInfo:
    """A video file, or an image sequence seen as one."""

    path: Path
    container: str  # the names of ffmpeg's demuxer, such as "mov,mp4,m4a,3gp,3g2,mj2"; "images"
    size: tuple[int, int]  # (height, width) of the frames as displayed, after rotation
    rate: Fraction | None  # frames per second; where it varies, the mean
    time_base: Fraction  # seconds: every time in the file is a multiple
    start: Fraction  # seconds: the time of the first frame
    duration: Fraction | None  # seconds from the first frame to the end of the last
    frames: int | None  # an estimate: packets that hold something
    codec: str
    pixel_format: str
    bits: int  # of a channel
    alpha: bool
    colour: Colour
    rotation: int  # degrees counter-clockwise that a player turns the stored images; part of `size`
    tracks: tuple[Track, ...]  # all but the video
    index: int  # of the video among all tracks of the file
    chapters: int
    variable: bool  # whether the intervals between frames differ by more than rounding
    interlaced: bool = False
    sample_aspect: Fraction = Fraction(1)  # width by height of a pixel as displayed
    zero: Fraction = Fraction(0)  # seconds in the file that count as 0: streams for broadcast begin anywhere
    packets: Packets | None = None  # times of the packets, for seeking; None for image sequences
