"""What translating does with metadata: carried on, the position only when asked, trouble in one line."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from i2icli.__main__ import main
from i2icli.inference.translator import Translator
from i2icli.registry import system_type
from i2icli.runtime.checkpoint import write_model
from tests.tiny import tiny_config


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("model") / "model.safetensors"
    system = system_type("cyclegan")(tiny_config("cyclegan", channels=(3,)))
    write_model(
        path, system, "cyclegan", {name: system.get_submodule(name) for name in system.inference_modules}
    )
    return path


def photo(path: Path, *, broken: bool = False) -> Path:
    exif = Image.Exif()
    exif[0x010F], exif[0x0112] = "Acme", 6
    exif.get_ifd(0x8825).update({1: "N", 2: (48.0, 12.0, 30.0)})
    info = PngInfo()
    info.add_text("Comment", "hello")
    path.parent.mkdir(exist_ok=True)
    pixels = np.random.default_rng(0).integers(0, 256, (20, 32, 3), np.uint8)
    data = b"rubbish" if broken else exif.tobytes()
    Image.fromarray(pixels).save(path, exif=data, pnginfo=info, dpi=(300, 300))
    return path


def translate(*arguments: object, model: Path) -> int:
    fixed = ["--model", str(model), "--runtime", "torch", "--to", "B"]
    return main(["translate", *map(str, arguments), *fixed])


@pytest.mark.parametrize("size", ["", "16x16"])
def test_results_carry_metadata_and_no_position(size: str, model: Path, tmp_path: Path) -> None:
    path = photo(tmp_path / "in/a.png")
    more = ["--size", size] if size else []
    assert translate(path, "--out", tmp_path / "out", *more, model=model) == 0
    with Image.open(tmp_path / "out/a.png") as found:
        assert found.size == ((16, 16) if size else (20, 32))
        assert found.text["Comment"] == "hello"
        assert found.getexif()[0x010F] == "Acme"
        assert 0x0112 not in found.getexif()
        assert not found.getexif().get_ifd(0x8825)
        expected = (300 * 16 / 20, 300 * 16 / 32) if size else (300, 300)
        assert found.info["dpi"] == pytest.approx(expected, abs=0.02)


def test_the_position_is_kept_when_asked(model: Path, tmp_path: Path) -> None:
    path = photo(tmp_path / "in/a.png")
    out = ["--out", tmp_path / "out", "--format", "jpg"]
    assert translate(path, *out, model=model) == 0
    assert translate(path, *out, "--keep-gps", model=model) == 2  # other results than those that are there
    assert translate(path, *out, "--keep-gps", "--overwrite", model=model) == 0
    with Image.open(tmp_path / "out/a.jpg") as found:
        assert found.getexif().get_ifd(0x8825)[2] == (48.0, 12.0, 30.0)
        assert found.info["comment"] == b"hello"


def test_python_has_metadata_too(model: Path, tmp_path: Path) -> None:
    loaded = Translator.load(model, runtime="torch")
    path = photo(tmp_path / "in/a.png")
    for keep in (False, True):
        made = loaded.translate(path, to="B", keep_gps=keep)
        assert made.getexif()[0x010F] == "Acme"
        assert bool(made.getexif().get_ifd(0x8825)) is keep


def test_what_cannot_be_read_is_one_line(model: Path, tmp_path: Path, capfd: Any) -> None:
    for number in range(3):
        photo(tmp_path / f"in/{number}.png", broken=True)
    photo(tmp_path / "in/good.png")
    assert translate(tmp_path / "in", "--out", tmp_path / "out", "--json", model=model) == 0
    printed = capfd.readouterr()
    assert [line for line in printed.err.splitlines() if "metadata" in line] == [
        f"metadata that cannot be read is left out: EXIF of {tmp_path / 'in/0.png'} (likewise in 2 more)"
    ]
    assert len(printed.err.splitlines()) == 2
    rows = [json.loads(line) for line in printed.out.splitlines()]
    assert [row.get("left_out") for row in rows] == ["EXIF"] * 3 + [None]


def test_outputs_that_are_no_numbers_are_errors(
    tmp_path: Path, model: Path, monkeypatch: Any, capsys: Any
) -> None:
    from i2icli.inference import pipeline

    def overflowing(_: object, inputs: list[Any], specs: list[Any]) -> list[Any]:
        return [np.full_like(next(iter(inputs[0].values())), np.nan) for _ in specs]

    monkeypatch.setattr(pipeline, "compute", overflowing)
    path = photo(tmp_path / "in/a.png")
    assert translate(path, "--out", tmp_path / "out", model=model) == 1
    assert "the model gives values that are no numbers; try --precision fp32" in capsys.readouterr().err
    assert not (tmp_path / "out/a.png").exists()
