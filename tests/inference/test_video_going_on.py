"""Stopped, killed and failed translations of videos: what is kept, and that going on gives the same."""

import json

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from i2icli.errors import UserError
from i2icli.inference import video_frames, video_sinks
from i2icli.inference.translator import Translator
from i2icli.inference.video_results import NoWatch
from i2icli.inference.video_segments import Segments
from i2icli.video import VideoWriter, open_source
from tests.inference.test_video import frames_of, images_of, one
from tests.inference.videos import failing, remembering, write_tiny
from tests.video import films


@pytest.fixture(autouse=True)
def _short_segments(monkeypatch):
    """Segments of three frames."""
    monkeypatch.setattr(video_frames, "LENGTH", 3)


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return write_tiny(tmp_path_factory.mktemp("model") / "tiny.safetensors")


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    """Eight frames with sound: two segments of three and one of two."""
    return films.film(tmp_path_factory.mktemp("clip") / "clip.mp4", 8, sound=("-c:a", "aac"))


@pytest.fixture(scope="module")
def short(tmp_path_factory):
    """Three frames."""
    return films.film(tmp_path_factory.mktemp("short") / "short.mkv", 3)


def raising(error):
    """A function that raises an error whatever it is given."""

    def raised(*_, **__):
        raise error

    return raised


class StopAfter(NoWatch):
    """Stops after so many frames of the first video."""

    def __init__(self, count):
        self.left = count + 1  # it is asked before the video, too

    def stopped(self):
        self.left -= 1
        return self.left < 0


class Noting(NoWatch):
    """Remembers what it is told."""

    def __init__(self):
        self.notes, self.first = [], None

    def note(self, _source, text):
        self.notes.append(text)

    def progress(self, progress):
        self.first = self.first or progress.done


def loaded(model, kind):
    return remembering(model) if kind == "memory" else Translator.load(model, runtime="torch")


@pytest.mark.parametrize(
    ("kind", "options"),
    [("memory", {}), ("memory", {"cuts": True}), ("image", {"smooth": True}), ("image", {"batch_size": 2})],
)
def test_a_killed_job_goes_on_and_gives_the_same(model, clip, tmp_path, kind, options):
    whole = one(loaded(model, kind).video(clip, tmp_path / "whole", format="png", **options))
    out = tmp_path / "out"
    killed = failing(loaded(model, kind), 3 if options.get("batch_size") else 5, KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        list(killed.video(clip, out, format="png", **options))
    watch = Noting()
    again = one(loaded(model, kind).video(clip, out, format="png", watch=watch, **options))
    assert watch.notes == ["going on after 3 frames"]
    assert watch.first == 4  # no frame is computed twice
    assert (again.status, again.frames) == ("done", 8)
    assert np.array_equal(images_of(again.target), images_of(whole.target))


def test_a_state_in_numbers_that_numpy_has_not_is_refused(model, clip, tmp_path):
    killed = failing(remembering(model), 5, KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        list(killed.video(clip, tmp_path / "out", format="png"))
    [state] = (tmp_path / "out" / ".i2i-video").rglob("*.safetensors")
    save_file({"memory.x": torch.zeros(1, 3, 8, 8, dtype=torch.bfloat16)}, state)  # as versions before did
    again = one(remembering(model).video(clip, tmp_path / "out", format="png"))
    assert again.status == "failed"
    assert "cannot be read" in again.error
    assert "--overwrite starts anew" in again.error


@pytest.mark.parametrize(("kind", "options"), [("memory", {}), ("image", {"smooth": True})])
def test_what_is_remembered_crosses_the_ends_of_segments(model, clip, tmp_path, monkeypatch, kind, options):
    short = one(loaded(model, kind).video(clip, tmp_path / "short", format="png", **options))
    monkeypatch.setattr(video_frames, "LENGTH", 100)
    long = one(loaded(model, kind).video(clip, tmp_path / "long", format="png", **options))
    assert np.array_equal(images_of(short.target), images_of(long.target))


def test_joined_segments_equal_an_uninterrupted_video(model, clip, tmp_path):
    whole = one(remembering(model).video(clip, tmp_path / "whole.mp4"))
    with pytest.raises(KeyboardInterrupt):
        list(failing(remembering(model), 7, KeyboardInterrupt()).video(clip, tmp_path / "out.mp4"))
    assert not (tmp_path / "out.mp4").exists()
    again = one(remembering(model).video(clip, tmp_path / "out.mp4"))
    (made, times), (expected, expected_times) = frames_of(again.target), frames_of(whole.target)
    assert np.array_equal(made, expected)
    assert times == expected_times == frames_of(clip)[1]
    assert films.packets(again.target, "a:0") == films.packets(clip, "a:0")
    assert not list((tmp_path / ".i2i-video").glob("*/*"))  # the segments are gone


def test_stopping_leaves_a_playable_part_and_goes_on(model, clip, tmp_path):
    stopped = one(remembering(model).video(clip, tmp_path / "out.mp4", watch=StopAfter(4)))
    assert stopped.status == "stopped"
    assert stopped.target == tmp_path / "out.partial.mp4"
    assert "run the same command again to go on" in stopped.error
    part, _ = frames_of(stopped.target)
    assert len(part) == stopped.frames == 4
    whole = one(remembering(model).video(clip, tmp_path / "whole.mp4"))
    again = one(remembering(model).video(clip, tmp_path / "out.mp4"))
    made, expected = frames_of(again.target)[0], frames_of(whole.target)[0]
    assert np.array_equal(made, expected)
    assert not stopped.target.exists()  # the whole is there instead


def test_nothing_is_translated_after_stopping(model, clip, tmp_path):
    other = films.film(tmp_path / "other.mp4", 3)
    results = list(remembering(model).video([clip, other], tmp_path / "out", watch=StopAfter(2)))
    assert [result.status for result in results] == ["stopped"]


def test_a_kill_between_placing_a_result_and_noting_it_is_harmless(model, clip, tmp_path, monkeypatch):
    target = tmp_path / "out.mp4"
    with monkeypatch.context() as killed:
        killed.setattr(Segments, "finish", raising(KeyboardInterrupt()))
        with pytest.raises(KeyboardInterrupt):
            list(Translator.load(model).video(clip, target))
    made = target.read_bytes()
    (result,) = Translator.load(model).video(clip, target)
    assert result.status == "there"
    assert target.read_bytes() == made
    assert not (tmp_path / ".i2i-video" / "out.mp4").exists()


def test_a_result_that_is_not_whole_takes_no_place(model, clip, tmp_path, monkeypatch):
    target = tmp_path / "out.mp4"
    list(Translator.load(model).video(clip, target))
    made = target.read_bytes()
    monkeypatch.setattr(video_sinks, "verify", raising(UserError("whole.mp4: holds 7 frames instead of 8")))
    (result,) = Translator.load(model).video(clip, target, seed=1, overwrite=True)
    assert result.status == "failed"
    assert "instead of 8" in result.error
    assert target.read_bytes() == made  # what was there before


def test_a_finished_result_is_kept(model, short, tmp_path):
    translator = Translator.load(model)
    first = one(translator.video(short, tmp_path))
    before = first.target.stat()
    assert one(translator.video(short, tmp_path)).status == "there"
    assert first.target.stat().st_mtime_ns == before.st_mtime_ns
    assert one(translator.video(short, tmp_path, to="B")).status == "there"  # the default, said
    assert one(translator.video(short, tmp_path, overwrite=True)).status == "done"
    assert first.target.stat().st_mtime_ns != before.st_mtime_ns


@pytest.mark.parametrize(
    "change", [{"to": "A"}, {"size": 32}, {"smooth": True}, {"quality": 30}, {"end": 0.5}]
)
def test_other_options_need_another_place(model, short, tmp_path, change):
    translator = Translator.load(model)
    one(translator.video(short, tmp_path))
    (name,) = change
    result = one(translator.video(short, tmp_path, **change))
    assert result.status == "failed"
    assert f"was made with another --{name}" in result.error
    assert "--overwrite" in result.error
    assert one(translator.video(short, tmp_path, overwrite=True, **change)).status == "done"


def test_a_shorter_result_leaves_no_frames_of_a_longer_one(model, clip, tmp_path):
    translator = Translator.load(model)
    folder = one(translator.video(clip, tmp_path, format="png")).target
    (folder / "notes.txt").write_text("mine")
    assert one(translator.video(clip, tmp_path, format="png", end=0.3, overwrite=True)).frames == 3
    assert sorted(each.name for each in folder.iterdir()) == [
        "000000.png", "000001.png", "000002.png", "notes.txt"
    ]  # fmt: skip


def test_frames_of_another_format_are_not_the_result(model, short, tmp_path):
    translator = Translator.load(model)
    assert one(translator.video(short, tmp_path, format="png")).status == "done"
    again = one(translator.video(short, tmp_path, format="jpg"))
    assert again.status == "failed"
    assert "was made with another --format" in again.error


def test_half_of_another_video_is_not_gone_on_from(model, clip, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        list(failing(remembering(model), 5, KeyboardInterrupt()).video(clip, tmp_path / "out.mp4"))
    result = one(remembering(model).video(clip, tmp_path / "out.mp4", seed=1))
    assert "half done with another --seed" in result.error
    result = one(remembering(model).video(clip, tmp_path / "out.mp4", seed=1, overwrite=True))
    assert (result.status, result.frames) == ("done", 8)


def test_another_input_of_the_same_name_is_noticed(model, tmp_path):
    translator = Translator.load(model)
    clip = films.film(tmp_path / "a.mp4", 3)
    one(translator.video(clip, tmp_path / "out"))
    films.film(clip, 4)
    result = one(translator.video(clip, tmp_path / "out"))
    assert "was made with another input" in result.error


def test_files_of_others_are_not_replaced(model, clip, tmp_path):
    target = tmp_path / "out.mp4"
    target.write_text("mine")
    result = one(Translator.load(model).video(clip, target))
    assert "exists and was not made by this command" in result.error
    assert target.read_text() == "mine"
    folder = tmp_path / "frames/clip"
    folder.mkdir(parents=True)
    (folder / "000000.png").write_text("mine")
    result = one(Translator.load(model).video(clip, tmp_path / "frames", format="png"))
    assert result.status == "failed"
    assert (folder / "000000.png").read_text() == "mine"


def test_a_full_disk_keeps_the_finished_part(model, clip, tmp_path, monkeypatch):
    write, count = VideoWriter.write, []

    def full(self, pixels, time, duration):
        count.append(1)
        if len(count) == 5:
            raise OSError(28, "No space left on device", "segment")
        write(self, pixels, time, duration)

    monkeypatch.setattr(VideoWriter, "write", full)
    result = one(remembering(model).video(clip, tmp_path / "out.mp4"))
    assert result.status == "failed"
    part = tmp_path / "out.partial.mp4"
    assert f"No space left on device; the 3 frames before are in {part}" in result.error
    assert len(frames_of(part)[0]) == 3
    monkeypatch.setattr(VideoWriter, "write", write)
    assert one(remembering(model).video(clip, tmp_path / "out.mp4")).frames == 8


def test_leaving_at_the_first_frame_is_no_failure_of_the_encoder(model, clip, tmp_path, monkeypatch):
    def leave(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(VideoWriter, "write", leave)
    with pytest.raises(KeyboardInterrupt):
        list(Translator.load(model).video(clip, tmp_path / "out.mp4"))


@pytest.mark.filterwarnings("error")
def test_smoothing_is_kept_without_a_warning(model, clip, tmp_path):
    assert one(Translator.load(model).video(clip, tmp_path / "out.mp4", smooth=True)).status == "done"


def test_damage_before_a_kill_is_still_reported(model, tmp_path, monkeypatch):
    monkeypatch.setattr(video_frames, "LENGTH", 6)
    clip = films.damaged(tmp_path / "a.mp4", 14, at=0.2)
    whole = one(remembering(model).video(clip, tmp_path / "whole.mp4"))
    with pytest.raises(KeyboardInterrupt):
        list(failing(remembering(model), 10, KeyboardInterrupt()).video(clip, tmp_path / "out.mp4"))
    again = one(remembering(model).video(clip, tmp_path / "out.mp4"))
    assert (again.status, again.frames) == ("damaged", whole.frames)
    assert again.error.split(" (")[0] == whole.error.split(" (")[0]


def test_a_length_of_whole_segments(model, tmp_path):
    clip = films.film(tmp_path / "a.mp4", 6)
    result = one(remembering(model).video(clip, tmp_path / "out.mp4"))
    assert (result.status, result.frames) == ("done", 6)
    assert len(frames_of(result.target)[0]) == 6


def test_a_damaged_record_starts_anew(model, clip, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        list(failing(remembering(model), 5, KeyboardInterrupt()).video(clip, tmp_path / "out.mp4"))
    record = tmp_path / ".i2i-video/out.mp4/000000.json"
    record.write_text(json.dumps({"frames": 3}))
    result = one(remembering(model).video(clip, tmp_path / "out.mp4"))
    assert (result.status, result.frames) == ("done", 8)
    assert open_source(str(result.target)).info.frames == 8


def test_what_failed_at_once_may_be_asked_otherwise(model, short, tmp_path):
    broken = failing(remembering(model), 0, MemoryError())
    assert one(broken.video(short, tmp_path / "out.mp4")).error.startswith("out of memory at 64x48 px")
    assert one(remembering(model).video(short, tmp_path / "out.mp4", seed=1)).status == "done"


def test_the_record_of_a_part_names_no_other_file(model, clip, tmp_path):
    one(remembering(model).video(clip, tmp_path / "out.mp4", watch=StopAfter(4)))
    mine = tmp_path / "mine.mp4"
    mine.write_text("mine")
    record = tmp_path / ".i2i-video/out.mp4/part.json"
    record.write_text(json.dumps({"name": "mine.mp4", "bytes": 4}))
    assert one(remembering(model).video(clip, tmp_path / "out.mp4")).status == "done"
    assert mine.exists()


def test_a_part_replaces_no_file_of_others(model, clip, tmp_path):
    (tmp_path / "out.partial.mp4").write_text("mine")
    stopped = one(remembering(model).video(clip, tmp_path / "out.mp4", watch=StopAfter(2)))
    assert stopped.target == tmp_path / "out.partial-2.mp4"
    assert (tmp_path / "out.partial.mp4").read_text() == "mine"


def test_an_empty_folder_may_take_the_frames(model, short, tmp_path):
    (tmp_path / "short").mkdir()
    assert one(Translator.load(model).video(short, tmp_path, format="png")).status == "done"


def test_a_place_that_cannot_be_written_to_fails_alone(model, short, tmp_path):
    (tmp_path / "file").write_text("no folder")
    result = one(Translator.load(model).video(short, tmp_path / "file/out.mp4"))
    assert result.status == "failed"
    assert "ot a directory" in result.error
