"""`i2i video`: what it prints, its exit codes, and how far it says it is."""

import json
import os
import signal

import pytest
from rich.console import Console
from rich.progress import Progress

from i2icli.__main__ import main
from i2icli.cli.video import Shown, how_far
from i2icli.inference.translator import Translator
from i2icli.inference.video_results import VideoProgress
from i2icli.video import open_source
from tests.inference.videos import write_tiny
from tests.video import films


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """model.safetensors and clip.mp4."""
    folder = tmp_path_factory.mktemp("place")
    write_tiny(folder / "model.safetensors")
    films.film(folder / "clip.mp4", 6, sound=("-c:a", "aac"))
    return folder


@pytest.fixture(autouse=True)
def _inside(place, monkeypatch):
    monkeypatch.chdir(place)


def run(*arguments):
    return main(["video", *map(str, arguments), "--model", "model.safetensors"])


def test_it_says_what_became_of_each_video(tmp_path, capsys):
    assert run("clip.mp4", "missing.mp4", "--out", tmp_path, "--json") == 1
    printed = capsys.readouterr()
    assert f"{tmp_path}/clip.mp4: 6 frames translated in" in printed.err
    assert "failed: missing.mp4: there is no such file or folder" in printed.err
    assert "translating to B (default); --to A for the other way" in printed.err
    lines = [json.loads(each) for each in printed.out.splitlines()]
    assert {line["status"] for line in lines} == {"done", "failed"}
    assert next(line["frames"] for line in lines if line["status"] == "done") == 6


def test_again_it_is_already_done(tmp_path, capsys):
    assert run("clip.mp4", "--to", "B", "--out", tmp_path / "a.mkv") == 0
    assert run("clip.mp4", "--to", "B", "--out", tmp_path / "a.mkv") == 0
    assert f"{tmp_path}/a.mkv: already done (--overwrite to redo)" in capsys.readouterr().err
    assert run("clip.mp4", "--to", "A", "--out", tmp_path / "a.mkv") == 1
    assert "was made with another --to; choose another --out, or add --overwrite" in capsys.readouterr().err


def test_the_suffix_decides_the_container(tmp_path):
    for name, container in (("a.gif", "gif"), ("a.webm", "matroska,webm")):
        assert run("clip.mp4", "--audio", "none", "--out", tmp_path / name) == 0
        assert open_source(str(tmp_path / name)).info.container == container
    assert run("clip.mp4", "--format", "mov", "--out", tmp_path) == 0
    assert open_source(str(tmp_path / "clip.mov")).info.frames == 6


def test_sound_that_a_container_cannot_hold_is_said(tmp_path, capsys):
    assert run("clip.mp4", "--out", tmp_path / "a.webm") == 1
    assert "cannot hold the sound of clip.mp4 (aac)" in capsys.readouterr().err


WRONG = [
    ("nothing.mp4", 2, "nothing.mp4: there is no such file or folder"),
    ("clip.mp4 clip.mp4 --out x.mp4 --to all", 2, "--out x.mp4: one file for 2 results; give a folder"),
    ("clip.mp4 --out clip.mp4", 2, "the result would replace the input clip.mp4"),
    ("clip.mp4 --out . --to B", 2, "the result would replace the input clip.mp4"),
    ("clip.mp4 --out clip.wmv", 2, "clip.wmv: no video is written as .wmv; take .mp4"),
    ("clip.mp4 --end soon", 2, "--end soon: expected seconds like 12.5, or a time like 1:02"),
    ("clip.mp4 --codec h999", 1, "--codec h999: not in this ffmpeg"),
    ("clip.mp4 --pixel-format rgb9", 1, "--pixel-format rgb9: not one of libx264"),
    ("clip.mp4 --first-model model.safetensors", 2, "--first-model: this model translates every frame"),
    ("clip.mp4 --compare above", 2, "--compare above: expected one of side, wipe"),
    ("clip.mp4 --from summer", 2, "CycleGAN has no --from"),
    ("clip.mp4 --out x.mp4 --format mkv", 2, "--out x.mp4: another format than --format mkv"),
]


@pytest.mark.parametrize(("words", "code", "said"), WRONG, ids=[each[0] for each in WRONG])
def test_wrong_use_is_one_line(words, code, said, capsys):
    assert run(*words.split()) == code
    lines = capsys.readouterr().err.splitlines()
    assert said in lines[-1]


def test_ctrl_c_leaves_a_playable_part(tmp_path, capsys, monkeypatch):
    load = Translator.load

    class Pressed(BaseException):
        """Sent as a signal when the fourth frame is computed."""

    def pressing(*given, **more):  # noqa: ARG001 - as `Translator.load`
        translator = load(given[0], runtime="torch")
        forward, count = translator.backend.system.forward, []

        def at_the_fourth(task, inputs, memory=None):
            count.append(1)
            if len(count) == 4:
                os.kill(os.getpid(), signal.SIGINT)
            return forward(task, inputs, memory)

        translator.backend.system.forward = at_the_fourth
        return translator

    monkeypatch.setattr(Translator, "load", pressing)
    assert run("clip.mp4", "--out", tmp_path / "a.mp4") == 130
    said = capsys.readouterr().err
    assert (
        f"clip.mp4: stopped after 4 frames; the part so far is {tmp_path}/a.partial.mp4; run the same" in said
    )
    assert open_source(str(tmp_path / "a.partial.mp4")).info.frames == 4
    monkeypatch.setattr(Translator, "load", load)
    assert run("clip.mp4", "--out", tmp_path / "a.mp4") == 0
    assert open_source(str(tmp_path / "a.mp4")).info.frames == 6


def test_how_far_it_is():
    assert how_far(VideoProgress("a.mp4", 120, 720, 24.31, 24.7)) == (
        "frame 120 of ~720, 24.3 frames/s, 24s to go"
    )
    assert how_far(VideoProgress("a.mp4", 5, None, 2.0, None)) == "frame 5, 2 frames/s"


def test_where_there_is_no_terminal_lines_come_now_and_then(capsys):
    now = [0.0]
    console = Console(stderr=True, force_terminal=False)
    shown = Shown(console, Progress(console=console, disable=True), lambda: False, lambda: now[0])
    for frame in range(1, 31):
        now[0] += 1
        shown.progress(VideoProgress("a.mp4", frame, 100, 1.0, 100.0 - frame))
    assert capsys.readouterr().err.splitlines() == [
        f"a.mp4: frame {frame} of ~100, 1 frames/s, {duration} to go"
        for frame, duration in ((10, "1m30s"), (20, "1m20s"), (30, "1m10s"))
    ]
