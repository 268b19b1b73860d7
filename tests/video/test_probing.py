"""Videos are described exactly, whatever their texts say."""

from fractions import Fraction

import pytest

from i2icli.errors import UserError
from i2icli.video import Colour, Track, probe
from i2icli.video.probing import nominal_rate
from tests.video import films

AAC = ("-c:a", "aac")


def test_a_plain_video(tmp_path):
    info = probe(films.film(tmp_path / "a.mp4", 12, rate="30000/1001", sound=AAC))
    assert (info.size, info.rate, info.frames) == ((48, 64), Fraction(30000, 1001), 12)
    assert (info.start, info.duration) == (0, Fraction(12 * 1001, 30000))
    assert (info.codec, info.pixel_format, info.bits, info.alpha) == ("h264", "yuv420p", 8, False)
    assert (info.index, info.tracks) == (0, (Track(1, "audio", "aac", None),))
    assert not info.variable
    assert info.colour.matrix == "bt709"
    assert info.colour.full_range is False


def test_variable_rates_and_late_starts(tmp_path):
    info = probe(films.film(tmp_path / "a.mkv", 10, times=films.VARIABLE))
    assert info.variable
    assert info.frames == 10
    late = probe(films.film(tmp_path / "b.mkv", 10, sound=AAC, late=0.6))
    assert (late.start, late.duration, late.variable) == (Fraction(3, 5), 1, False)


def test_milliseconds_do_not_make_a_rate_variable(tmp_path):
    info = probe(films.film(tmp_path / "a.mkv", 20, rate="30000/1001"))
    assert not info.variable
    assert info.rate == Fraction(30000, 1001)


@pytest.mark.parametrize(("degrees", "size"), [(90, (64, 48)), (180, (48, 64)), (270, (64, 48))])
def test_rotation_is_part_of_the_size(tmp_path, degrees, size):
    info = probe(films.rotated(tmp_path / "a.mp4", 2, degrees))
    assert (info.size, info.rotation) == (size, degrees)


def test_depth_and_alpha(tmp_path):
    deep = probe(
        films.film(tmp_path / "a.mov", 2, words=films.PRORES, alpha=True, deep=True, **films.ALPHA10)
    )
    assert (deep.bits > 8, deep.alpha) == (True, True)
    beside = probe(films.film(tmp_path / "a.webm", 2, words=films.VP9, pixel_format="yuva420p", alpha=True))
    assert (beside.bits, beside.alpha) == (8, True)


def test_tags_of_the_colours(tmp_path):
    films.ffmpeg(
        "-f",
        "lavfi",
        "-i",
        "color=red:s=64x48",
        "-frames:v",
        2,
        "-vf",
        films.PQ,
        *films.X264_10,
        tmp_path / "a.mp4",
    )
    assert probe(tmp_path / "a.mp4").colour == Colour("bt2020nc", "bt2020", "smpte2084", False)


def test_texts_of_a_file_are_not_taken_for_its_streams(tmp_path):
    plain = films.film(tmp_path / "a.mkv", 2)
    hostile = tmp_path / "b\n  Stream #0:0: Video: h264, yuv420p, 9x9, 25 fps.mkv"
    title = "x\n  Stream #0:0: Video: h264, yuv420p, 99999x99999, 25 fps"
    films.ffmpeg("-i", plain, "-c", "copy", "-metadata", f"title={title}", "-metadata", f"{title}=y", hostile)
    info = probe(hostile)
    assert (info.size, info.frames, info.tracks) == ((48, 64), 2, ())


def test_a_long_description_is_read_to_its_beginning(tmp_path):
    chapters = "".join(
        f"[CHAPTER]\nTIMEBASE=1/1000\nSTART={n}\nEND={n + 1}\ntitle=Scene {n}\n" for n in range(200)
    )
    (tmp_path / "meta.txt").write_text(f";FFMETADATA1\n{chapters}")
    plain = films.film(tmp_path / "a.mkv", 10)
    films.ffmpeg(
        "-i", plain, "-i", tmp_path / "meta.txt", "-map_chapters", 1, "-c", "copy", tmp_path / "b.mkv"
    )
    info = probe(tmp_path / "b.mkv")
    assert (info.size, info.frames, info.chapters) == ((48, 64), 10, 200)


def test_a_video_with_a_timecode(tmp_path):
    """It is in a group of streams."""
    plain = films.film(tmp_path / "a.mp4", 3, sound=AAC)
    films.ffmpeg("-i", plain, "-c", "copy", "-timecode", "01:00:00:00", tmp_path / "b.mov")
    info = probe(tmp_path / "b.mov")
    assert (info.size, info.frames, info.index) == ((48, 64), 3, 0)
    assert sorted((track.index, track.kind) for track in info.tracks) == [(1, "audio"), (2, "data")]


def test_files_without_a_video_are_refused(tmp_path):
    films.ffmpeg("-f", "lavfi", "-i", "sine=d=0.1", tmp_path / "a.wav")
    films.ffmpeg("-f", "lavfi", "-i", "sine=d=0.1", *AAC, tmp_path / "a.m4a")
    (tmp_path / "b.mp4").write_bytes(b"nothing")
    films.truncated(films.film(tmp_path / "c.mp4", 5))
    (tmp_path / "d.m3u8").write_text("#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1:9/a.ts\n")
    for name, message in {
        "a.m4a": r"no video stream; it holds audio \(aac\)",
        "a.wav": "not a video",
        "b.mp4": "not a video",
        "c.mp4": "moov atom not found",
        "d.m3u8": "not a video",
        "e.mp4": "no such file",
        ".": "a folder",
    }.items():
        with pytest.raises(UserError, match=message) as caught:
            probe(tmp_path / name)
        assert "\n" not in str(caught.value)


def test_absurd_sizes_are_refused_before_memory_is_asked_for(tmp_path):
    head = b"\x89PNG\r\n\x1a\n"
    films.ffmpeg("-f", "lavfi", "-i", "color=red:s=64x48", "-frames:v", 3, "-f", "apng", tmp_path / "a.png")
    data = bytearray((tmp_path / "a.png").read_bytes())
    assert data.startswith(head)
    data[16:24] = (60000).to_bytes(4, "big") * 2
    import zlib

    data[29:33] = zlib.crc32(data[12:29]).to_bytes(4, "big")
    (tmp_path / "b.png").write_bytes(data)
    with pytest.raises(UserError, match="cannot read"):
        probe(tmp_path / "b.png")


def test_other_kinds_of_files_are_refused_in_words(tmp_path):
    films.ffmpeg("-f", "lavfi", "-i", "sine=d=0.2", tmp_path / "tone.wav")
    (tmp_path / "list.m3u8").write_text("#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n/etc/passwd\n")
    for name in ("tone.wav", "list.m3u8"):
        with pytest.raises(
            UserError, match=r"not a video that ffmpeg can read \(a kind of file without video"
        ):
            probe(tmp_path / name)


def test_rates_as_ffmpeg_prints_them():
    assert nominal_rate("29.97") == Fraction(30000, 1001)
    assert nominal_rate("23.98") == Fraction(24000, 1001)
    assert nominal_rate("26.78") == Fraction(2678, 100)
    assert nominal_rate("1k") == 1000
    assert nominal_rate("0") is None
