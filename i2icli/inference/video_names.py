"""What the suffix of a file tells: a video, a folder of frames. No torch here."""

from pathlib import Path

from i2icli.image import SUFFIXES as IMAGES

STILL = tuple(suffix for suffix in IMAGES if suffix not in (".webp", ".gif"))
"""Suffixes of formats that mean a folder of frames; WebP and GIF move."""


def is_video_name(path: Path) -> bool:
    """Whether the suffix of a file is that of a video, GIF and APNG included; PNG and WebP are images."""
    suffix = path.suffix.lower()
    if suffix in IMAGES and suffix != ".gif":
        return False
    from i2icli.video.containers import MUXERS, READ_ONLY  # translating images need not load ffmpeg's

    return suffix in MUXERS or suffix in READ_ONLY
