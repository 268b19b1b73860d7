"""What an export is to be: formats, precisions and everything that decides what is written. No torch here."""

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Literal, get_args

from i2icli.errors import UserError
from i2icli.graphs.sessions import Runtime

Format = Literal["onnx", "openvino", "pt2", "safetensors"]
SUFFIXES: dict[Format, str] = {
    "onnx": ".onnx",
    "openvino": ".xml",
    "pt2": ".pt2",
    "safetensors": ".safetensors",
}
Precision = Literal["fp32", "half", "int8"]
"""Of the weights: as they are; stored in half precision; convolutions in 8 bits."""
LEAST_PSNR: dict[Precision, float] = {"fp32": 60.0, "half": 45.0, "int8": 25.0}
"""dB, of outputs to those of the networks: what is worse is refused unless it is forced. That of fp32 is for
fused norms; else it is held against rounding."""
OPSET = 20  # of ONNX: what the runtimes of today know
LOWEST_OPSET, HIGHEST_OPSET = 18, 23
FORMATS: dict[Runtime, Format] = {"onnxruntime": "onnx", "openvino": "openvino"}
"""What is written for each runtime."""
UNPROVEN = ".unproven"  # after the name of a file that failed its proof


_PACKAGES: dict[Format, tuple[str, ...]] = {
    "onnx": ("onnx", "onnxscript", "onnxruntime"),
    "openvino": ("onnx", "onnxscript", "openvino"),
}
"""What writes and runs a format, beside torch; each format's extra installs it."""


@dataclass(frozen=True)
class ExportOptions:
    """How a model is exported."""

    to: Format = "onnx"
    precision: Precision = "fp32"
    uint8: bool = False  # pixels 0 to 255 in and out
    opset: int = OPSET
    calibrate: Path | None = None  # folder of images that 8 bits are calibrated on
    images: Path | None = None  # folder of images that it is proven on; None: drawn scenes
    overwrite: bool = False
    fused_norms: bool = False  # in fp32, too: faster, less exact, and measured by PSNR; see `nn.norm`
    force: bool = False  # keep what is worse than `LEAST_PSNR`

    def check(self) -> None:
        """Raise UserError for options that do not go together, before anything is computed."""
        if self.to not in get_args(Format):
            raise UserError(f"--to {self.to}: expected one of {', '.join(get_args(Format))}")
        graphs = "a graph: choose --to onnx or --to openvino"
        if self.to in ("pt2", "safetensors") and self.precision != "fp32":
            raise UserError(f"--{self.precision} is not for --to {self.to}; it asks for {graphs}")
        if self.to == "safetensors" and self.uint8:
            raise UserError(f"--uint8 is not for --to safetensors; it asks for {graphs}, or --to pt2")
        if self.to == "safetensors" and self.images is not None:
            raise UserError("--images is not for --to safetensors: its weights are equal or they are not")
        if self.precision == "int8" and self.calibrate is None:
            raise UserError("--int8 needs images like those to be translated: --calibrate DIR")
        if self.calibrate is not None and self.precision != "int8":
            raise UserError("--calibrate is for --int8; add it, or leave out --calibrate")
        if not LOWEST_OPSET <= self.opset <= HIGHEST_OPSET:
            raise UserError(
                f"--opset {self.opset}: expected {LOWEST_OPSET} to {HIGHEST_OPSET}; {OPSET} by default"
            )

    def check_packages(self) -> None:
        """Raise UserError naming what to install where a package is missing that writes or proves it."""
        needed = _PACKAGES.get(self.to, ())
        if self.precision == "int8" and "onnxruntime" not in needed:
            needed += ("onnxruntime",)  # which calibrates
        missing = [name for name in needed if find_spec(name) is None]
        if missing:
            extras = sorted({"onnx" if name == "onnxruntime" else self.to for name in missing})
            raise UserError(
                f"--to {self.to} needs the package {' and '.join(missing)}: "
                f"pip install 'i2icli[{','.join(extras)}]'"
            )
