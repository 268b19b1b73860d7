"""How a result is encoded: codec, pixel format, colours, and what becomes of the other tracks."""

from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

from i2icli.encode_options import EncodeOptions
from i2icli.errors import UserError
from i2icli.video.colours import written
from i2icli.video.containers import ANIMATIONS, Kept, kept_tracks, muxer_of
from i2icli.video.encoders import ENCODERS, HARDWARE, chosen_format, described, named_encoder, trial
from i2icli.video.info import Colour, VideoInfo
from i2icli.video.pixel_formats import bits_of, has_alpha


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
    segment: str = "mp4"  # the container of a segment: "mp4", "mov", "matroska"
    tracks: tuple[Kept, ...] = ()  # of the source, kept beside the video
    rate: Fraction | None = None  # frames per second that the encoder counts with
    variable: bool = False  # whether the intervals between frames differ
    sample_aspect: Fraction = Fraction(1)
    keep_gps: bool = False  # whether the result says where the video was taken, if its source does

    @property
    def segment_suffix(self) -> str:
        """The suffix that suits a segment."""
        return ".mkv" if self.segment == "matroska" else f".{self.segment}"

    @property
    def streams(self) -> tuple[str, ...]:
        """The kinds of the tracks beside the video that the result holds, as `verify` takes them."""
        return tuple(each.kind for each in self.tracks)


def plan_encoding(
    target: Path, info: VideoInfo, options: EncodeOptions, *, size: tuple[int, int], alpha: bool, bits: int
) -> Encoding:
    """Plan how frames of `size`, with or without alpha, of 8 or more bits, become the file `target`.

    Raises UserError: a container, codec or pixel format that this ffmpeg does not have (those it has are
    listed), a codec that the container cannot hold, sound that it cannot hold (one that can is named).
    """
    muxer = muxer_of(target)
    encoder = named_encoder(options.codec or _usual(muxer, alpha, bits > 8))
    # The alpha of VP8 and VP9 lies beside the frames, for which Matroska alone has a place.
    carried = alpha and (muxer in ("matroska", "webm") or not encoder.startswith("libvpx"))
    same = info.pixel_format.replace("yuvj", "yuv") if _codec(encoder) == info.codec else ""
    pixels = chosen_format(encoder, options.pixel_format, same, alpha=carried, deep=bits > 8)
    carried = carried and (has_alpha(pixels) or muxer == "gif")
    kept, notes = kept_tracks(info, muxer, options.audio, target)
    if alpha and not carried:
        notes.append(f"transparency is left out: {encoder} in {target.suffix} has none; take .mov or .webm")
    notes += _notes(encoder, pixels, alpha=carried, bits=bits)
    if muxer == "avi":
        _check_avi(target, info, kept)
    encoding = Encoding(
        container=muxer,
        codec=encoder,
        arguments=_arguments(encoder, options, muxer, b_frames=not info.variable and muxer != "avi"),
        pixel_format=pixels,
        colour=written(size, info.colour, pixels, tagged=_has_tags(encoder, muxer)),
        bits=16 if bits_of(pixels) > 8 and bits > 8 else 8,
        alpha=carried,
        size=size,
        notes=tuple(notes),
        segment=_segment(encoder, muxer, carried),
        tracks=tuple(kept),
        rate=info.rate,
        variable=info.variable,
        sample_aspect=info.sample_aspect if _same_shape(size, info.size) else Fraction(1),
    )
    return encoding if muxer in ANIMATIONS else _tried(encoding, target, options, info)


def _notes(encoder: str, pixels: str, *, alpha: bool, bits: int) -> list[str]:
    """What a pixel format does to the pixels."""
    notes = []
    if bits > 8 and bits_of(pixels) <= 8:
        notes.append(f"more than 8 bits become 8: {encoder} with {pixels} has no more")
    if alpha and encoder == "gif":
        notes.append("a GIF has no half-transparent pixels: they become transparent or opaque")
    return notes


def _check_avi(target: Path, info: VideoInfo, kept: list[Kept]) -> None:
    """Raises UserError where sound and image do not start together, which AVI cannot say."""
    if kept and info.start > Fraction(1, 20):
        raise UserError(
            f"{target}: .avi cannot hold images that start {float(info.start):.2f} s after the sound, as "
            f"those of {info.path} do; write .mkv"
        )


def _has_tags(encoder: str, muxer: str) -> bool:
    """Whether the result can say how its colours are encoded, in the container or in the frames."""
    return muxer not in ("avi", "mpegts") or _codec(encoder) in ("h264", "hevc", "av1", "vp9", "ffv1")


def _usual(muxer: str, alpha: bool, deep: bool) -> str:
    """The codec for a container where none is asked for."""
    if muxer in ("gif", "apng", "webp", "webm", "avi"):
        return {"webm": "vp9", "avi": "mpeg4"}.get(muxer, muxer)
    if alpha and muxer in ("mov", "matroska"):
        return "prores" if muxer == "mov" else ("ffv1" if deep else "vp9")
    return "hevc" if deep else "h264"


def _codec(encoder: str) -> str:
    """The name of the codec of an encoder, where it is known."""
    names = {
        "libx264": "h264",
        "libx265": "hevc",
        "libvpx-vp9": "vp9",
        "libvpx": "vp8",
        "prores_ks": "prores",
    }
    return names.get(encoder, encoder.split("_")[0].replace("libsvtav1", "av1").replace("libaom-av1", "av1"))


def _segment(encoder: str, muxer: str, alpha: bool) -> str:
    """The container of segments: mp4 and mov keep times exactly, where they can hold the codec."""
    if muxer in ANIMATIONS or (encoder.startswith("libvpx") and alpha):
        return "matroska"
    usual = described(encoder).segment
    return muxer if usual == "matroska" and muxer in ("mp4", "mov") else usual


def _arguments(encoder: str, options: EncodeOptions, muxer: str, *, b_frames: bool) -> tuple[str, ...]:
    """The words for an encoder. Raises UserError for a quality or preset that it does not have."""
    known = described(encoder)
    if options.quality is not None and known.quality is None and encoder in ENCODERS:
        raise UserError(
            f"--quality {options.quality:g}: {encoder} has one quality only; choose another --codec"
        )
    if options.preset is not None and not known.has_presets and not encoder.endswith(HARDWARE):
        raise UserError(f"--preset {options.preset}: {encoder} has no presets; leave it out")
    quality = options.quality if options.quality is not None else known.quality
    words = [*(known.words(f"{quality:g}") if quality is not None else ()), *known.extra]
    if options.preset is not None:
        words += ["-preset", options.preset]
    if encoder in ("libx264", "libx265", "mpeg4") and not b_frames:
        words += [
            "-bf",
            "0",
        ]  # reordered frames need regular times where segments meet, and a place for times
    if "265" in encoder and muxer in ("mp4", "mov"):
        words += ["-tag:v", "hvc1"]  # without it QuickTime does not play
    return tuple(words)


def _same_shape(one: tuple[int, int], other: tuple[int, int]) -> bool:
    return abs(one[0] * other[1] / (one[1] * other[0]) - 1) < 0.05


def _tried(encoding: Encoding, target: Path, options: EncodeOptions, info: VideoInfo) -> Encoding:
    """The encoding if it works on two frames; with even sides or another encoder where it does not.

    Raises UserError if nothing works.
    """
    height, width = encoding.size
    reason = _trouble(encoding)
    if reason is None:
        return encoding
    even = (height + height % 2, width + width % 2)
    if even != encoding.size:
        note = (
            f"{width}x{height} px become {even[1]}x{even[0]} by repeated pixels, as {encoding.codec} "
            f"with {encoding.pixel_format} asks for even sides"
        )
        if _trouble(larger := replace(encoding, size=even, notes=(*encoding.notes, note))) is None:
            return larger
    if encoding.codec.endswith(HARDWARE):
        instead = "hevc" if encoding.bits > 8 else "h264"
        plain = options.model_copy(update={"codec": instead, "preset": None, "pixel_format": None})
        found = plan_encoding(
            target, info, plain, size=encoding.size, alpha=encoding.alpha, bits=encoding.bits
        )
        note = f"{encoding.codec} does not work here ({reason}): {found.codec} is used"
        return replace(found, notes=(*found.notes, note))
    what = f"{encoding.codec} with {encoding.pixel_format}"
    raise UserError(f"{target}: cannot write {what} as {target.suffix}: {reason}")


def _trouble(encoding: Encoding) -> str | None:
    words = ("-pix_fmt", encoding.pixel_format, "-c:v", encoding.codec, *encoding.arguments)
    return trial(words, encoding.container, encoding.size)
