"""`i2i info` of a detector."""

import json
from pathlib import Path

from safetensors.numpy import load_file, save_file

from i2icli.__main__ import main
from i2icli.detector import serialization

SHIPPED = Path(serialization.__file__).with_name("shipped") / "traces.safetensors"


def test_a_detector_is_told_by_what_it_was_fitted_to(capsys):
    assert main(["info", str(SHIPPED)]) == 0
    shown = capsys.readouterr().out
    for text in ("fitted to", "real and ", "fake images", "held-out scores", "--model"):
        assert text in shown


def test_a_detector_of_a_newer_version_is_named_as_such(tmp_path, capsys):
    info = serialization.load(SHIPPED)[0].model_dump() | {"format": serialization.FORMAT + 1}
    path = tmp_path / "new.safetensors"
    save_file(load_file(SHIPPED), path, metadata={"i2icli-detector": json.dumps(info)})
    assert main(["info", str(path)]) == 2
    assert capsys.readouterr().err == f"error: {path}: written by a newer i2icli; update it with pip\n"
