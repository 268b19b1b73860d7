"""Weights stored in half precision: half the size; they are computed with in single precision."""

from typing import Any

import numpy as np

LARGE = 256  # numbers from which storing them in half pays
STORED = ".half"  # after the name of a weight, as it is stored


def store_half(model: Any) -> None:
    """Replace the large float32 constants of an onnx.ModelProto by float16 ones that are cast back.

    Those that half precision cannot hold stay as they are.
    """
    from onnx import TensorProto, helper, numpy_helper

    graph, casts = model.graph, []
    for index, constant in enumerate(graph.initializer):
        if constant.data_type != TensorProto.FLOAT:
            continue
        values = numpy_helper.to_array(constant)
        if values.size < LARGE or np.abs(values).max() > np.finfo(np.float16).max:
            continue
        name = constant.name
        stored = numpy_helper.from_array(values.astype(np.float16), name + STORED)
        graph.initializer[index].CopyFrom(stored)
        casts.append(helper.make_node("Cast", [name + STORED], [name], f"cast_{name}", to=TensorProto.FLOAT))
    nodes = list(graph.node)
    del graph.node[:]
    graph.node.extend([*casts, *nodes])
