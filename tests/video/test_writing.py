"""Segments hold their frames at their times, however writing ends; failures are reported."""

import signal
import subprocess
import sys
import time
from fractions import Fraction

import numpy as np
import pytest

from i2icli.errors import UserError
from i2icli.video import EncodeOptions, VideoWriter, encoders, join, plan_encoding, probe, write_video, writer
from tests.video import films
from tests.video.copying import read


@pytest.fixture
def encoding(tmp_path):
    """H.264 of the size of the clips."""
    info = probe(films.film(tmp_path / "like.mp4", 2))
    options = EncodeOptions(quality=1, preset="ultrafast")
    return plan_encoding(tmp_path / "a.mp4", info, options, size=films.SIZE, alpha=False, bits=8)


def fill(path, encoding, count, error=None):
    """Write frames 0, 1, ... at 10 frames/s, then raise."""
    with VideoWriter(path, encoding, Fraction(1, 10)) as out:
        for index in range(count):
            out.write(films.frame(index % 256), Fraction(index, 10))
        if error:
            raise error


CHILD = """
import sys
from fractions import Fraction
from pathlib import Path
from i2icli.video import EncodeOptions, VideoWriter, plan_encoding, probe
from tests.video import films
info = probe(Path(sys.argv[1]))
options = EncodeOptions(preset="ultrafast")
encoding = plan_encoding(Path("a.mp4"), info, options, size=films.SIZE, alpha=False, bits=8)
with VideoWriter(Path(sys.argv[2]), encoding, info.time_base) as writer:
    for index in range(100_000):
        writer.write(films.frame(index % 256), Fraction(index, 10))
        if index == 60:
            print("written", flush=True)
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_what_was_written_is_playable_however_it_ends(tmp_path, number):
    path = tmp_path / "a.mp4"
    command = [sys.executable, "-c", CHILD, str(films.film(tmp_path / "like.mp4", 2)), str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as child:
        assert child.stdout.readline() == b"written\n"
        child.send_signal(number)
        child.wait(20)
    for _ in range(50):  # ffmpeg completes the file in a session of its own
        if path.exists() and b"moov" in path.read_bytes()[-20_000:]:
            break
        time.sleep(0.05)
    found = films.numbers(path)
    assert len(found) >= 60
    assert found == [index % 256 for index in range(len(found))]


def test_a_full_disk_leaves_what_was_written(tmp_path):
    """The size of files is limited; random pixels fill it soon."""
    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000))\n"
    noise = "__import__('numpy').random.default_rng(index).integers(0, 256, (48, 64, 3), dtype='uint8')"
    program = limit + CHILD.replace("films.frame(index % 256)", noise)
    path = tmp_path / "a.mp4"
    command = [sys.executable, "-c", program, str(films.film(tmp_path / "like.mp4", 2)), str(path)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert "UserError: cannot write" in done.stderr
    assert 5 <= len(read(path)) <= 60


def test_a_full_disk_is_named(tmp_path, encoding):
    (tmp_path / "full").symlink_to("/dev/full")
    with pytest.raises(UserError, match=r"cannot write .*full: no space left on the disk") as caught:
        fill(tmp_path / "full", encoding, 300)
    assert caught.value.exit_code == 1


def test_an_error_keeps_what_was_written(tmp_path, encoding):
    with pytest.raises(RuntimeError):
        fill(tmp_path / "a.mp4", encoding, 5, RuntimeError())
    assert films.numbers(tmp_path / "a.mp4") == [0, 1, 2, 3, 4]


def test_times_that_stand_still_go_on(tmp_path, encoding):
    with VideoWriter(tmp_path / "a.mp4", encoding, Fraction(1, 10)) as out:
        for index, tick in enumerate((0, 1, 1, 0, 9)):
            out.write(films.frame(index), Fraction(tick, 10))
    assert [shot.time * 10 for shot in read(tmp_path / "a.mp4")] == [0, 1, 2, 3, 9]


def test_pixels_of_another_kind_are_a_mistake_of_ours(tmp_path, encoding):
    with VideoWriter(tmp_path / "a.mp4", encoding, Fraction(1, 10)) as out:
        out.write(films.frame(0), Fraction(0))
        for wrong in (films.frame(0, deep=True), films.frame(0, alpha=True), films.frame(0, (48, 72))):
            with pytest.raises(ValueError, match="pixels"):
                out.write(wrong, Fraction(1))


def test_lost_frames_are_noticed(tmp_path, encoding, monkeypatch):
    monkeypatch.setattr(writer, "count_packets", lambda _: 1)
    with pytest.raises(UserError, match="ffmpeg wrote 1 of 2 frames"):
        fill(tmp_path / "a.mp4", encoding, 2)


def test_segments_begin_where_they_should(tmp_path, encoding):
    """Times far from 0 are kept in each segment; gaps between segments, too."""
    segments = []
    for first in (36_000, 36_007, 40_000):
        segments.append(tmp_path / f"{first}.mp4")
        with VideoWriter(segments[-1], encoding, Fraction(1001, 30000)) as out:
            for index in range(5):
                out.write(films.frame(index), (first + index) * Fraction(1001, 30000))
    join(segments, tmp_path / "b.mp4", None, encoding)
    wanted = [first + index for first in (36_000, 36_007, 40_000) for index in range(5)]
    assert [shot.time / Fraction(1001, 30000) for shot in read(tmp_path / "b.mp4")] == wanted


def test_empty_segments_are_refused(tmp_path, encoding):
    (tmp_path / "a.mp4").write_bytes(b"")
    with pytest.raises(UserError, match="holds no frames"):
        join([tmp_path / "a.mp4"], tmp_path / "b.mp4", None, encoding)
    assert not (tmp_path / "b.mp4").exists()


def test_plain_videos_are_tagged_and_padded(tmp_path):
    frames = [np.full((33, 46, 3), value, np.uint8) for value in ((0, 0, 0), (40, 160, 90), (250, 250, 250))]
    assert write_video(tmp_path / "a.mp4", frames, 10) == 3
    info = probe(tmp_path / "a.mp4")
    assert (info.size, info.rate, info.colour.matrix) == ((34, 46), 10, "bt709")
    for shot, frame in zip(read(tmp_path / "a.mp4"), frames, strict=True):
        assert np.abs(shot.pixels[:33].astype(int) - frame).max() <= 3


def test_a_video_needs_frames(tmp_path):
    with pytest.raises(UserError, match="no frames to write"):
        write_video(tmp_path / "video.mp4", [], 10)
    assert list(tmp_path.iterdir()) == []


def test_a_failing_encoder_leaves_nothing_behind(tmp_path, monkeypatch):
    monkeypatch.setattr(writer, "count_packets", lambda _: 1)
    with pytest.raises(UserError, match=r"cannot write .*1 of 2 frames"):
        write_video(tmp_path / "video.mp4", [np.zeros((16, 16, 3), np.uint8)] * 2, 10)
    assert list(tmp_path.iterdir()) == []


def test_an_old_ffmpeg_is_named(tmp_path, encoding, monkeypatch):
    encoders.crash_safe.cache_clear()
    monkeypatch.setattr(encoders, "ask", lambda _: (0, "Muxer mp4 [MP4]: -movflags faststart", ""))
    with pytest.raises(UserError, match="too old to write videos; pip install 'imageio-ffmpeg"):
        fill(tmp_path / "a.mp4", encoding, 1)
    assert not (tmp_path / "a.mp4").exists()
