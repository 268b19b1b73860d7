"""Opening whatever can be read as a video."""

from fractions import Fraction
from pathlib import Path

from i2icli.errors import UserError
from i2icli.reading import AS_FOUND, Reading
from i2icli.video.probing import probe
from i2icli.video.sequences import is_sequence, open_sequence
from i2icli.video.source import Source
from i2icli.video.video_files import VideoFile

_STILL = ("png", "webp", "mjpeg", "gif")


def open_source(text: str, rate: Fraction | None = None, reading: Reading = AS_FOUND) -> Source:
    """A video file, a folder of images, a glob or a pattern such as frame_%05d.png.

    `rate`: frames per second of an image sequence, by default 25; `reading`: of its images. Raises
    UserError: nothing of that name, not a video, no frames, a single image, a rate given for a video file,
    which has its own.
    """
    if is_sequence(text):
        return open_sequence(text, rate, reading)
    info = probe(Path(text))
    if info.frames == 1 and info.codec in _STILL:
        raise UserError(f"{text}: a single image, not a video; give the folder of an image sequence")
    if rate is not None:
        raise UserError(f"{text}: a video has its own times; a rate is for image sequences")
    return VideoFile(info)
