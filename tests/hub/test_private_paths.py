"""Where files lie on the machine that trained stands in what stays there, never in what is passed on."""

import json
from pathlib import Path

import numpy as np
import pytest

from i2icli import registry
from i2icli.config import Config
from i2icli.errors import UserError
from i2icli.export.describing import settings_of
from i2icli.inference.manifest import settings_of as results_made_with
from i2icli.inference.manifest import write_manifest
from i2icli.inference.options import TranslateOptions
from i2icli.inference.video_segments import Segments
from i2icli.metadata import read_metadata
from i2icli.recipe import resolve_config, write_recipe
from i2icli.registry import system_type
from i2icli.runtime.checkpoint import load_model, write_model
from i2icli.training.run_folder import RunFolder
from i2icli.training.run_report import write_run_report
from tests.tiny import tiny_config

HOMES = ["/home/alicia/secret/people.csv", "../../alicia/people.csv", "C:\\Users\\alicia\\people.csv"]
LOCAL = [
    (name, setting) for name in registry.SYSTEMS for setting in sorted(registry.config_type(name).local_files)
]


def config_with(name: str, setting: str, path: str) -> Config:
    config = tiny_config(name)
    return config.with_found({setting: path})


@pytest.mark.parametrize("path", HOMES)
@pytest.mark.parametrize(("name", "setting"), LOCAL)
def test_models_exports_and_reports_name_no_files(name: str, setting: str, path: str, tmp_path: Path) -> None:
    config = config_with(name, setting, path)
    folder = RunFolder(tmp_path / "run")
    folder.path.mkdir()
    system = system_type(name)(config)
    networks = {each: system.get_submodule(each) for each in system.inference_modules}
    write_model(folder.model, system, name, networks)
    write_run_report(folder, name, config)
    assert "alicia" not in json.dumps(settings_of(config))
    for written in folder.path.iterdir():
        assert b"alicia" not in written.read_bytes(), written.name
    assert read_metadata(folder.model).config == tiny_config(name).model_dump(mode="json") | {setting: None}
    load_model(folder.model)


def test_there_are_such_settings() -> None:
    assert ("stargan", "attribute_file") in LOCAL


def test_the_recipe_of_a_run_has_what_resuming_needs(tmp_path: Path) -> None:
    config = config_with("stargan", "attribute_file", HOMES[0])
    write_recipe(tmp_path / "recipe.toml", "stargan", config)
    assert resolve_config("stargan", tmp_path / "recipe.toml") == config


def options(folder: Path) -> TranslateOptions:
    np.save(folder / "codes.npy", np.zeros((1, 8), np.float32))
    (folder / "a style.png").write_bytes(b"style")
    return TranslateOptions.of(
        {"reference": [str(folder / "a style.png")], "latent": str(folder / "codes.npy"), "instances": folder}
    )


def test_manifests_name_no_folders(tmp_path: Path) -> None:
    home, model = tmp_path / "home/alicia", tmp_path / "model.safetensors"
    home.mkdir(parents=True)
    model.write_bytes(b"weights")
    asked = options(home)
    settings = results_made_with(model, asked)
    out = tmp_path / "out"
    write_manifest(out, settings, overwrite=False)
    text = (out / ".i2i-results.json").read_text()
    assert str(tmp_path) not in text
    assert "a style.png" in text
    write_manifest(out, settings, overwrite=False)  # the same
    (home / "a style.png").write_bytes(b"another style")
    (out / "result.png").touch()
    with pytest.raises(UserError, match="--reference"):
        write_manifest(out, results_made_with(model, asked), overwrite=False)


def test_manifests_of_earlier_versions_still_tell_the_same(tmp_path: Path) -> None:
    home, model = tmp_path / "home/alicia", tmp_path / "model.safetensors"
    home.mkdir(parents=True)
    model.write_bytes(b"weights")
    settings = {
        name: each for name, each in results_made_with(model, options(home)).items() if each is not None
    }
    (tmp_path / "out").mkdir()
    (tmp_path / "out/.i2i-results.json").write_text(json.dumps(settings))  # with folders
    write_manifest(tmp_path / "out", settings, overwrite=False)
    segments = Segments(tmp_path / "video.mp4", ".mkv")
    segments.open(settings, overwrite=False)
    written = [path.read_text() for path in tmp_path.rglob("video.mp4.json")]
    assert written
    assert str(tmp_path) not in "".join(written)
