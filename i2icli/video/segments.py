"""Several segments as one input of ffmpeg, each at its own time."""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

from i2icli.errors import UserError
from i2icli.video.ffmpeg import address, input_words
from i2icli.video.packets import Packets


def segments_input(
    segments: Sequence[Path], tables: Sequence[Packets], folder: Path, shift: Fraction
) -> list[str]:
    """The words that open segments as one input; a list of them is written to `folder`.

    Every segment begins at the time of its first frame plus `shift` (seconds). ffmpeg adds up the durations
    of the list in microseconds: they are differences of rounded times, so that nothing accumulates.
    """
    starts = [round(table.times[0].item() * table.time_base * 1_000_000) for table in tables]
    offset = ["-itsoffset", seconds(starts[0] + round(shift * 1_000_000))]
    if len(segments) == 1:
        return input_words(segments[0], "-itsoffset", seconds(round(shift * 1_000_000)))
    lines = ["ffconcat version 1.0"]
    for index, path in enumerate(segments):
        name = address(path.resolve())
        if "\n" in name:
            raise UserError(f"{path}: a line break in a path; choose another folder")
        lines.append("file '" + name.replace("'", "'\\''") + "'")
        if index + 1 < len(segments):
            lines.append(f"duration {seconds(starts[index + 1] - starts[index])}")
    listed = folder / "segments.ffconcat"
    listed.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return ["-protocol_whitelist", "file", *offset, "-f", "concat", "-safe", "0", "-i", address(listed)]


def seconds(microseconds: int) -> str:
    """A time as ffmpeg takes it."""
    sign = "-" if microseconds < 0 else ""
    return f"{sign}{abs(microseconds) // 1_000_000}.{abs(microseconds) % 1_000_000:06d}"
