"""Every command: what it prints and how it fails."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from i2icli import __version__
from i2icli.__main__ import main
from i2icli.registry import SYSTEMS
from tests.golden.refresh import OPTIONS, option_list

CHECKOUT = Path(__file__).parents[2]
Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")


WRONG_USE = [
    ("tran", "error: no such command 'tran'"),
    ("systems --jso", "error: no such option: --jso (Possible options: --json)"),
    ("train cycelgan data", "did you mean cyclegan?"),
    ("train video data", "unknown system 'video'; there are: pix2pix, spade"),
    ("train cyclegan", "error: missing argument 'DATA'; as in: i2i train cyclegan DATA --out runs/mine; see"),
    ("-q translate a.png", "no such option: -q; it goes after the command: i2i translate -q"),
    ("train --crop-size 128 CycleGAN data", "it goes after the command: i2i train CycleGAN --crop-size"),
    ("-v labels convert a", "no such option: -v; it goes after the command: i2i labels convert -v"),
    ("labels --images b convert a", "it goes after the command: i2i labels convert --images"),
    ("train --out runs/mine", "it goes after a command, as in: i2i train pix2pix --out"),
    ("--nothing translate a.png", "no such option: --nothing; see i2i --help"),
    ("--model m test a.png", "it goes after a command, as in: i2i translate --model"),
    ("train cyclegan data --crop-sise 64", "--crop-size"),
    (
        "train cyclegan data --crop-size abc",
        "error: --crop-size abc: expected pixels like 256, or WIDTHxHEIGHT",
    ),
    ("train cyclegan data --crop-size 0", "error: --crop-size 0: expected pixels like 256"),
    ("train cyclegan data --batch-size 0", "error: --batch-size 0: expected a whole number, at least 1"),
    ("train cyclegan data --steps 1.5", "error: --steps 1.5: expected a whole number, at least 1"),
    ("train cyclegan data --ema 1", "error: --ema 1: expected a number, at least 0, less than 1"),
    (
        "train cyclegan data --betas 0.5",
        "error: --betas 0.5: expected values joined by commas like 0.5,0.999",
    ),
    ("train cyclegan data --precision fp8", "error: --precision fp8: expected one of auto, fp32, bf16, fp16"),
    (
        "train cyclegan data --time-limit soon",
        "error: --time-limit soon: expected a duration like 90s, 30m or 3h50m",
    ),
    ("train cyclegan data --devices none", "error: --devices none: expected a whole number, at least 1"),
    ("train cyclegan data --domains A,A", "both domains are called 'A'"),
    ("train cyclegan data --recipe nope", "error: unknown recipe 'nope'"),
    ("train cyclegan data --recipe no/such.toml", "error: there is no recipe file no/such.toml"),
    (
        "train cyclegan data --recipe BINARY",
        "error: recipe BINARY: not a text; expected a TOML file such as a run's",
    ),
    (
        "info TEXT",
        "error: TEXT: not a model's name; expected a run folder, a file ending in .safetensors, or an",
    ),
    ("translate", "error: missing option '--model'; as in: i2i translate photos --model runs/horse2zebra"),
    ("translate a.png", "error: missing option '--model'"),
    ("translate a.png --model m --size 3y", "error: --size 3y: expected pixels like 256"),
    ("translate a.png --model m --precision fp8", "error: --precision fp8: expected one of auto"),
    ("train cyclegan data --seed -5", "error: --seed -5: expected a whole number, at least 0"),
    *(
        (f"{command} --seed {seed}", "'--seed'")
        for command in ("demo", "detector fit a b")
        for seed in (-5, 2**31, 10**30)
    ),
    ("info nope", "error: no model 'nope': no such file, run or system; there are no runs under runs"),
    ("info cyclegan", "error: no run of cyclegan under runs"),
]


@pytest.mark.parametrize(("arguments", "message"), WRONG_USE, ids=[arguments for arguments, _ in WRONG_USE])
def test_wrong_use_is_one_line_and_exit_code_2(
    arguments: str, message: str, capsys: Capture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "BINARY").write_bytes(b"\xff\xbd")
    (tmp_path / "TEXT").write_text("hello")
    assert main(arguments.split()) == 2

    captured = capsys.readouterr()
    assert message in captured.err
    assert captured.err.count("\n") == 1
    assert captured.err.startswith("error: ")
    assert captured.out == ""


RECIPES = [
    ("lr = 'x'", "recipe r.toml: lr x: expected a number, more than 0"),
    ("crop_sise = 64", "cyclegan has no setting 'crop_sise'; did you mean crop_size?"),
    ("system = 'pix2pix'", "recipe r.toml is for pix2pix, not cyclegan"),
    ("workers = 2", "workers belongs to the run, not to a recipe; give it as --workers"),
    ("lr = = 2", "recipe r.toml is not valid TOML"),
]


@pytest.mark.parametrize("recipe", ["nope", "no/such.toml"])
def test_only_recipes_of_the_system_are_offered(recipe: str, capsys: Capture) -> None:
    assert main(["train", "progan", "data", "--recipe", recipe]) == 2
    error = capsys.readouterr().err
    assert "; shipped for progan: progan-celeba-hq, progan-cifar10, progan-demo, " in error
    assert "pix2pix" not in error


@pytest.mark.parametrize(("text", "message"), RECIPES, ids=[text for text, _ in RECIPES])
def test_a_wrong_recipe_is_one_line(text: str, message: str, tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "r.toml").write_text(text)

    assert main(["train", "cyclegan", "data", "--recipe", "r.toml"]) == 2

    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


@pytest.mark.parametrize("command", [[], ["train"]], ids=["i2i", "train"])
def test_a_command_without_its_name_shows_the_help(command: list[str], capsys: Capture) -> None:
    assert main(command) == 2
    assert "Usage: i2i" in capsys.readouterr().out


def test_version(capsys: Capture) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"i2icli {__version__}\n"


def test_systems_lists_what_can_be_trained(capsys: Capture) -> None:
    assert main(["systems", "--json"]) == 0
    rows = {row["system"]: row["status"] for row in json.loads(capsys.readouterr().out)}
    assert rows == dict.fromkeys(SYSTEMS, "ready")

    assert main(["systems"]) == 0
    shown = capsys.readouterr().out
    assert all(name in shown for name in SYSTEMS)


def test_completion_offers_systems_and_choices() -> None:
    def offered(words: str) -> str:
        environment = os.environ | {"_I2I_COMPLETE": "complete_bash", "COMP_WORDS": words}
        environment["COMP_CWORD"] = str(words.count(" "))
        command = [sys.executable, "-m", "i2icli"]
        return subprocess.run(command, env=environment, capture_output=True, text=True, cwd=CHECKOUT).stdout

    assert offered("i2i train cyc").split() == ["cyclegan"]
    assert offered("i2i train cyclegan data --norm in").split() == ["instance"]


def test_a_closed_pipe_is_quiet() -> None:
    read_nothing = f"{sys.executable} -m i2icli systems | true"
    done = subprocess.run(read_nothing, shell=True, capture_output=True, text=True, cwd=CHECKOUT)
    assert done.stderr == ""


@pytest.mark.parametrize("system", SYSTEMS)
def test_options_equal_the_golden_list(system: str) -> None:
    golden = (OPTIONS / f"{system}.txt").read_text(encoding="utf-8")
    assert option_list(system) == golden, (
        "changed options: python tests/golden/refresh.py, and review the diff"
    )
