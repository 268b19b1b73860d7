"""Frames that are judged of a video: which they are, and that a long one is not read."""

import pytest

from i2icli.__main__ import main
from i2icli.errors import UserError
from i2icli.video import sample_frames, samples
from tests.video import films

EVERY_FOURTH = (*films.X264, "-g", "4")  # a key frame


def shown(path, number):
    """The numbers of the frames, and how many are key frames."""
    sample = sample_frames(path, number)
    return [films.number(frame) for frame in sample.frames], sample.keys


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.ts"])
def test_key_frames_are_sought_and_nothing_else_is_read(tmp_path, monkeypatch, name):
    path = films.film(tmp_path / name, 60, words=EVERY_FOURTH)
    monkeypatch.setattr(samples, "_DECODED", 50)  # as for a long film
    monkeypatch.setattr(samples, "with_packets", None)
    monkeypatch.setattr(samples, "decode", None)
    sample = sample_frames(path, 3)
    numbers = [films.number(frame) for frame in sample.frames]
    assert numbers == [8, 28, 48] if name != "a.ts" else all(number % 4 == 0 for number in numbers)
    assert sample.keys == len(set(numbers)) == 3
    assert sample.bits_per_pixel == pytest.approx(8 * path.stat().st_size / (48 * 64 * 60), rel=0.1)


def test_variable_rates_are_sought_by_time(tmp_path, monkeypatch):
    monkeypatch.setattr(samples, "_DECODED", 10)
    monkeypatch.setattr(samples, "with_packets", None)
    times = [index if index < 30 else 10 * (index - 27) for index in range(60)]  # tenths of seconds
    path = films.film(tmp_path / "a.mkv", 60, times=[time / 10 for time in times], words=EVERY_FOURTH)
    assert shown(path, 3) == ([32, 40, 52], 3)  # at or before 5.5, 16.5 and 27.5 s


@pytest.mark.parametrize("name", ["a.h264", "live.mkv", "a.avi"])
def test_films_without_an_index_give_key_frames_too(tmp_path, monkeypatch, name):
    monkeypatch.setattr(samples, "_DECODED", 10)
    path = films.film(tmp_path / "a.mp4", 60, words=EVERY_FOURTH)
    unindexed = tmp_path / name
    live = ("-live", "1") if name == "live.mkv" else ()
    films.ffmpeg("-i", path, "-c", "copy", *live, unindexed)
    if name == "a.avi":
        data = unindexed.read_bytes()
        unindexed.write_bytes(data[: data.rindex(b"idx1")])
    numbers, keys = shown(unindexed, 3)
    assert keys == 3
    assert len(set(numbers)) == 3
    assert all(number % 4 == 0 for number in numbers)
    assert max(numbers) - min(numbers) >= 32  # spread over the film


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.avi"])
def test_one_key_frame_is_followed_by_others(tmp_path, name):
    words = ("-c:v", "mpeg4", "-q:v", "2", "-bf", "2", "-g", "300") if name == "a.avi" else films.X264
    path = films.film(tmp_path / name, 30, words=words)
    assert shown(path, 3) == ([0, 8, 22], 1)
    sample = sample_frames(path, 99)
    assert [films.number(frame) for frame in sample.frames] == list(range(30))
    assert sample.bits_per_pixel == pytest.approx(8 * path.stat().st_size / (48 * 64 * 30))


def test_frames_of_a_long_film_without_key_frames_are_near_its_beginning(tmp_path, monkeypatch):
    path = films.film(tmp_path / "a.mp4", 60)
    monkeypatch.setattr(samples, "_DECODED", 20)
    assert shown(path, 5) == ([0, 4, 8, 12, 16], 1)
    two = films.film(tmp_path / "b.mp4", 60, words=(*films.X264, "-g", "40", "-keyint_min", "40"))
    assert shown(two, 6) == ([0, 40, 3, 6, 43, 46], 2)


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv"])
def test_a_truncated_film_gives_what_is_left(tmp_path, monkeypatch, name):
    monkeypatch.setattr(samples, "_DECODED", 10)
    path = films.film(tmp_path / name, 60, words=(*EVERY_FOURTH, "-movflags", "+faststart"))
    numbers, keys = shown(films.truncated(path), 3)
    assert keys == len(set(numbers)) == 3
    assert all(number % 4 == 0 for number in numbers)
    assert 16 < max(numbers) < 40


def test_other_files_are_refused(tmp_path, capsys):
    (tmp_path / "a.mp4").write_bytes(b"nothing")
    films.ffmpeg("-f", "lavfi", "-i", "sine=d=1", "-c:a", "aac", tmp_path / "sound.mp4")
    cut = films.truncated(films.film(tmp_path / "cut.mp4", 60))  # its description was at the end
    for name, message in (
        ("a.mp4", "not a video"),
        ("b.mp4", "no such file"),
        ("sound.mp4", "no video stream; it holds audio"),
        (cut.name, "not a video that ffmpeg can read"),
    ):
        with pytest.raises(UserError, match=message):
            sample_frames(tmp_path / name, 3)
    assert main(["detect-fake", str(tmp_path / "sound.mp4")]) == 1
    assert "no video stream" in capsys.readouterr().out
