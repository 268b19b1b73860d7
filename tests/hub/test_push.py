"""What is published: the model, whole and usable, and nothing that says who trained it, where, on what."""

import getpass
import importlib
import json
import re
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from PIL import Image, PngImagePlugin
from safetensors import safe_open
from safetensors.numpy import load_file

from i2icli.__main__ import main
from i2icli.errors import UserError
from i2icli.hub import cleaning
from i2icli.hub.card import card
from i2icli.hub.published import read_run
from i2icli.hub.push import prepared
from i2icli.metadata import read_metadata
from i2icli.recipe import resolve_config
from i2icli.registry import SYSTEMS, system_type
from i2icli.runs import find_model
from i2icli.runtime.checkpoint import load_model, write_model
from tests.downloads.server import Server
from tests.hub.stand_in import TOKEN, Hub
from tests.tiny import tiny_config

Capture = pytest.CaptureFixture[str]
ALICE = "/home/alicia/secret-project/people.csv"


@pytest.fixture
def hub(server: Server, monkeypatch: pytest.MonkeyPatch) -> Hub:
    """The hub, which large files reach by its older way."""
    pytest.importorskip("huggingface_hub", reason="publishing needs: pip install 'i2icli[hub]'")
    constants = importlib.import_module("huggingface_hub.constants")
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True, raising=False)
    monkeypatch.setattr(constants, "ENDPOINT", server.url)  # read when the library is loaded, long ago
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    server.answer = Hub(server)
    return server.answer


@pytest.fixture(autouse=True)
def _alicia(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who trains, on which machine, and with an earlier version, whose models named files."""
    monkeypatch.setattr("i2icli.runtime.checkpoint.cleaned", lambda config: config)
    monkeypatch.setattr(getpass, "getuser", lambda: "alicia")
    monkeypatch.setattr(socket, "gethostname", lambda: "alicias-laptop.local")


def a_run(system: str = "stargan", folder: str = "runs/faces", **settings: Any) -> Path:
    """A run folder as training leaves it, without the training."""
    config = tiny_config(system, **settings)
    path = Path(folder)
    path.mkdir(parents=True)
    built = system_type(system)(config)
    networks = {name: built.get_submodule(name) for name in built.inference_modules}
    built.clock.total = built.clock.step = 4
    write_model(path / "model.safetensors", built, system, networks)
    (path / "data.json").write_text('{"training": 1234, "validation": 56, "scored": 50, "split_off": true}')
    rows = [
        {"step": 2, "validation": {"psnr": 11.0}},
        {"step": 3, "validation": {"psnr": 12.3456, "ssim": 0.5, "spectral_distance": 3.0}},
        {"step": 9, "validation": {"psnr": 99.0}},
        {"step": 9, "note": ALICE},
    ]
    (path / "log.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (path / "samples").mkdir()
    texts = PngImagePlugin.PngInfo()
    texts.add_text("Source", ALICE)
    Image.new("RGB", (8, 8), "red").save(path / "samples" / "000004.png", pnginfo=texts)
    (path / "recipe.toml").write_text(f'attribute_file = "{ALICE}"\n')
    return path


# -- push --------------------------------------------------------------------------------------


def test_nothing_private_is_published(hub: Hub, capsys: Capture) -> None:
    run = a_run(attribute_file=ALICE)
    assert main(["push", str(run), "hf://org/faces", "--licence", "mit"]) == 0
    assert "others get it with: i2i pull hf://org/faces" in capsys.readouterr().out
    held = hub.repositories["org/faces"]
    assert sorted(held) == ["README.md", "model.safetensors", "recipe.toml", "samples.png"]
    everything = b"".join(held.values()) + " ".join(hub.commits).encode()
    for word in ("alicia", "secret-project", "people.csv", str(Path.cwd()), "/home/", TOKEN, "laptop"):
        assert word.encode() not in everything, word
    assert hub.private == set()
    assert len(hub.commits) == 1


def test_the_best_weights_are_published_and_a_note_says_so(capsys: Capture) -> None:
    run = a_run()
    built = system_type("stargan")(tiny_config("stargan"))
    built.clock.total = built.clock.step = 3
    write_model(run / "best.safetensors", built, "stargan", {"G": built.G})
    assert main(["push", str(run), "hf://org/faces", "--private", "--dry-run"]) == 0
    told = capsys.readouterr()
    assert told.err.startswith("note: best weights, of step 3")
    assert "3 of " in told.out
    assert read_run(str(run / "model.safetensors")).metadata.step == 4


def test_what_is_published_is_the_same_model(hub: Hub) -> None:
    run = a_run(attribute_file=ALICE)
    main(["push", str(run), "hf://org/faces", "--private"])
    assert hub.private == {"org/faces"}
    Path("got").mkdir()
    for name, data in hub.repositories["org/faces"].items():
        Path("got", name).write_bytes(data)
    ours, theirs = run / "model.safetensors", Path("got/model.safetensors")
    before, after = load_file(ours), load_file(theirs)
    assert before.keys() == after.keys()
    assert all((before[name] == after[name]).all() for name in before)
    assert load_model(theirs).clock.total == 4
    assert read_metadata(ours).config["attribute_file"] == ALICE, "the run itself is left alone"
    assert read_metadata(theirs).config == read_metadata(ours).config | {"attribute_file": None}
    with safe_open(theirs, "numpy") as file:
        assert list(file.metadata()) == ["i2icli"]
    recipe = resolve_config("stargan", "got/recipe.toml").model_dump(mode="json")
    assert recipe == read_metadata(theirs).config
    with Image.open("got/samples.png") as sheet:
        assert (sheet.size, sheet.info) == ((8, 8), {})


def test_a_run_is_pushed_pulled_and_used(
    hub: Hub, toy: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    options = "--steps 2 --crop-size 32 --width 4 --depth 3 --num-layers 2 --discriminator-width 4"
    data = toy("pix2pix")
    assert main(["train", "pix2pix", str(data), "--out", "runs/mine", *options.split()]) == 0
    assert main(["push", "mine", "hf://org/facades", "--licence", "mit"]) == 0
    monkeypatch.delenv("HF_TOKEN")
    assert main(["pull", "hf://org/facades"]) == 0
    assert "as the hub has it" in capsys.readouterr().out
    assert (
        "7 examples to learn from, 2 for validation" in hub.repositories["org/facades"]["README.md"].decode()
    )
    photo = next((data / "test" / "A").iterdir())
    assert main(["translate", str(photo), "--model", "facades", "--out", "by-name"]) == 0
    assert main(["translate", str(photo), "--model", "runs/mine", "--out", "by-run"]) == 0
    assert Path("by-name", photo.name).read_bytes() == Path("by-run", photo.name).read_bytes()
    assert find_model("facades").parent.name == "facades"


def test_a_private_model_is_pulled_with_the_token(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    main(["push", str(a_run()), "hf://org/faces", "--private"])
    assert main(["pull", "hf://org/faces"]) == 0
    assert not any("authorization" in asked.headers for asked in hub.server.asked if "storage" in asked.path)
    monkeypatch.delenv("HF_TOKEN")
    assert main(["pull", "hf://org/faces", "--again"]) == 1


def test_a_dry_run_lists_and_uploads_nothing(server: Server, capsys: Capture) -> None:
    run = a_run()
    assert main(["push", str(run), "hf://org/faces", "--licence", "mit", "--dry-run", "--no-samples"]) == 0
    shown = capsys.readouterr().out
    listed = re.findall(r"would publish (\S+) \([\d,]+ bytes\)", shown)
    assert listed == ["README.md", "model.safetensors", "recipe.toml"]
    assert "# faces" in shown
    assert server.asked == []


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("runs/faces hf://org/faces", "a public model needs a licence: add --licence mit"),
        ("runs/faces hf://org/faces --licence MIT\nx", "expected an identifier such as mit"),
        ("runs/faces org/faces --licence mit", "expected where to publish it, as hf://owner/name"),
        ("runs/faces hf://org/faces/file.pth --licence mit", "expected where to publish it"),
        ("runs/none hf://org/faces --licence mit", "no model 'runs/none'"),
        (
            "latest_net_G.pth hf://org/faces --licence mit",
            "not trained by i2icli; published are runs of i2i train",
        ),
    ],
)
def test_wrong_use_is_one_line(arguments: str, words: str, capsys: Capture) -> None:
    a_run()
    Path("latest_net_G.pth").touch()
    assert main(["push", *arguments.split(" ")]) == 2
    error = capsys.readouterr().err
    assert words in error
    assert error.count("\n") == 1


def test_without_the_library_the_command_is_said(
    server: Server, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    assert main(["push", str(a_run()), "hf://org/faces", "--licence", "mit"]) == 2
    error = capsys.readouterr().err
    assert (
        "error: publishing needs huggingface_hub, which is not installed: pip install 'i2icli[hub]'" in error
    )
    assert server.asked == []


def test_what_the_hub_refuses_is_one_line(hub: Hub, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    monkeypatch.setenv("HF_TOKEN", "wrong")
    assert main(["push", str(a_run()), "hf://org/faces", "--licence", "mit"]) == 1
    error = capsys.readouterr().err.splitlines()[-1]
    assert "error: hf://org/faces: the hub did not take it (" in error
    assert "HF_TOKEN" in error
    assert "wrong" not in error
    assert hub.repositories == {}


# -- what must not be published ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"domains": ("/home/alicia/a", "b")}, "--domains holds '/home/alicia/a', a path of this machine"),
        ({"domains": ("C:\\Users\\a", "b")}, "a path of this machine"),
        ({"domains": ("~alicia", "b")}, "a path of this machine"),
        ({"domains": ("Alicia", "b")}, "--domains holds 'Alicia', your user name; if it may be published"),
        ({"domains": ("faces_alicia", "b")}, "your user name"),
        ({"domains": ("alicias-laptop", "b")}, "this machine's name"),
    ],
)
def test_settings_that_say_who_and_where_are_refused(settings: dict[str, Any], words: str) -> None:
    run = a_run(**settings)
    with pytest.raises(UserError, match=re.escape(words)):
        read_run(str(run))


def test_names_may_be_kept_on_purpose() -> None:
    run = a_run(domains=("alicia", "bob"))
    assert read_run(str(run), keep_names=True).config.model_dump()["domains"] == ("alicia", "bob")
    assert main(["card", str(run), "--keep-names", "--licence", "mit"]) == 0
    run = a_run(folder="runs/other", domains=("/home/alicia", "bob"))
    with pytest.raises(UserError, match="a path of this machine"):
        read_run(str(run), keep_names=True)


def test_words_that_only_look_alike_are_no_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(getpass, "getuser", lambda: "ali")
    monkeypatch.setattr(socket, "gethostname", lambda: "image")  # also a value of a setting
    assert read_run(str(a_run(domains=("alignment", "images")))).metadata.system == "stargan"
    monkeypatch.setattr(getpass, "getuser", lambda: (_ for _ in ()).throw(KeyError("no entry")))
    assert "your user" in cleaning._own_names().values(), "the home folder's name is one"


@pytest.mark.parametrize("system", list(SYSTEMS))
def test_every_setting_that_names_a_file_is_known_as_one(system: str) -> None:
    config = tiny_config(system)
    named = {name for name in type(config).model_fields if name.endswith(("_file", "_weights", "_path"))}
    assert named == config.local_files
    assert not set(cleaning.cleaned(config).model_dump()) & named or all(
        getattr(cleaning.cleaned(config), name) is None for name in named
    )


@pytest.mark.parametrize("system", list(SYSTEMS))
def test_every_system_has_a_card(system: str) -> None:
    run = a_run(system)
    with prepared(str(run), "hf://org/it", licence="mit", private=False) as upload:
        text = (upload.folder / "README.md").read_text()
        load_model(upload.folder / "model.safetensors")
    assert SYSTEMS[system].paper in text
    assert "i2i pull hf://org/it" in text


# -- the card ----------------------------------------------------------------------------------


def test_the_card_says_what_matters(capsys: Capture) -> None:
    run = a_run(ema=0.9)
    assert main(["card", str(run), "--licence", "CC-BY-4.0", "--out", "-"]) == 0
    shown = capsys.readouterr().out
    front = yaml.safe_load(shown.split("---")[1])
    assert front == {
        "license": "cc-by-4.0",
        "library_name": "i2icli",
        "pipeline_tag": "image-to-image",
        "tags": ["i2icli", "gan", "stargan", "image-to-image"],
    }
    for text in (
        "Choi et al., CVPR 2018",
        "for 4 of 4 steps",
        "1,234 examples to learn from, 56 for validation, split off from the data and not trained on",
        "trained at 32x32 px",
        "| PSNR (dB) | 12.35 |",
        "on 50 of 56 validation examples, split off from the data and not trained on",
        "with averaged weights, at step 3; the published weights are those of step 4",
        "--width 4",
        "Targets (`--to`): autumn, night, summer, winter.",
        "i2i translate PHOTOS --model model.safetensors --out results",
    ):
        assert text in shown, text
    assert "99" not in shown, "scores of later weights are not these"


def test_the_sample_sheet_is_that_of_the_weights_or_says_of_which_step_it_is() -> None:
    run = a_run()
    for step in (1, 3, 9, 1_000_000):
        Image.new("RGB", (8, 8)).save(run / "samples" / f"{step:06}.png")
    (run / "samples" / "mine.png").touch()
    model = read_run(str(run))
    assert model.sheet_step == model.metadata.step == 4
    assert "Samples at step" not in card(model, sheet=True)
    (run / "samples" / "000004.png").unlink()
    model = read_run(str(run))
    assert model.sheet_step == 3
    assert "(samples.png)\n\nSamples at step 3; the published weights are those of step 4.\n" in card(
        model, sheet=True
    )


def test_a_card_without_licence_scores_and_counts_says_so(capsys: Capture) -> None:
    run = a_run()
    (run / "log.jsonl").unlink()
    (run / "data.json").write_text("{")
    assert main(["card", str(run)]) == 0
    text = (run / "README.md").read_text()
    assert "license" not in yaml.safe_load(text.split("---")[1])
    assert "None was given: ask the owner" in text
    assert "None were measured." in text
    assert "how many examples it learned from was not recorded" in text
    assert "no licence is named" in capsys.readouterr().err
    assert main(["card", str(run)]) == 2
    assert "exists already" in capsys.readouterr().err
    assert main(["card", str(run), "--overwrite"]) == 0


def test_a_generator_of_images_is_called_one(capsys: Capture) -> None:
    assert main(["card", str(a_run("progan")), "--out", "-", "--licence", "mit"]) == 0
    shown = capsys.readouterr().out
    assert yaml.safe_load(shown.split("---")[1])["pipeline_tag"] == "unconditional-image-generation"
    assert "i2i translate --model model.safetensors --count 16 --out samples" in shown


def test_names_are_no_markdown(capsys: Capture) -> None:
    run = a_run(domains=("<script>", "a|b`[x](y)"))
    assert main(["card", str(run), "--out", "-", "--licence", "mit"]) == 0
    assert "<script>" not in capsys.readouterr().out.split("## Settings")[0]
