"""How a result is encoded: codec, pixel format, colours, and what becomes of the other tracks."""

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from i2icli.video.colours import assumed
from i2icli.video.info import Colour, VideoInfo

Audio = Literal["copy", "aac", "opus", "none"]


class EncodeOptions(BaseModel):
    """What a user may choose; what is left out follows from the container."""

    model_config = ConfigDict(frozen=True)

    codec: str | None = Field(None, description="video codec or encoder of ffmpeg, such as h264 or libx265")
    quality: float | None = Field(
        None, ge=0, description="the codec's own measure, lower is better: CRF of h264 (default 16), ..."
    )
    pixel_format: str | None = Field(None, description="pixel format of ffmpeg, such as yuv444p")
    preset: str | None = Field(None, description="speed of the encoder, such as slow")
    audio: Audio = Field("copy", description="copy sound bit for bit, encode it anew, or leave it out")


@dataclass(frozen=True)
class Encoding:
    """How the result is encoded."""

    container: (
        str  # a muxer of ffmpeg: "mp4", "mov", "matroska", "webm", "avi", "mpegts", "gif", "apng", "webp"
    )
    codec: str  # an encoder of ffmpeg
    arguments: tuple[str, ...]  # for the encoder
    pixel_format: str
    colour: Colour
    bits: int  # of the pixels to write: 8 (uint8), 16 (uint16)
    alpha: bool  # whether the pixels to write have a fourth channel
    size: tuple[int, int]  # (height, width) as written: odd sides may be padded
    notes: tuple[str, ...] = ()  # what a user should know, one line each
    segment: str = "mp4"  # the container of a segment, also its suffix
    sample_aspect: Fraction = Fraction(1)
    audio: Audio = "copy"


def plan_encoding(
    target: Path, info: VideoInfo, options: EncodeOptions, *, size: tuple[int, int], alpha: bool, bits: int
) -> Encoding:
    """Plan how frames of `size`, with or without alpha, of 8 or more bits, become the file `target`.

    Raises UserError: a container, codec or pixel format that this ffmpeg does not have (those it has are
    listed), sound that the container cannot hold (one that can is named).
    """
    del target, alpha, bits
    height, width = size
    even = (height + height % 2, width + width % 2)
    return Encoding(
        container="mp4",
        codec=options.codec or "libx264",
        arguments=(
            "-crf",
            f"{options.quality if options.quality is not None else 16:g}",
            "-preset",
            options.preset or "medium",
        ),
        pixel_format=options.pixel_format or "yuv420p",
        colour=assumed(size, info.colour),
        bits=8,
        alpha=False,
        size=even,
        notes=(f"{width}x{height}: padded to {even[1]}x{even[0]}, as the codec asks for even sides",)
        * (even != size),
    )
