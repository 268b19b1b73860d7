from pathlib import Path

import pytest

from i2icli.errors import UserError
from i2icli.export import options
from i2icli.export.options import ExportOptions


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"to": "coreml"}, r"--to coreml: expected one of onnx, openvino, pt2, safetensors"),
        ({"to": "pt2", "precision": "half"}, r"--half is not for --to pt2"),
        ({"to": "safetensors", "uint8": True}, r"--uint8 is not for --to safetensors"),
        ({"precision": "int8"}, r"--int8 needs images.*--calibrate"),
        ({"calibrate": Path("x")}, r"--calibrate is for --int8"),
        ({"opset": 9}, r"--opset 9: expected 18 to 23"),
    ],
)
def test_options_that_do_not_go_together_are_refused_in_words(wrong, says):
    with pytest.raises(UserError, match=says) as refused:
        ExportOptions(**wrong).check()
    assert "\n" not in str(refused.value)


def test_a_missing_package_is_named_with_the_command_that_installs_it(monkeypatch):
    gone: set[str] = set()
    monkeypatch.setattr(options, "find_spec", lambda name: None if name in gone else object())
    ExportOptions().check_packages()
    gone |= {"onnx", "onnxscript", "onnxruntime", "openvino"}
    ExportOptions(to="pt2").check_packages()
    with pytest.raises(
        UserError,
        match=r"needs the package onnx and onnxscript and onnxruntime: pip install 'i2icli\[onnx\]'",
    ):
        ExportOptions().check_packages()
    gone.remove("onnx")
    gone.remove("onnxscript")
    with pytest.raises(UserError, match=r"openvino: pip install 'i2icli\[openvino\]'"):
        ExportOptions(to="openvino").check_packages()
    with pytest.raises(UserError, match=r"openvino and onnxruntime: pip install 'i2icli\[onnx,openvino\]'"):
        ExportOptions(to="openvino", precision="int8").check_packages()
