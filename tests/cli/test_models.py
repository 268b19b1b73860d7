"""Finding models by path, run name and system; `i2i info` on them."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from i2icli.__main__ import main
from i2icli.errors import UserError
from i2icli.runs import find_model


def publish(folder: Path, system: str = "cyclegan", age_s: int = 0, **config: object) -> Path:
    """A small model file as a run publishes it."""
    folder.mkdir(parents=True, exist_ok=True)
    metadata = {
        "format": 1,
        "version": "0.1.0",
        "system": system,
        "stage": "main",
        "stage_step": 5,
        "step": 5,
    }
    path = folder / "model.safetensors"
    tensors = {"G_AB.a.weight": np.zeros((2, 3), np.float32), "G_BA.bias": np.zeros(4, np.float16)}
    save_file(tensors, path, metadata={"i2icli": json.dumps(metadata | {"config": config})})
    os.utime(path, (1e9 - age_s, 1e9 - age_s))
    return path


def test_a_path_a_run_and_a_system_are_found(tmp_path: Path) -> None:
    old = publish(tmp_path / "old", age_s=20)
    new = publish(tmp_path / "new", age_s=10)
    publish(tmp_path / "newest", system="pix2pix")
    (tmp_path / "damaged").mkdir()
    (tmp_path / "damaged" / "model.safetensors").write_bytes(b"no")

    assert find_model(str(old)) == old
    assert find_model(str(old.parent)) == old
    assert find_model("old", runs=tmp_path) == old
    assert find_model("cyclegan", runs=tmp_path) == new


def test_nothing_found_lists_the_runs(tmp_path: Path) -> None:
    publish(tmp_path / "horses")
    with pytest.raises(UserError, match=r"no model 'zebras'.*horses"):
        find_model("zebras", runs=tmp_path)
    with pytest.raises(UserError, match=r"no run of pix2pix under .*horses"):
        find_model("pix2pix", runs=tmp_path)
    with pytest.raises(UserError, match="i2i demo"):
        find_model("zebras", runs=tmp_path / "none")


def test_info_shows_what_a_run_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "horses"
    publish(folder, domains=["horse", "zebra"], width=8, steps=10)
    (folder / "best.safetensors").write_bytes((folder / "model.safetensors").read_bytes())
    (folder / "log.jsonl").write_text(
        '{"step": 3, "validation": {"psnr": 11.0}}\n{"step": 5, "validation": {"psnr": 12.5}}\n{"st'
    )

    assert main(["info", str(folder), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["changed"] == {"domains": ["horse", "zebra"], "width": 8, "steps": 10}
    assert found["targets"] == ["zebra", "horse"]
    assert found["networks"] == [
        {"name": "G_AB", "parameters": 6, "bytes": 24},
        {"name": "G_BA", "parameters": 4, "bytes": 8},
    ]
    assert (found["scores"], found["scores_step"]) == ({"psnr": 12.5}, 5)
    assert found["best"].endswith("best.safetensors")

    assert main(["info", str(folder)]) == 0
    shown = capsys.readouterr().out
    for text in (
        "5 of 10 steps",
        "to zebra (default)",
        "psnr 12.5 (step 5)",
        "--width",
        "6 parameters",
        "Zhu et al.",
    ):
        assert text in shown


def test_info_shows_classes_once_with_what_is_unlabelled(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    classes = ["7 road #804080", "8 a [b]red[/]", "0 void"]
    publish(tmp_path, "spade", classes=classes, ignore=["void"], dont_care=True)
    assert main(["info", str(tmp_path)]) == 0
    shown = capsys.readouterr().out
    assert "Classes 7 road #804080 8 a [b]red[/] 0, 255, 65535 unlabelled Networks" in " ".join(shown.split())
    assert "labels of 2 classes and unlabelled" in shown
    assert "--classes" not in shown
    assert main(["info", str(tmp_path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["changed"]["classes"] == classes


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("cut.safetensors", b"\x10\x00\x00\x00\x00\x00\x00\x00{", "not a readable .safetensors file"),
        ("empty.safetensors", b"", "not a readable .safetensors file"),
        ("notes.txt", b"hello", "not a model's name"),
    ],
)
def test_info_on_other_files_is_one_line(
    name: str, content: bytes, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / name).write_bytes(content)

    assert main(["info", str(tmp_path / name)]) == 2

    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


def test_info_names_an_unknown_setting_and_system(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    publish(tmp_path / "a", wings=2)
    publish(tmp_path / "b", system="unicorn")

    assert main(["info", str(tmp_path / "a")]) == 2
    assert "wings" in capsys.readouterr().err
    assert main(["info", str(tmp_path / "b")]) == 2
    assert "unknown system 'unicorn'" in capsys.readouterr().err
