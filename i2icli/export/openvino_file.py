"""Graphs as OpenVINO's .xml and .bin, made of the ONNX graph."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from i2icli.errors import UserError, readable
from i2icli.export.axes import Axis
from i2icli.export.parts import Part
from i2icli.files import atomic_write
from i2icli.graphs.metadata import KEY, GraphMetadata


def write_openvino(path: Path, onnx_model: Any, part: Part, metadata: GraphMetadata, *, half: bool) -> None:
    """Write NAME.xml and NAME.bin; half: weights in half precision, computed with as the runtime likes.

    Raises UserError for an operator that OpenVINO has not.
    """
    import openvino

    with TemporaryDirectory() as folder:
        source = Path(folder) / "graph.onnx"
        source.write_bytes(onnx_model.SerializeToString())  # without metadata, which would be there twice
        try:
            model = openvino.convert_model(source)
        except Exception as error:  # it raises many kinds
            lines = [line.strip() for line in str(error).splitlines() if line.strip()]
            raise UserError(
                f"the part {part.name!r} cannot be written for OpenVINO: {readable(lines[-1])[:300]}",
                exit_code=1,
            ) from error
        _name_alone(model, part)
        _check_sides(model, part)
        model.set_rt_info(metadata.to_text(), KEY)
        written = Path(folder) / "graph.xml"
        openvino.save_model(model, written, compress_to_fp16=half)
        for suffix in (".bin", ".xml"):  # the .xml last: without it there is no graph
            with atomic_write(path.with_suffix(suffix)) as beside:
                beside.write_bytes(written.with_suffix(suffix).read_bytes())


def _name_alone(model: Any, part: Part) -> None:
    """Leave inputs and outputs the names of the part alone: those of values that were equal go."""
    for ports, known in ((model.inputs, part.inputs), (model.outputs, part.outputs)):
        for port in ports:
            port.get_tensor().set_names({name for name in port.get_names() if name in known})


def _check_sides(model: Any, part: Part) -> None:
    """Raise UserError for a side that was to be free and is fixed."""
    for port in model.inputs:
        shape = part.inputs[port.any_name]
        for number, (side, found) in enumerate(zip(shape, port.partial_shape, strict=True)):
            if isinstance(side, Axis) and not found.is_dynamic:
                raise UserError(
                    f"axis {number} of {port.any_name} ({side}) was written as {found}; "
                    "this is a fault of i2icli, please report it",
                    exit_code=1,
                )
