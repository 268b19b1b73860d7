"""What is shown during and after a run."""

import io
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from rich.console import Console

from i2icli.cli.display import LiveDisplay, PlainDisplay, display, summary
from i2icli.cli.translate import report
from i2icli.inference.results import Result
from i2icli.training.callbacks import Progress

PROGRESS = Progress(
    12_340, 57_000, "main", 12.34, 0.03, 4521.0, 1_234_000_000, {"G/gan_AB": 0.5, "D/gan_A": 0.25}
)


def test_plain_lines_come_at_intervals_and_at_the_end() -> None:
    now = [0.0]
    stream = io.StringIO()
    shown = PlainDisplay(Console(file=stream), clock=lambda: now[0])

    for step in range(1, 31):
        now[0] += 1.0
        shown.progress(replace(PROGRESS, step=step, steps=30))

    lines = stream.getvalue().splitlines()
    assert [line.split(" of ")[0] for line in lines] == ["step 1", "step 11", "step 21", "step 30"]
    assert "G/gan_AB 0.500" in lines[0]
    assert "waits for data 3%" in lines[0]
    assert "1h15m to go" in lines[0]
    assert "\x1b" not in stream.getvalue()


def test_the_live_picture_shows_speed_losses_scores_and_the_last_save() -> None:
    now = [0.0]
    console = Console(file=io.StringIO(), width=80, force_terminal=True, record=True)
    shown = LiveDisplay("cyclegan", console, clock=lambda: now[0])
    shown.warn("a [strange] file")
    shown.progress(PROGRESS)
    shown.scores(12_000, {"psnr": 18.234}, True)
    shown.saved(Path("runs/x"))
    now[0] = 75.0
    console.print(shown.render())

    text = console.export_text()
    for part in ("12,340/57,000", "12.3 images/s", "waits for data 3%", "memory 1.2 GB", "saved 1m15s ago"):
        assert part in text
    assert "G/gan_AB 0.500" in text
    assert "psnr 18.2 (best so far)" in text
    assert "a [strange] file" in text
    assert max(map(len, text.splitlines())) <= 80


def test_no_terminal_means_plain_lines(capsys: pytest.CaptureFixture[str]) -> None:
    with display("cyclegan", Console(stderr=True)) as callbacks:
        callbacks.note("two collections")
        callbacks.scores(10, {"psnr": 18.0}, False)

    assert capsys.readouterr().err == "two collections\nvalidation at step 10: psnr 18\n"


def test_a_summary_says_how_to_go_on_and_how_to_translate() -> None:
    ended = SimpleNamespace(
        folder=Path("runs/x"),
        step=5,
        steps=10,
        finished=False,
        reason="time limit",
        scores={},
        reads_images=True,
        reads_videos=False,
    )
    stopped = "\n".join(summary(ended))
    assert "stopped (time limit) after 5 of 10 steps" in stopped
    assert "run the same command again" in stopped

    ended.finished, ended.scores = True, {"psnr": 18.2}
    finished = "\n".join(summary(ended))
    assert "finished 10 steps (psnr 18.2): runs/x" in finished
    assert "i2i translate IMAGES --model runs/x" in finished
    assert "again" not in finished

    ended.reads_videos = True
    assert "i2i video FILE --model runs/x --out" in summary(ended)[-1]

    ended.reads_videos = ended.reads_images = False
    assert "i2i translate --model runs/x --count 16" in summary(ended)[-1]


def test_a_failed_input_is_named_once(capsys: pytest.CaptureFixture[str]) -> None:
    errors = ["cannot read a/b.png: not an image", "a/b.png: no face found", "no face found"]

    report([Result("a/b.png", None, "failed", each) for each in errors], Console(stderr=True), as_json=False)

    lines = capsys.readouterr().err.splitlines()
    assert [line.removeprefix("failed: ") for line in lines] == [*errors[:2], "a/b.png: no face found"]


def test_how_far_a_translation_is_shows_on_a_terminal_and_now_and_then_in_a_log() -> None:
    results = [Result(f"{number}.png", Path("x.png"), "done") for number in range(4)]
    terminal, log = io.StringIO(), io.StringIO()
    times = iter(range(0, 700, 7))

    report(results, Console(file=terminal, force_terminal=True, width=100), as_json=False)
    report(results, Console(file=log), as_json=False, clock=lambda: next(times))

    assert "4/4" in terminal.getvalue()
    assert log.getvalue().splitlines() == ["2/4: 2 done", "4/4: 4 done"]


def test_translated_files_are_counted_and_failures_named(capsys: pytest.CaptureFixture[str]) -> None:
    results = [
        Result("a.png", Path("out/a.png"), "done"),
        Result("b.png", Path("out/b.png"), "there"),
        Result("c [1].png", None, "failed", "not an image"),
    ]

    counts = report(results, Console(stderr=True), as_json=True)

    captured = capsys.readouterr()
    assert counts == {"done": 1, "there": 1, "failed": 1}
    assert captured.err == "failed: c [1].png: not an image\n"
    assert captured.out.splitlines()[2] == (
        '{"source": "c [1].png", "target": null, "status": "failed", "error": "not an image", '
        '"again": false, "psnr": null, "ssim": null}'
    )
