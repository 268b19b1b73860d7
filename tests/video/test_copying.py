"""A copy through the whole room keeps frames, times, colours, depth, alpha, and every other track."""

from fractions import Fraction

import numpy as np
import pytest

from i2icli.errors import UserError
from i2icli.video import probe, verify
from tests.video import films
from tests.video.copying import copy, read

AAC = ("-c:a", "aac")


def far(one, other):
    """The largest difference of colours, of 255, after 1 in 10,000 values is left out: clipped ones."""
    scale = 257 if one[0].pixels.dtype == np.uint16 else 1
    apart = [
        np.abs(a.pixels.astype(int) - b.pixels.astype(int)[: len(a.pixels), : len(a.pixels[0])])
        for a, b in zip(one, other, strict=True)
    ]
    return np.quantile(np.stack(apart), 0.9999) / scale


@pytest.mark.parametrize(
    ("name", "rate", "target", "within"),
    [
        ("a.mp4", "26777/1000", "b.mp4", 0),
        ("a.mp4", "26777/1000", "b.mkv", 5e-4),
        ("a.mp4", None, "b.mp4", 0),
        ("a.mp4", None, "b.mov", 0),
        ("a.mkv", None, "b.mkv", 0),
        ("a.mp4", None, "b.webm", 5e-4),
        ("a.mp4", None, "b.ts", 5e-4),
        ("a.mp4", None, "b.avi", 5e-4),
        ("a.ts", "10", "b.avi", 5e-4),  # a time base that MPEG-4 cannot count in
    ],
)
def test_every_frame_comes_at_its_time(tmp_path, name, rate, target, within):
    if rate is None:
        path = films.film(tmp_path / name, 10, times=films.VARIABLE, words=films.B_FRAMES)
    else:
        path = films.film(tmp_path / name, 10, rate=rate, words=films.B_FRAMES)
    before = read(path)
    copy(path, tmp_path / target, length=4)
    after = read(tmp_path / target)
    assert [films.number(shot.pixels) for shot in after] == list(range(10))
    assert max(abs(a.time - b.time) for a, b in zip(before, after, strict=True)) <= within
    assert probe(tmp_path / target).tracks == ()


def test_segments_join_to_what_one_run_gives(tmp_path):
    path = films.film(tmp_path / "a.mp4", 23, rate="30000/1001")
    copy(path, tmp_path / "whole.mp4", length=99, quality=0)
    copy(path, tmp_path / "parts.mp4", length=5, quality=0)
    whole, parts = read(tmp_path / "whole.mp4"), read(tmp_path / "parts.mp4")
    assert [shot.time for shot in whole] == [shot.time for shot in parts]
    assert far(whole, parts) <= 2
    assert probe(tmp_path / "parts.mp4").duration == probe(path).duration


@pytest.mark.parametrize(
    ("size", "tags"),
    [
        ((48, 64), ""),
        ((720, 1280), ""),
        ((48, 64), "setparams=colorspace=smpte170m:range=pc:color_primaries=smpte170m:color_trc=smpte170m"),
        ((48, 64), "setparams=colorspace=bt709:range=tv:color_primaries=bt709:color_trc=bt709"),
        ((48, 64), "setparams=colorspace=bt2020nc:range=tv:color_primaries=bt2020:color_trc=smpte2084"),
    ],
)
def test_colours_are_kept_and_tagged(tmp_path, size, tags):
    """What was tagged keeps its tags; what was not is tagged as players take it."""
    frames = 1 if size[0] > 48 else 3
    path = films.film(tmp_path / "a.mkv", frames, size=size, words=(*films.X264, "-crf", "1"), tags=tags)
    copy(path, tmp_path / "b.mp4", quality=0, preset="ultrafast")
    colour, source = probe(tmp_path / "b.mp4").colour, probe(path).colour
    if tags:
        assert colour == source
    else:
        name = "bt709" if size[0] >= 720 else "smpte170m"
        assert (colour.matrix, colour.primaries, colour.full_range) == (name, name, False)
    assert far(read(path), read(tmp_path / "b.mp4")) <= 2


def test_ten_bits_are_kept(tmp_path):
    path = films.film(tmp_path / "a.mp4", 3, words=films.X264_10, pixel_format="yuv420p10le", deep=True)
    encoding = copy(path, tmp_path / "b.mp4", quality=1)
    assert (encoding.codec, encoding.bits) == ("libx265", 16)
    assert probe(tmp_path / "b.mp4").bits == 10
    assert far(read(path), read(tmp_path / "b.mp4")) <= 2


@pytest.mark.parametrize("target", ["b.webm", "b.mov", "b.mkv", "b.png", "b.webp"])
def test_alpha_is_kept(tmp_path, target):
    path = films.film(tmp_path / "a.webm", 4, words=films.VP9, pixel_format="yuva420p", alpha=True)
    encoding = copy(path, tmp_path / target, length=3)
    assert encoding.alpha
    before, after = read(path), read(tmp_path / target)
    assert [films.number(shot.pixels) for shot in after] == list(range(4))
    depth = 257 if after[0].pixels.dtype == np.uint16 else 1
    for one, other in zip(before, after, strict=True):
        assert np.abs(one.pixels[..., 3] - other.pixels[..., 3] / depth).max() <= 8


def test_alpha_that_a_codec_has_no_place_for_is_said(tmp_path):
    path = films.film(tmp_path / "a.webm", 2, words=films.VP9, pixel_format="yuva420p", alpha=True)
    encoding = copy(path, tmp_path / "b.mp4")
    assert not encoding.alpha
    assert any("transparency is left out" in note for note in encoding.notes)


@pytest.mark.parametrize(
    ("sound", "target"),
    [
        ("aac", "b.mp4"),
        ("aac", "b.mkv"),
        ("aac", "b.mov"),
        ("libopus", "b.webm"),
        ("flac", "b.mp4"),
        ("libmp3lame", "b.avi"),
    ],
)
def test_sound_is_kept_bit_for_bit(tmp_path, sound, target):
    path = films.film(tmp_path / "a.mkv", 10, sound=("-c:a", sound))
    copy(path, tmp_path / target, length=6)
    assert films.packets(path, "a:0") == films.packets(tmp_path / target, "a:0") != []
    assert [films.number(shot.pixels) for shot in read(tmp_path / target)] == list(range(10))


@pytest.mark.parametrize("target", ["b.mp4", "b.mkv", "b.mov"])
def test_images_that_start_after_the_sound_still_do(tmp_path, target):
    path = films.film(tmp_path / "a.mkv", 8, sound=AAC, late=0.6)
    copy(path, tmp_path / target)
    assert films.start(tmp_path / target, "v:0") - films.start(tmp_path / target, "a:0") == pytest.approx(
        films.start(path, "v:0") - films.start(path, "a:0"), abs=5e-4
    )
    assert films.packets(path, "a:0") == films.packets(tmp_path / target, "a:0")


def test_sound_is_cut_with_the_images(tmp_path):
    path = films.film(tmp_path / "a.mp4", 20, sound=AAC, words=films.B_FRAMES)
    target = tmp_path / "b.mp4"
    encoding = copy(path, target, cut={"start": Fraction(1, 2), "end": Fraction(3, 2)})
    assert [films.number(shot.pixels) for shot in read(target)] == list(range(5, 15))
    verify(target, 10, Fraction(1), encoding.streams)
    before, after = films.packets(path, "a:0"), films.packets(target, "a:0")
    first = before.index(after[0])
    assert after == before[first : first + len(after)]
    time = first * 1024 / 48000 + films.start(path, "a:0")  # of that packet in the source
    assert films.start(target, "a:0") == pytest.approx(time - 0.5, abs=1e-3)
    assert 0 <= films.start(target, "a:0") < 0.022
    assert len(after) * 1024 / 48000 == pytest.approx(1, abs=0.05)


@pytest.mark.parametrize(
    ("target", "subtitles", "noted"),
    [("b.mkv", ["subrip", "ass"], 0), ("b.mp4", ["mov_text", "mov_text"], 1), ("b.mov", ["mov_text"] * 2, 1)],
)
def test_everything_else_is_kept_where_it_can_be(tmp_path, target, subtitles, noted):
    path = films.rich(tmp_path / "a.mkv")
    encoding = copy(path, tmp_path / target)
    info = probe(tmp_path / target)
    tracks = [track for track in info.tracks if track.kind != "data"]  # chapters of mp4 are a track of text
    assert [track.codec for track in tracks if track.kind == "audio"] == ["aac", "mp3"]
    assert [track.language for track in tracks if track.kind == "audio"] == ["fra", "eng"]
    assert [track.codec for track in tracks if track.kind == "subtitle"] == subtitles
    assert info.chapters == 2
    assert films.tag(tmp_path / target, "title") == "A title"
    assert len(encoding.notes) == noted
    for stream in ("a:0", "a:1"):
        assert films.packets(path, stream) == films.packets(tmp_path / target, stream)
    verify(tmp_path / target, 10, Fraction(1), encoding.streams)


@pytest.mark.parametrize("target", ["b.mp4", "b.mov", "b.mkv"])
def test_where_a_video_was_taken_is_kept_when_asked_only(tmp_path, target):
    place, names = "+48.2000+011.5000/", ("location", "location-eng", "com.apple.quicktime.location.ISO6709")
    plain, path = films.film(tmp_path / "plain.mov", 3), tmp_path / "a.mov"
    tags = [word for name in (*names, "title") for word in ("-metadata", f"{name}={place}")]
    films.ffmpeg("-i", plain, "-c", "copy", *tags, "-movflags", "use_metadata_tags", path)
    assert {films.tag(path, name) for name in names} == {place}
    copy(path, tmp_path / target)
    assert {films.tag(tmp_path / target, name) for name in names} == {""}
    assert films.tag(tmp_path / target, "title") == place
    copy(path, tmp_path / f"kept-{target}", gps=True)
    assert place in {films.tag(tmp_path / f"kept-{target}", name) for name in ("location", "LOCATION")}


def test_subtitles_that_cannot_be_kept_are_left_out_from_the_start(tmp_path):
    (tmp_path / "a.srt").write_text("1\n00:00:00,100 --> 00:00:00,500\nHello\n")
    plain, path = films.film(tmp_path / "a.mp4", 3), tmp_path / "b.mp4"
    films.ffmpeg("-i", plain, "-i", tmp_path / "a.srt", "-c:v", "copy", "-c:s", "ttml", path)
    encoding = copy(path, tmp_path / "c.mkv")
    assert encoding.notes == ("track 1 (subtitles, ttml) is left out: .mkv cannot hold it",)
    assert probe(tmp_path / "c.mkv").frames == 3


@pytest.mark.parametrize("target", ["b.gif", "b.png", "b.webp"])
def test_animations_keep_their_timing(tmp_path, target):
    path = films.film(tmp_path / "a.mkv", 10, times=films.VARIABLE)
    copy(path, tmp_path / target, length=4)
    after = read(tmp_path / target)
    assert [films.number(shot.pixels) for shot in after] == list(range(10))
    assert [float(shot.time) for shot in after] == pytest.approx(films.VARIABLE)


def test_a_gif_becomes_a_gif(tmp_path):
    path = films.film(tmp_path / "a.gif", 5, words=(), pixel_format="rgb8")
    copy(path, tmp_path / "b.gif")
    assert far(read(path), read(tmp_path / "b.gif")) == 0
    assert probe(tmp_path / "b.gif").duration == Fraction(1, 2)


def test_rotation_is_not_applied_twice(tmp_path):
    path = films.rotated(tmp_path / "a.mp4", 3)
    copy(path, tmp_path / "b.mp4")
    info = probe(tmp_path / "b.mp4")
    assert (info.size, info.rotation) == ((64, 48), 0)
    assert films.number(np.rot90(read(tmp_path / "b.mp4")[2].pixels, -1)) == 2


def test_pixels_that_are_not_square_stay_so(tmp_path):
    films.film(tmp_path / "a.mp4", 2)
    films.ffmpeg("-i", tmp_path / "a.mp4", "-vf", "setsar=4/3", *films.X264, tmp_path / "b.mp4")
    copy(tmp_path / "b.mp4", tmp_path / "c.mkv")
    assert probe(tmp_path / "c.mkv").sample_aspect == Fraction(4, 3)


@pytest.mark.parametrize(
    ("options", "size", "noted"),
    [({}, (50, 66), 1), ({"pixel_format": "yuv444p"}, (49, 65), 0), ({"codec": "av1"}, (49, 65), 0),
     ({"codec": "mpeg4"}, (49, 65), 0)],
)  # fmt: skip
def test_odd_sides_are_kept_where_the_codec_can(tmp_path, options, size, noted):
    path = films.film(tmp_path / "a.mkv", 2, size=(49, 65), words=("-c:v", "ffv1"), pixel_format="bgr0")
    encoding = copy(path, tmp_path / "b.mp4", **options)
    assert probe(tmp_path / "b.mp4").size == encoding.size == size
    assert sum("repeated pixels" in note for note in encoding.notes) == noted


def test_a_difference_is_named(tmp_path):
    path = films.film(tmp_path / "a.mp4", 5, sound=AAC)
    verify(path, 5, Fraction(1, 2), ("audio",))
    for given, message in (
        ((6, None, ("audio",)), "5 frames instead of 6"),
        ((5, Fraction(2), ("audio",)), r"lasts 0\.50 s instead of 2\.00 s"),
        ((5, None, ()), "holds audio beside the video instead of nothing"),
    ):
        with pytest.raises(UserError, match=message):
            verify(path, *given)
