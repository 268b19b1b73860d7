"""Segments joined without encoding them again, with everything else that the source holds."""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from i2icli.errors import UserError
from i2icli.files import atomic_write
from i2icli.video.animations import encode_animation
from i2icli.video.containers import ANIMATIONS
from i2icli.video.encoding import Encoding
from i2icli.video.ffmpeg import address, ask, input_words, plain
from i2icli.video.info import VideoInfo
from i2icli.video.packets import Packets, read_packets
from i2icli.video.probing import probe
from i2icli.video.segments import segments_input
from i2icli.video.source import Source

_POSITIONS = ("location", "location-eng", "com.apple.quicktime.location.ISO6709")  # as phones name it
_ROUNDING = Fraction(1, 2000)  # seconds that a time may be off where a container counts in milliseconds


def join(
    segments: Sequence[Path],
    target: Path,
    source: Source | None,
    encoding: Encoding,
    start: Fraction | None = None,
    end: Fraction | None = None,
    lasting: Fraction | None = None,
) -> None:
    """Join segments to one file without encoding them again, with the tracks that were planned.

    The target appears when it is complete. Times stay those of the source, so that the image keeps its
    offset against the sound; where the source was cut, `start` (seconds) becomes 0, and sound and subtitles
    are cut to packets. GIF, APNG and WebP are encoded here, from their lossless segments. `lasting`: seconds
    of the last frame, which segments may not know. The times of all frames are checked. Raises UserError
    (exit code 1).
    """
    tables = [read_packets(path) for path in segments]
    for path, table in zip(segments, tables, strict=True):
        if not len(table.times):
            raise UserError(f"cannot join {path}: it holds no frames", exit_code=1)
    known = tables[-1].last_duration * tables[-1].time_base
    lasting = lasting or known
    shift = -(start or Fraction(0))
    if encoding.container == "avi":  # it begins at 0; that sound does so, too, is checked when planned
        shift = -(tables[0].times[0].item() * tables[0].time_base)
    try:
        with TemporaryDirectory(prefix="i2i-join-") as folder, atomic_write(target) as temporary:
            video = segments_input(segments, tables, Path(folder), shift)
            if encoding.container in ANIMATIONS:
                encode_animation(video, temporary, encoding, lasting, Path(folder))
            else:
                words = [*video, *_others(source, encoding, start, end), *_muxing(encoding, tables[0])]
                words += _last(tables, lasting) if lasting != known else []
                _run([*words, "-f", encoding.container, address(temporary)], target)
                _check_times(temporary, tables, shift, target, encoding.container)
    except OSError as error:
        raise UserError(f"cannot write {target}: {error.strerror or error}", exit_code=1) from error


def verify(
    target: Path,
    frames: int,
    duration: Fraction | None,
    streams: Sequence[str] = (),
    lasting: Fraction = Fraction(0),
) -> None:
    """Check a finished file by probing it: number of frames, seconds, and the kinds of its other tracks.

    `streams` is `Encoding.streams`. `lasting`: seconds of the last frame, which not every container tells.
    Raises UserError (exit code 1) that names the difference.
    """
    info = probe(target)
    found = [track.kind for track in info.tracks if track.kind != "data"]  # chapters of mp4 are such a track
    if info.frames != frames:
        raise UserError(f"{target}: holds {info.frames} frames instead of {frames}", exit_code=1)
    slack = _slack(info) + lasting
    if duration is not None and info.duration is not None and abs(info.duration - duration) > slack:
        lasts = f"{float(info.duration):.2f} s instead of {float(duration):.2f} s"
        raise UserError(f"{target}: lasts {lasts}", exit_code=1)
    if sorted(found) != sorted(streams):
        wanted = ", ".join(streams) or "nothing"
        raise UserError(
            f"{target}: holds {', '.join(found) or 'nothing'} beside the video instead of {wanted}",
            exit_code=1,
        )


def _slack(info: VideoInfo) -> Fraction:
    """Seconds by which a duration may be off: not every container knows how long the last frame lasts."""
    times = info.packets.times if info.packets else np.zeros(0, np.int64)
    return Fraction(1, 10) + int(np.diff(times).max(initial=0)) * info.time_base


def _others(
    source: Source | None, encoding: Encoding, start: Fraction | None, end: Fraction | None
) -> list[str]:
    """The words that bring what the source holds beside its video."""
    words = ["-map", "0:v:0", "-c:v", "copy"]
    if source is None or source.info.container == "images":
        return words
    zero = source.info.zero + (start or 0)
    opened = ["-itsoffset", f"{float(-zero):.6f}"]
    if start:
        opened += ["-seek_timestamp", "1", "-ss", f"{float(zero):.6f}"]
    inputs = input_words(source.info.path, *opened)
    for place, track in enumerate(encoding.tracks, 1):
        words += ["-map", f"1:{track.index}", f"-c:{place}", track.codec]
        words += [f"-map_metadata:s:{place}", f"1:s:{track.index}"]
        if start:
            words += [f"-bsf:{place}", "noise=drop=lt(pts\\,0)"]
    words += ["-map_metadata", "1", "-map_metadata:s:v:0", f"1:s:{source.info.index}", "-map_chapters", "1"]
    if not encoding.keep_gps:
        words += [word for name in _POSITIONS for word in ("-metadata", f"{name}=")]
    if encoding.alpha and encoding.container in ("matroska", "webm"):
        words += ["-metadata:s:v:0", "alpha_mode=1"]  # the tag of VP8 and VP9, lost with those of the encoder
    if end is not None:
        words += ["-to", f"{float(end - (start or 0)):.6f}"]
    return [*inputs, *words]


def _muxing(encoding: Encoding, first: Packets) -> list[str]:
    words = []
    if encoding.container in ("mp4", "mov"):
        # The start of a track is counted in the units of the whole file, by default milliseconds.
        words += ["-movflags", "+faststart", "-movie_timescale", str(_fine(first.time_base))]
        if "-tag:v" in encoding.arguments:
            words += ["-tag:v", encoding.arguments[encoding.arguments.index("-tag:v") + 1]]
    if encoding.container == "avi":  # empty packets fill the time between frames: no more than are needed
        words += ["-avoid_negative_ts", "disabled"]  # else sound that begins before 0 moves the images
        words += ["-r", "1000" if encoding.variable or not encoding.rate else str(encoding.rate)]
    if encoding.container == "mpegts":
        words += ["-muxdelay", "0", "-muxpreload", "0", "-mpegts_copyts", "1"]
    return words


def _last(tables: Sequence[Packets], lasting: Fraction) -> list[str]:
    """The words that set the seconds of the last frame."""
    number = sum(len(table.times) for table in tables) - 1
    duration = f"if(eq(N\\,{number})\\,{lasting}/TB\\,DURATION)"
    return ["-bsf:v", f"setts=pts=PTS:dts=DTS:duration={duration}"]


def _fine(base: Fraction) -> int:
    """Units per second that hold the times of a time base, at least 1,000."""
    return base.denominator * max(1, -(-1000 // base.denominator))


def _run(words: list[str], target: Path) -> None:
    code, _, text = ask(["-y", "-loglevel", "level+error", "-copyts", *words])
    if code:
        lines = text.split("\n")
        full = "no space left on the disk" if "No space left" in text else plain(lines[0])
        raise UserError(f"cannot write {target}: {full}", exit_code=1)


def _check_times(
    path: Path, tables: Sequence[Packets], shift: Fraction, target: Path, container: str
) -> None:
    """Every frame must have come out at its time. Raises UserError."""
    found = read_packets(path)
    wanted = np.concatenate([_seconds(table) for table in tables]) + float(shift)
    if container == "mpegts" and len(found.times):  # all of it is moved where sound begins before 0
        wanted += _seconds(found)[0] - wanted[0]
    if len(found.times) != len(wanted):
        raise UserError(
            f"cannot write {target}: {len(found.times)} of {len(wanted)} frames were written", exit_code=1
        )
    off = np.abs(_seconds(found) - wanted)
    allowed = max(float(_ROUNDING), float(found.time_base) / 2) + 1e-6
    if off.max() > allowed:
        where = int(off.argmax())
        raise UserError(
            f"cannot write {target}: frame {where} came out {off.max():.4f} s away from its time", exit_code=1
        )


def _seconds(table: Packets) -> NDArray[np.float64]:
    return table.times.astype(np.float64) * float(table.time_base)
