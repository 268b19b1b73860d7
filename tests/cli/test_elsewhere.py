"""Options and names that people bring from other repositories."""

import re
from pathlib import Path

import pytest

from i2icli.__main__ import main
from i2icli.cli.elsewhere import ELSEWHERE, WITH_A_MODEL, answer

DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (
            "train cyclegan --dataroot data",
            "no such option: --dataroot; here: the folder is named without",
        ),
        ("train cyclegan --batch_size 3 data", "no such option: --batch_size; here: --batch-size"),
        ("train pix2pix data --netG unet_256", "here: --generator unet or resnet"),
        ("train pix2pix data --gpu_ids 0,1", "here: --device cuda:0"),
        ("train cyclegan data --continue_train", "here: run the same command again: it resumes"),
        ("train pix2pix data --no_flip", "no such option: --no_flip; here: --no-flip"),
        ("train stargan data --n_critic 5", "here: --critic-steps"),
        ("translate -m run a.png", "no such option: -m; here: --model"),
        ("translate a.png --name horse2zebra", "no such option: --name; here: --model runs/NAME"),
        ("translate --dataroot data", "here: the images are named without an option: i2i translate IMAGES"),
        ("translate a.png --model m --netG unet_256", "here: the model holds it; no option of the training"),
        (
            "translate a.png --model m --direction BtoA",
            "here: a model of pairs holds it; of others, --to DOMAIN",
        ),
        ("translate a.png --model m --load_size 256", "here: --size PIXELS resizes the inputs"),
        ("test --dataroot data --name x", "no such command 'test'; here: i2i translate IMAGES --model RUN"),
        ("convert a.png", "no such command 'convert'; see i2i --help"),
        ("train cyclegan data --cycel-weight 3", "no such option: --cycel-weight (Possible options: --cycle"),
    ],
)
def test_an_option_of_another_repository_is_answered_by_name(command, expected, capsys):
    assert main(command.split()) == 2
    (line,) = capsys.readouterr().err.replace("\n", " ").strip().split("error: ")[1:]
    assert expected in line


def test_what_is_advised_exists_and_is_documented():
    options = (DOCS / "cli.md").read_text()
    page = (DOCS / "coming_from.md").read_text()
    for name, advice in [*ELSEWHERE.items(), *WITH_A_MODEL.items()]:
        assert f"`--{name}`".replace("`--m`", "`-m`") in page.replace("`--netG`", "`--netg`").lower(), name
        for option in re.findall(r"--[a-z][a-z0-9-]+", advice):
            assert f"`{option}" in options, (name, option)


def test_no_option_of_ours_is_taken_for_one_of_theirs():
    assert answer("--crop-sise", {"--crop-size"}) is None
    assert answer("--crop_size", {"--crop-size"}) == "--crop-size"


def test_options_of_another_command_are_not_advised():
    assert answer("--gan_mode", {"--gan-loss"}) is not None
    assert answer("--gan_mode", {"--model", "--out"}) is None
    assert answer("--name", {"--model", "--out"}) == ELSEWHERE["name"]
    assert answer("--name", {"--model", "--weights", "--out"}) == WITH_A_MODEL["name"]


@pytest.mark.parametrize("name", ["CycleGAN", "pix2pix-HD", "GauGAN", "Augmented-CycleGAN"])
def test_systems_are_known_in_any_spelling(name, capsys):
    assert main(["train", name, "nothing-here"]) == 2
    assert "nothing-here: there is no such folder" in capsys.readouterr().err.replace("\n", " ")


def test_a_folder_in_the_place_of_the_system_is_noticed(tmp_path, monkeypatch, capsys):
    (tmp_path / "day").mkdir()
    monkeypatch.chdir(tmp_path)
    assert main(["train", "day", "night"]) == 2
    assert "name the system first: i2i train cyclegan day" in capsys.readouterr().err.replace("\n", " ")


def test_data_that_are_refused_leave_no_run_behind(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    assert main(["train", "cyclegan", "empty", "--out", "new/run"]) == 2
    assert [each.name for each in tmp_path.iterdir()] == ["empty"]
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "mine.txt").touch()
    assert main(["train", "cyclegan", "empty", "--out", "kept"]) == 2
    assert (tmp_path / "kept" / "mine.txt").exists()
