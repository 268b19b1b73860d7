"""What containers hold: by suffix, for sound, subtitles and the rest of a source."""

from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from i2icli.errors import UserError
from i2icli.video.ffmpeg import address, ask, input_words
from i2icli.video.info import Track, VideoInfo

MUXERS = {
    ".mp4": "mp4",
    ".m4v": "mp4",
    ".mov": "mov",
    ".mkv": "matroska",
    ".webm": "webm",
    ".avi": "avi",
    ".ts": "mpegts",
    ".mts": "mpegts",
    ".m2ts": "mpegts",
    ".gif": "gif",
    ".png": "apng",
    ".apng": "apng",
    ".webp": "webp",
}
"""Suffix -> muxer of ffmpeg."""

READ_ONLY = (".flv", ".f4v", ".wmv", ".asf", ".mpg", ".mpeg", ".vob", ".m2v", ".ogv", ".3gp", ".3g2", ".mxf")
"""Suffixes of videos that we do not write."""

ANIMATIONS = ("gif", "apng", "webp")
"""Muxers of images that move: no sound, encoded once from lossless segments."""

_TEXT = ("subrip", "ass", "ssa", "webvtt", "text", "mov_text")
_NOT_KEPT = {"video": "only the first video is translated", "data": "tracks of data are not copied"}
_CHAPTERS = ("mp4", "mov", "matroska", "webm")


@dataclass(frozen=True)
class Kept:
    """A track of the source in the result."""

    index: int  # in the source
    kind: str
    codec: str  # an encoder, or "copy"


def muxer_of(target: Path) -> str:
    """The muxer for a suffix. Raises UserError naming those that there are."""
    muxer = MUXERS.get(target.suffix.lower())
    if muxer is None:
        raise UserError(
            f"{target}: no video is written as {target.suffix or 'a name without suffix'}; "
            f"take {', '.join(MUXERS)}"
        )
    return muxer


def kept_tracks(info: VideoInfo, muxer: str, audio: str, target: Path) -> tuple[list[Kept], list[str]]:
    """What becomes of the tracks beside the video: those kept, and notes on the others.

    Raises UserError if sound is to be copied and the container cannot hold it.
    """
    kept: list[Kept] = []
    notes: list[str] = []
    for track in info.tracks:
        if track.kind == "audio":
            codec = _sound(info, track, muxer, audio, target)
        elif track.kind == "subtitle":
            codec = _subtitles(info, track, muxer)
        elif track.kind == "attachment":
            codec = "copy" if muxer == "matroska" else None
        else:
            codec = None
        if codec is not None:
            kept.append(Kept(track.index, track.kind, codec))
        elif track.kind != "audio" or audio != "none":
            why = _NOT_KEPT.get(track.kind, f"{target.suffix} cannot hold it")
            notes.append(f"{_named(track)} is left out: {why}")
    if info.chapters and muxer not in _CHAPTERS:
        notes.append(f"{info.chapters} chapters are left out: {target.suffix} cannot hold them")
    return kept, notes


def _named(track: Track) -> str:
    language = f", {track.language}" if track.language else ""
    what = {"audio": "sound", "video": "a second video or cover", "subtitle": "subtitles"}
    return f"track {track.index} ({what.get(track.kind, track.kind)}, {track.codec}{language})"


def _sound(info: VideoInfo, track: Track, muxer: str, audio: str, target: Path) -> str | None:
    """How a sound track is kept; None: it is not. Raises UserError."""
    if audio == "none" or muxer in ANIMATIONS:
        return None
    if audio == "copy":
        if _holds(info, track, muxer, "copy"):
            return "copy"
        able = next((each for each in (".mp4", ".mkv") if _holds(info, track, MUXERS[each], "copy")), ".mkv")
        anew = "opus" if muxer == "webm" else "aac"
        raise UserError(
            f"{target}: {target.suffix} cannot hold the sound of {info.path} ({track.codec}); "
            f"write {able}, or encode the sound anew with --audio {anew}"
        )
    encoder = {"aac": "aac", "opus": "libopus"}[audio]
    if not _holds(info, track, muxer, encoder):
        raise UserError(
            f"{target}: {target.suffix} cannot hold {audio}; write .mkv, or choose another --audio"
        )
    return encoder


def _holds(info: VideoInfo, track: Track, muxer: str, codec: str) -> bool:
    """Whether a container takes a track of sound or subtitles, tried on what comes first of it."""
    little = ["-frames:a", "3"] if track.kind == "audio" else ["-t", "10"]
    with TemporaryDirectory(prefix="i2i-trial-") as folder:
        words = ["-loglevel", "error", *input_words(info.path), "-map", f"0:{track.index}", "-c", codec]
        trial = Path(folder) / "trial"
        code, _, _ = ask([*words, *little, "-f", muxer, address(trial)])
        if code or muxer != "mpegts":
            return code == 0
        _, _, text = ask(input_words(trial))  # it takes everything, and tells of some that it is private data
        return ": Audio: " in text


def _subtitles(info: VideoInfo, track: Track, muxer: str) -> str | None:
    """How a track of subtitles is kept; None: it is not."""
    if muxer == "matroska":
        codec = "subrip" if track.codec == "mov_text" else "copy"
        return codec if _holds(info, track, muxer, codec) else None
    if muxer in ("mp4", "mov") and track.codec in _TEXT:
        return "copy" if track.codec == "mov_text" else "mov_text"
    if muxer == "webm" and track.codec in _TEXT:
        return "copy" if track.codec == "webvtt" else "webvtt"
    return None
