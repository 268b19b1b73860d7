"""Seeking gives the very frames that reading from the start gives."""

import numpy as np
import pytest

from i2icli.video import open_source, probe, read_range
from i2icli.video.decoding import known_packets
from tests.video import films
from tests.video.copying import read

X265 = (
    "-c:v",
    "libx265",
    "-x265-params",
    "keyint=8:min-keyint=8:open-gop=1:log-level=none",
    "-preset",
    "ultrafast",
)
OPEN = ("-c:v", "libx264", "-x264-params", "keyint=8:min-keyint=8:open-gop=1:bframes=3", "-crf", "8")

SOUGHT = {
    "plain.mp4": {"words": (*films.X264, "-g", "8")},
    "b-frames.mp4": {"words": films.B_FRAMES},
    "open.mkv": {"words": OPEN},
    "hevc.mp4": {"words": X265},
    "vp9.webm": {"words": (*films.VP9, "-g", "8")},
    "mpeg4.avi": {"words": ("-c:v", "mpeg4", "-q:v", "2", "-g", "8", "-bf", "0")},
    "broadcast.ts": {"words": films.B_FRAMES},
}
COUNTED = {  # their packets do not tell which frames there are
    "reordered.avi": {"words": ("-c:v", "mpeg4", "-q:v", "2", "-g", "8", "-bf", "2")},
    "vp8.webm": {"words": ("-c:v", "libvpx", "-b:v", "2M", "-g", "8")},
    "a.gif": {"words": (), "pixel_format": "rgb8"},
}


@pytest.mark.parametrize("name", [*SOUGHT, *COUNTED])
def test_frames_are_the_same_from_wherever_reading_begins(tmp_path, name):
    path = films.film(tmp_path / name, 30, **{**SOUGHT, **COUNTED}[name])
    whole = read(path)
    info = probe(path)
    assert [shot.index for shot in whole] == list(range(30))
    assert (known_packets(info) is not None) == (name in SOUGHT)
    for index in (1, 15, 29):
        with open_source(str(path)).frames(after=index - 1) as frames:
            frame = next(frames)
        assert (frame.index, frame.time) == (index, whole[index].time)
        np.testing.assert_array_equal(frame.item.read().pixels, whole[index].pixels[..., :3])
    few = read_range(info, 9, 3, 4)
    for found, index in zip(few, (9, 13, 17), strict=True):
        np.testing.assert_array_equal(found, whole[index].pixels[..., :3])


@pytest.mark.parametrize(
    "changed", [("-c", "copy"), ("-ss", "0.42", "-c", "copy"), ("-display_rotation:v", "90", "-c", "copy")]
)
def test_variable_rates_cuts_and_rotation(tmp_path, changed):
    films.film(tmp_path / "a.mp4", 10, times=films.VARIABLE, words=(*films.B_FRAMES, "-g", "3"))
    films.ffmpeg(*changed[:-2], "-i", tmp_path / "a.mp4", *changed[-2:], tmp_path / "b.mp4")
    whole, info = read(tmp_path / "b.mp4"), probe(tmp_path / "b.mp4")
    assert len(whole) == (6 if "-ss" in changed else 10)
    for index in range(0, len(whole), 2):
        [found] = read_range(info, index, 1)
        np.testing.assert_array_equal(found, whole[index].pixels)


def test_only_what_is_needed_is_decoded(tmp_path, monkeypatch):
    """The last frame of a video with many keyframes: ffmpeg is asked to begin near it."""
    from i2icli.video import decoding

    asked = []
    words = decoding._words
    monkeypatch.setattr(decoding, "_words", lambda *given: asked.append(words(*given)) or asked[-1])
    path = films.film(tmp_path / "a.mp4", 40, words=(*films.X264, "-g", "10"))
    assert films.number(read_range(path, 35, 1)[0]) == 35
    [command] = asked
    assert command[command.index("-ss") + 1] == "3.000000"


def test_ranges_end_with_the_video(tmp_path):
    path = films.film(tmp_path / "a.mp4", 10)
    assert [films.number(each) for each in read_range(path, 7, 9)] == [7, 8, 9]
    assert read_range(path, 10, 1) == []
