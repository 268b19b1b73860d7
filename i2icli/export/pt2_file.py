"""Traced graphs as torch's own .pt2, for programs that have torch but not this toolkit."""

from io import BytesIO
from pathlib import Path

import torch

from i2icli.errors import UserError
from i2icli.export.parts import Part
from i2icli.export.proof import Run
from i2icli.export.trace import Traced, forget_layers, quiet
from i2icli.files import atomic_write
from i2icli.graphs.metadata import KEY, GraphMetadata
from i2icli.request import Arrays


def write_pt2(path: Path, traced: Traced, metadata: GraphMetadata) -> None:
    """Write a graph; its inputs and outputs are by position, in the order of the metadata."""
    traced.program._example_inputs = None  # they would be pickled into the file
    forget_layers(traced.program)
    written = BytesIO()
    with quiet():
        torch.export.save(traced.program, written, extra_files={KEY: metadata.to_text()})
    with atomic_write(path) as beside:
        beside.write_bytes(written.getvalue())


def run_pt2(path: Path, part: Part) -> Run:
    """What runs a file that `write_pt2` has just written; never one of others, as reading executes it."""
    with quiet():
        network = torch.export.load(path).module()

    def run(arrays: Arrays) -> Arrays:
        values = [torch.from_numpy(arrays[name]) for name in part.inputs]
        try:
            with torch.no_grad():
                found = network(*values)
        except Exception as error:
            line = next(iter(str(error).splitlines()), type(error).__name__)
            raise UserError(f"{path.name}: torch cannot run it ({line[:300]})", exit_code=1) from error
        return {name: each.numpy() for name, each in zip(part.outputs, found, strict=True)}

    return run
