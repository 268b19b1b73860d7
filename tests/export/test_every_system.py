"""Every graph of every system in every format, with all its parts."""

import numpy as np
import pytest
from PIL import Image

from i2icli import registry
from i2icli.export.exporting import Exporter
from i2icli.export.options import SUFFIXES, ExportOptions
from i2icli.export.selecting import groups, places
from tests.export.models import SMALLER, lively

pytestmark = pytest.mark.slow

VARIANTS = {
    "pix2pix": [{"depth": 6, "crop_size": 64}, {"generator": "resnet", "num_blocks": 1}],
    "spade": [{"vae": True, "num_levels": 1}],
    "stargan": [{"domains": None, "attributes": ("a", "b")}],
    "vid2vid": [{"grown": 0, "depth": 1, "num_blocks": 1, "norm": "instance", "upsampling": "bilinear"}],
    "combogan": [{"domains": ("a", "b", "c"), "num_blocks": 1}],
    "progan": [{"conditional": True, "classes": ("a", "b"), "convention": "zoo"}],
    "lapgan": [
        {"conditional": True, "classes": ("a", "b"), "interpolation": "centres"},
        {"crop_size": 28, "sides": (8, 14, 28)},
    ],
}
"""Further settings of networks."""
CASES = [(name, SMALLER.get(name, {})) for name in registry.SYSTEMS]
CASES += [(name, changes) for name, every in VARIANTS.items() for changes in every]


def export_all(name, changes, options, folder):
    system = lively(name, **changes)
    found = groups(system.config, system.config.tasks(system.clock.stage), target="all")
    if name == "combogan":
        found = found[:1]  # they are all alike
    exporter = Exporter(system, options)
    wanted = places(folder / "model.pth", found, options.to, folder / options.to)
    return [exporter.export(each.tasks, each.path) for each in wanted]


@pytest.mark.parametrize("to", ["onnx", "openvino", "pt2"])
@pytest.mark.parametrize(("name", "changes"), CASES)
def test_it_is_proven_in_every_format(name, changes, to, tmp_path):
    for exported in export_all(name, changes, ExportOptions(to), tmp_path):
        assert exported.path.suffix == SUFFIXES[to]
        assert exported.verdict.startswith("proven: ")
        for path in exported.files:
            assert b"site-packages" not in path.read_bytes()
            assert str(tmp_path).encode() not in path.read_bytes()


@pytest.mark.parametrize("name", registry.SYSTEMS)
def test_pixels_go_in_and_come_out(name, tmp_path):
    for exported in export_all(name, SMALLER.get(name, {}), ExportOptions(uint8=True), tmp_path):
        assert exported.proof.excess <= 1


@pytest.mark.parametrize("to", ["onnx", "openvino"])
@pytest.mark.parametrize("precision", ["half", "int8"])
def test_lower_precision_is_smaller_and_close(precision, to, tmp_path):
    images = tmp_path / "images"
    images.mkdir()
    for number in range(4):
        pixels = np.random.default_rng(number).integers(0, 256, (8, 8, 3), np.uint8)
        Image.fromarray(pixels).resize((64, 64)).save(images / f"{number}.png")
    changes = {"width": 16, "num_blocks": 2}
    calibrate = images if precision == "int8" else None
    options = ExportOptions(to, precision, calibrate=calibrate, images=images, force=True)
    (small, _), (plain, _) = (
        export_all("cyclegan", changes, each, tmp_path / each.precision)
        for each in (options, ExportOptions(to))
    )
    assert small.bytes < (0.65 if precision == "half" else 0.6) * plain.bytes
    assert small.proof.psnr > (60 if precision == "half" else 20)
    assert small.verdict.startswith("accurate to ")
