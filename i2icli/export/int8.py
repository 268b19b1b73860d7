"""Graphs whose convolutions compute with 8-bit numbers, calibrated on a user's images.

Static quantisation: ranges of activations are measured on images, weights are scaled for each output channel;
in the file both are pairs of QuantizeLinear and DequantizeLinear around each convolution, which onnxruntime
and OpenVINO turn into integer arithmetic.
"""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch

from i2icli.errors import UserError
from i2icli.export.axes import BATCH, HEIGHT, WIDTH
from i2icli.export.content import After, GivenImages
from i2icli.export.parts import Part
from i2icli.export.proof import LARGEST
from i2icli.export.trace import quiet
from i2icli.request import Arrays
from i2icli.system import System

MOST_IMAGES = 32  # that ranges are measured on; more hardly change them


def to_int8(model: Any, part: Part, system: System[Any], images: GivenImages) -> Any:
    """A graph in 8 bits, measured on some images; the first and the last convolution stay as they are.

    These read and make images, whose values the eye sees; they take little of the time.
    """
    import onnx
    from onnxruntime.quantization import QuantFormat, QuantType, quantize_static
    from onnxruntime.quantization.calibrate import CalibrationMethod

    convolutions = [node.name for node in model.graph.node if node.op_type == "Conv"]
    if len(convolutions) < 3:
        raise UserError(f"the part {part.name!r} has no convolutions that 8 bits would make faster")
    with TemporaryDirectory() as folder:
        before, after = Path(folder) / "fp32.onnx", Path(folder) / "int8.onnx"
        before.write_bytes(model.SerializeToString())
        with quiet():
            quantize_static(
                before,
                after,
                _Reader(part, system, images),
                quant_format=QuantFormat.QDQ,
                per_channel=True,
                activation_type=QuantType.QUInt8,
                weight_type=QuantType.QInt8,
                op_types_to_quantize=["Conv"],
                nodes_to_exclude=[convolutions[0], convolutions[-1]],
                calibrate_method=CalibrationMethod.MinMax,
            )
        return onnx.load(after)


class _Reader:
    """Hands the images to onnxruntime one by one, as the part reads them."""

    def __init__(self, part: Part, system: System[Any], images: GivenImages) -> None:
        self._examples = _examples(part, system, images)

    def get_next(self) -> Arrays | None:
        """What a part reads; None after the last."""
        return next(self._examples, None)


def _examples(part: Part, system: System[Any], images: GivenImages) -> Iterator[Arrays]:
    sides, (traced, _) = part.examples.sides, part.examples.traced_sizes()
    height, width = system.config.crop_size
    sizes = {**traced, BATCH: 1}
    if sides.free:
        sizes |= {HEIGHT: sides.nearest(min(height, LARGEST)), WIDTH: sides.nearest(min(width, LARGEST))}
    images = images.fewer(MOST_IMAGES)
    for number in range(len(images)):
        with torch.no_grad():
            given = part.draw(system, sizes, After(images, number), len(part.examples.variants) * number)
        yield {name: given[name].numpy() for name in part.inputs}
