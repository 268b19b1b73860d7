"""What is written into .onnx files."""

import torch
from torch import Tensor, nn

from i2icli.export.onnx_file import fold
from i2icli.export.trace import quiet


class Scaled(nn.Module):
    """A layer whose weights have a scale, as with an equalised learning rate, and more of them than are usual
    to be folded.
    """

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(128, 96))

    def forward(self, values: Tensor) -> Tensor:
        return nn.functional.linear(values, self.weight * 0.25)


def test_what_depends_on_weights_alone_is_computed_however_large_it_is():
    layer = Scaled()
    with quiet():
        written = torch.onnx.export(layer, (torch.zeros(2, 96),), dynamo=True)
    fold(written.model)
    graph = written.model_proto.graph
    constants = {each.name for each in graph.initializer}
    assert not [node.op_type for node in graph.node if set(node.input) <= constants]
    values = torch.randn(2, 96)
    (found,) = written(values)
    torch.testing.assert_close(found, layer(values))
