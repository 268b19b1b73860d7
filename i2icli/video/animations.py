"""GIF, APNG and animated WebP: encoded once, from lossless segments, with their times."""

from fractions import Fraction
from pathlib import Path

from i2icli.errors import UserError
from i2icli.video.encoding import Encoding
from i2icli.video.ffmpeg import address, ask, plain

_BASES = {"gif": "1:100", "apng": "1:1000", "webp": "1:1000"}  # seconds in which their delays are counted
_FOR_EVER = {"gif": ("-loop", "0"), "apng": ("-plays", "0"), "webp": ("-loop", "0")}


def encode_animation(
    video: list[str], target: Path, encoding: Encoding, lasting: Fraction, folder: Path
) -> None:
    """Encode an input of ffmpeg; `lasting`: seconds of the last frame.

    A GIF gets one palette for all frames, in a second pass, so that memory does not grow with their number.
    `folder` is for what is needed meanwhile. Raises UserError.
    """
    muxer = encoding.container
    passing = ["-fps_mode", "passthrough", "-enc_time_base", _BASES[muxer]]
    filters = ["-map", "0:v:0", "-vf", f"format={encoding.pixel_format}"]
    if muxer == "gif":
        palette = folder / "palette.png"
        alpha = int(encoding.alpha)
        making = [
            "-map",
            "0:v:0",
            "-vf",
            f"palettegen=reserve_transparent={alpha}",
            "-frames:v",
            "1",
            "-update",
            "1",
        ]
        _run([*video, *making, "-f", "image2", str(palette)], target)
        filters = [
            "-i",
            address(palette),
            "-lavfi",
            "[0:v][1:v]paletteuse=dither=sierra2_4a:alpha_threshold=128",
        ]
    units = {"gif": str(round(lasting * 100)), "apng": f"{round(lasting * 1000)}/1000"}
    delay = ["-final_delay", units[muxer]] if muxer in units else []
    codec = ["-c:v", encoding.codec, *encoding.arguments]
    _run(
        [*video, *filters, *passing, *codec, *_FOR_EVER[muxer], *delay, "-f", muxer, address(target)], target
    )


def _run(words: list[str], target: Path) -> None:
    code, _, text = ask(["-y", "-loglevel", "level+error", "-copyts", *words])
    if code:
        raise UserError(f"cannot write {target}: {plain(text.split(chr(10))[0])}", exit_code=1)
