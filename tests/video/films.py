"""Small clips of every sort, made with the bundled ffmpeg. Every frame shows its own number.

from tests.video import films
path = films.film(tmp_path / "a.mp4", 20)        # 20 frames of 64x48 px, 10 frames/s
films.number(pixels) == 7
"""

import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import imageio_ffmpeg
import numpy as np
from numpy.typing import NDArray

SIZE = (48, 64)
_BLOCK, _BITS = 8, 8  # the first row of blocks is the number, most significant bit first: white is 1

X264 = ("-c:v", "libx264", "-crf", "8", "-preset", "ultrafast")
B_FRAMES = ("-c:v", "libx264", "-crf", "8", "-preset", "medium", "-bf", "3", "-g", "8")
X264_10 = ("-c:v", "libx264", "-crf", "8", "-preset", "ultrafast", "-pix_fmt", "yuv420p10le")
PRORES = ("-c:v", "prores_ks", "-profile:v", "4444")
VP9 = ("-c:v", "libvpx-vp9", "-crf", "10", "-b:v", "0", "-deadline", "realtime", "-cpu-used", "8")
PQ = "setparams=colorspace=bt2020nc:color_primaries=bt2020:color_trc=smpte2084:range=tv"
ALPHA10 = {"pixel_format": "yuva444p10le"}
_UNTAGGED = "setparams=colorspace=unknown:range=unspecified"
VARIABLE = (0.0, 0.1, 0.15, 0.4, 0.45, 0.5, 1.1, 1.2, 1.25, 2.0)
"""Times of ten frames, in seconds: multiples of 0.05."""


def ffmpeg(*words: Any, data: bytes | None = None) -> bytes:
    """Run the bundled ffmpeg; what it writes to its standard output."""
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-y", "-nostdin", "-v", "error", *map(str, words)]
    return subprocess.run(command, input=data, stdout=subprocess.PIPE, check=True).stdout


def frame(
    index: int, size: tuple[int, int] = SIZE, *, alpha: bool = False, deep: bool = False
) -> NDArray[Any]:
    """Frame number `index` (H, W, 3 or 4): a moving gradient below its number. At least 16x64 px."""
    height, width = size
    rows, columns = np.mgrid[:height, :width]
    red = 40 + (columns * 2 + index * 5) % 160
    green, blue = 60 + rows * 2 % 140, 100 + 0 * rows
    pixels = np.stack([red, green, blue], axis=2).astype(np.uint16)
    for bit in range(_BITS):
        value = 235 if index >> (_BITS - 1 - bit) & 1 else 16
        pixels[:_BLOCK, bit * _BLOCK : (bit + 1) * _BLOCK] = value
    if alpha:
        pixels = np.dstack([pixels, np.where(rows < height // 2, 255, 128)])
    return (pixels * 257).astype(np.uint16) if deep else pixels.astype(np.uint8)


def number(pixels: NDArray[Any]) -> int:
    """The number that a frame (H, W, 3 or 4) shows; turned frames must be turned back first."""
    middle = np.iinfo(pixels.dtype).max / 2
    blocks = [pixels[1:7, bit * _BLOCK + 1 : bit * _BLOCK + 7, :3].mean() > middle for bit in range(_BITS)]
    return sum(int(bit) << (_BITS - 1 - place) for place, bit in enumerate(blocks))


def film(
    path: Path,
    count: int = 20,
    *,
    size: tuple[int, int] = SIZE,
    rate: str = "10",
    times: Sequence[float] | None = None,
    words: Sequence[str] = X264,
    pixel_format: str = "yuv420p",
    sound: Sequence[str] | None = None,
    late: float = 0.0,
    alpha: bool = False,
    deep: bool = False,
    tags: str = "setparams=colorspace=bt709:range=tv",
) -> Path:
    """A clip of `count` frames.

    `rate` as "30000/1001", or `times` in seconds (multiples of 1 ms). `words`: the encoder. `sound`: the
    encoder of a tone as long as the video, such as ("-c:a", "aac"). `late`: seconds by which the video starts
    after it. `tags`: a filter that says how colours are encoded; "": untagged, and encoded as players assume.
    """
    kind = ("rgba64le" if alpha else "rgb48le") if deep else ("rgba" if alpha else "rgb24")
    data = b"".join(frame(index, size, alpha=alpha, deep=deep).tobytes() for index in range(count))
    video = ["-f", "rawvideo", "-pix_fmt", kind, "-s", f"{size[1]}x{size[0]}", "-r", rate, "-i", "pipe:0"]
    moved = (
        [] if times is None else [f"settb=1/1000,setpts={'+'.join(_at(n, t) for n, t in enumerate(times))}"]
    )
    filters = [_conversion(tags, size), f"format={pixel_format}", tags or _UNTAGGED, *moved]
    if late:
        filters.append(f"settb=1/1000,setpts=PTS+{round(late * 1000)}")
    tone = []
    if sound is not None:
        length = (times[-1] if times else count / float(_fraction(rate))) + late
        tone = ["-f", "lavfi", "-i", f"sine=frequency=440:sample_rate=48000:duration={length}"]
    words = [*words, "-fps_mode", "passthrough", *(sound or ())]
    if times is not None or late:
        words += ["-enc_time_base", "1:1000"]
    ffmpeg(*video, *tone, "-vf", ",".join(filters), *words, path, data=data)
    return path


def _conversion(tags: str, size: tuple[int, int]) -> str:
    """The filter that encodes colours as the tags say."""
    assumed = "bt709" if size[0] >= 720 else "smpte170m"
    matrix = tags.partition("colorspace=")[2].partition(":")[0] or assumed
    span = "pc" if "range=pc" in tags else "tv"
    return f"scale=out_color_matrix={matrix}:out_range={span}:flags=area+accurate_rnd"


def rich(path: Path) -> Path:
    """Ten frames with two sound tracks, two of subtitles, an attachment, two chapters and a title."""
    folder = path.parent
    film(folder / "video.mkv", 10)
    (folder / "a.srt").write_text("1\n00:00:00,100 --> 00:00:00,500\nHello\n")
    (folder / "font.ttf").write_bytes(b"no font")
    (folder / "meta.txt").write_text(
        ";FFMETADATA1\ntitle=A title\n"
        "[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=500\ntitle=One\n"
        "[CHAPTER]\nTIMEBASE=1/1000\nSTART=500\nEND=1000\ntitle=Two\n"
    )
    inputs = ["-i", folder / "video.mkv", "-f", "lavfi", "-i", "sine=d=1:r=48000", "-i", folder / "a.srt"]
    inputs += ["-i", folder / "meta.txt"]
    maps = ["-map", "0:v", "-map", "1:a", "-map", "1:a", "-map", "2:s", "-map", "2:s", "-map_metadata", "3"]
    codecs = ["-c:v", "copy", "-c:a:0", "aac", "-c:a:1", "libmp3lame", "-c:s:0", "srt", "-c:s:1", "ass"]
    names = ["-metadata:s:a:0", "language=fra", "-metadata:s:a:1", "language=eng"]
    attached = ["-attach", folder / "font.ttf", "-metadata:s:t", "mimetype=font/ttf"]
    ffmpeg(*inputs, *maps, *codecs, *names, *attached, path)
    return path


def rotated(path: Path, count: int = 6, degrees: int = 90) -> Path:
    """A clip stored lying and shown upright: `degrees` counter-clockwise."""
    lying = film(path.with_name(f"lying{path.suffix}"), count)
    ffmpeg("-display_rotation:v", degrees, "-i", lying, "-c", "copy", path)
    lying.unlink()
    return path


def damaged(path: Path, count: int = 40, at: float = 0.5, length: int = 60) -> Path:
    """An H.264 clip in which `length` bytes of the frame data were overwritten, at a share of the file."""
    film(path, count, words=(*X264, "-g", "10", "-bf", "0"))
    data = bytearray(path.read_bytes())
    start = data.index(b"mdat") + 4 if path.suffix == ".mp4" else 0
    place = start + int((len(data) - start) * at)
    data[place : place + length] = bytes(255 - byte for byte in data[place : place + length])
    path.write_bytes(data)
    return path


def truncated(path: Path, share: float = 0.6) -> Path:
    """Cut a file off behind a share of its bytes."""
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    return path


def packets(path: Path, stream: str) -> list[str]:
    """The MD5 of every packet of a stream such as "a:0", without decoding."""
    text = ffmpeg("-i", path, "-map", f"0:{stream}", "-c", "copy", "-f", "framemd5", "-").decode()
    return [line.split(",")[5].strip() for line in text.splitlines() if not line.startswith("#")]


def start(path: Path, stream: str) -> float:
    """The time in seconds of the first packet of a stream such as "a:0"."""
    words = ["-copyts", "-i", path, "-map", f"0:{stream}", "-c", "copy", "-f", "framecrc", "-"]
    lines = ffmpeg(*words).decode().splitlines()
    base = next(line for line in lines if line.startswith("#tb 0: "))[7:]
    times = [int(line.split(",")[2]) for line in lines if not line.startswith("#")]
    return min(times) * _fraction(base)


def tag(path: Path, name: str) -> str:
    """A tag of the whole file, such as its title."""
    text = ffmpeg("-i", path, "-f", "ffmetadata", "-").decode()
    return next((line.partition("=")[2] for line in text.splitlines() if line.startswith(f"{name}=")), "")


def numbers(path: Path) -> list[int]:
    """The numbers that the frames of a clip of SIZE show, as read by ffmpeg from start to end."""
    data = ffmpeg(
        "-i", path, "-map", "0:V:0", "-fps_mode", "passthrough", "-f", "rawvideo", "-pix_fmt", "rgb24", "-"
    )
    return [number(each) for each in np.frombuffer(data, np.uint8).reshape(-1, *SIZE, 3)]


def _at(index: int, time: float) -> str:
    return f"eq(N\\,{index})*{round(time * 1000)}"


def _fraction(rate: str) -> float:
    above, _, below = rate.partition("/")
    return float(above) / float(below or 1)
