"""The encoders of this ffmpeg: names, pixel formats, how quality is said; and whether one works here."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory

from i2icli.errors import UserError
from i2icli.video.ffmpeg import address, ask, executable, plain
from i2icli.video.pixel_formats import bits_of, has_alpha
from i2icli.video.probing import probe

NAMES = {
    "h264": "libx264",
    "x264": "libx264",
    "hevc": "libx265",
    "h265": "libx265",
    "x265": "libx265",
    "vp8": "libvpx",
    "vp9": "libvpx-vp9",
    "av1": "libsvtav1",
    "prores": "prores_ks",
    "webp": "libwebp_anim",
    "theora": "libtheora",
}
"""The encoder meant by the name of a codec."""

_SHORT_BASES = ("mpeg4", "libxvid", "msmpeg4", "msmpeg4v2", "h263", "h263p")  # 16 bits in their standard

HARDWARE = ("_nvenc", "_qsv", "_amf", "_vaapi", "_vulkan", "_v4l2m2m", "_videotoolbox", "_mf")


@dataclass(frozen=True)
class Encoder:
    """How an encoder is asked for a quality, and what suits it."""

    quality: float | None  # by default; None: lossless or fixed
    words: Callable[[str], list[str]]  # what sets that quality
    formats: tuple[str, ...] = ("yuv420p", "yuv420p10le", "yuva420p")  # preferred, of those it has
    segment: str = "matroska"  # the container of its segments
    extra: tuple[str, ...] = ()
    has_presets: bool = False


def _crf(quality: str) -> list[str]:
    return ["-crf", quality]


def _free_crf(quality: str) -> list[str]:
    return ["-crf", quality, "-b:v", "0"]


def _quantiser(quality: str) -> list[str]:
    return ["-q:v", quality]


def _inverse(quality: str) -> list[str]:
    return ["-quality", f"{max(0.0, 100 - float(quality)):g}"]


def _none(_: str) -> list[str]:
    return []


_FAST_VPX = ("-row-mt", "1", "-deadline", "good", "-cpu-used", "4")
_DEEP = ("yuv422p10le", "yuv444p10le", "yuva444p10le")
_QUIET_X265 = ("-x265-params", "log-level=error")
_RGB = ("bgr0", "bgra", "gbrp16le", "gbrap16le")

ENCODERS: dict[str, Encoder] = {
    "libx264": Encoder(16, _crf, segment="mp4", has_presets=True),
    "libx265": Encoder(18, _crf, ("yuv420p", "yuv420p10le"), "mp4", _QUIET_X265, has_presets=True),
    "libvpx-vp9": Encoder(20, _free_crf, segment="mp4", extra=_FAST_VPX),
    "libvpx": Encoder(10, lambda quality: ["-crf", quality, "-b:v", "20M"], extra=_FAST_VPX[2:]),
    "libsvtav1": Encoder(22, _crf, segment="mp4", has_presets=True),
    "libaom-av1": Encoder(20, _free_crf, segment="mp4", extra=("-row-mt", "1", "-cpu-used", "6")),
    "mpeg4": Encoder(2, _quantiser, segment="mp4"),
    "mjpeg": Encoder(2, _quantiser, ("yuv420p",), "mov"),
    "prores_ks": Encoder(4, _quantiser, _DEEP, "mov", ("-vendor", "apl0")),
    "ffv1": Encoder(None, _none, _RGB, extra=("-level", "3", "-g", "1", "-slicecrc", "1")),
    "gif": Encoder(None, _none, ("pal8",)),
    "apng": Encoder(None, _none, ("rgb24", "rgba", "rgb48be", "rgba64be")),
    "libwebp_anim": Encoder(10, _inverse, ("yuv420p", "yuva420p")),
}
_OTHER = Encoder(None, _quantiser)
_HARDWARE_QUALITY = {"_nvenc": "-cq", "_qsv": "-global_quality", "_amf": "-qp_i", "_vaapi": "-qp"}


def described(encoder: str) -> Encoder:
    """What is known of an encoder; of others, that -q:v sets the quality."""
    option = next((word for end, word in _HARDWARE_QUALITY.items() if encoder.endswith(end)), None)
    if option:
        return Encoder(20, lambda quality: [option, quality], ("yuv420p", "nv12", "p010le"), "mp4")
    return ENCODERS.get(encoder, _OTHER)


@lru_cache(maxsize=1)
def video_encoders() -> tuple[str, ...]:
    """The names of all encoders of videos in this ffmpeg."""
    _, text, _ = ask(["-encoders"])
    return tuple(re.findall(r"^ V[F.][S.][X.][B.][D.] ([\w-]+)", text, re.MULTILINE))


@lru_cache(maxsize=1)
def crash_safe() -> str:
    """The flags of mp4 and mov with which what is written stays playable when ffmpeg is killed.

    The index is delayed, as it tells when the first frame is shown. Raises UserError for an old ffmpeg,
    whose times are not exact either.
    """
    _, text, _ = ask(["-h", "muxer=mp4"])
    if "hybrid_fragmented" not in text:
        raise UserError(
            f"{executable()}: too old to write videos; pip install 'imageio-ffmpeg>=0.8'", exit_code=1
        )
    return "+hybrid_fragmented+delay_moov"


@lru_cache(maxsize=32)
def pixel_formats(encoder: str) -> tuple[str, ...]:
    """The pixel formats that an encoder takes; empty: any."""
    _, text, _ = ask(["-h", f"encoder={encoder}"])
    found = re.search(r"Supported pixel formats: (.*)", text)
    return tuple(found[1].split()) if found else ()


def named_encoder(name: str) -> str:
    """The encoder that a user means. Raises UserError naming those that there are."""
    encoder = NAMES.get(name.lower(), name.lower())
    if encoder not in video_encoders():
        usual = [each for each in (*NAMES, *ENCODERS) if NAMES.get(each, each) in video_encoders()]
        hardware = [each for each in video_encoders() if each.endswith(HARDWARE)]
        known = ", ".join(sorted({*usual, *hardware}))
        raise UserError(f"--codec {name}: not in this ffmpeg; it has {known}, and others (ffmpeg -encoders)")
    return encoder


def chosen_format(encoder: str, wanted: str | None, source: str, *, alpha: bool, deep: bool) -> str:
    """The pixel format for an encoder.

    `wanted` by the user, else that of the `source` ("" where its codec is another), else the encoder's usual
    one with alpha and with more than 8 bits, where it has such. Raises UserError.
    """
    known = pixel_formats(encoder)
    if wanted is not None:
        if known and wanted not in known:
            raise UserError(f"--pixel-format {wanted}: not one of {encoder}, which has {', '.join(known)}")
        return wanted
    if source in known and has_alpha(source) == alpha and (bits_of(source) > 8) == deep:
        return source
    preferred = [each for each in described(encoder).formats if not known or each in known]
    ranked = sorted(
        preferred or known or ["yuv420p"],
        key=lambda each: (
            alpha and not has_alpha(each),
            deep and bits_of(each) <= 8,
            _waste(each, alpha, deep),
        ),
    )
    return ranked[0]


def _waste(name: str, alpha: bool, deep: bool) -> int:
    return (has_alpha(name) and not alpha) + (bits_of(name) > 8 and not deep)


def possible_base(encoder: str, base: Fraction) -> Fraction:
    """The time base (seconds) for an encoder: the given one, or a near one that MPEG-4 can count in."""
    if encoder not in _SHORT_BASES or base.denominator <= 65535:
        return base
    halved = base.denominator
    while halved > 65535 and halved % 2 == 0:
        halved //= 2
    return Fraction(1, halved if 10_000 < halved <= 65535 else 60_000)


def lossless(alpha: bool, bits: int) -> tuple[str, list[str]]:
    """A pixel format and an encoder with its words that keep every value."""
    pixels = ("gbrap16le" if alpha else "gbrp16le") if bits > 8 else ("bgra" if alpha else "bgr0")
    return pixels, ["ffv1", *ENCODERS["ffv1"].extra]


@lru_cache(maxsize=64)
def trial(words: tuple[str, ...], muxer: str, size: tuple[int, int]) -> str | None:
    """Encode a few frames of (height, width) with these words of an encoder: why that fails, or None."""
    with TemporaryDirectory(prefix="i2i-trial-") as folder:
        path = Path(folder) / "trial"
        frames = ["-f", "lavfi", "-i", f"color=gray:s={size[1]}x{size[0]}:r=25", "-frames:v", "12"]
        code, _, text = ask(["-loglevel", "level+error", *frames, *words, "-f", muxer, address(path)])
        if code:
            lines = [line for line in text.split("\n") if "rror" in line] or text.split("\n")
            return plain(lines[0])
        try:
            info = probe(path)
        except UserError as error:
            return str(error).rpartition(": ")[2]
        if info.size != size:
            return f"it makes {info.size[1]}x{info.size[0]} of {size[1]}x{size[0]} pixels"
    return None
