"""The layers in an .onnx: that they only compute, and that constants do not ask for absurd sizes."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from math import prod

from i2icli.graphs.graph_file import MOST_ELEMENTS, UnsafeError
from i2icli.graphs.onnx_tensors import SMALL, Tensor, Tensors
from i2icli.graphs.wire import Fields, Kind, Span, Wire

REFUSED = frozenset({"Loop", "If", "Scan", "SequenceMap", "Bernoulli", "Multinomial", "PyOp", "EPContext"})
"""Operators that repeat others, draw, or reach outside the graph."""
RANDOM = "Random"
SHAPED = {"ConstantOfShape": 0, "Expand": 1, "Tile": 1, "Resize": 3, "Upsample": 1, "Pad": 1, "OneHot": 1}
SHAPED |= {"EyeLike": 0, "Reshape": 1, "Range": 1}
"""Operators that make something as large as one of their inputs says, and which."""

KEEPING = frozenset(
    {"Constant", "Identity", "Cast", "QuantizeLinear", "DequantizeLinear", "Neg", "Reshape", "Squeeze"}
    | {"Unsqueeze", "Transpose", "Flatten"}
)
"""Operators whose output has no more numbers than their first input: all that constants may be made into, as
runtimes compute that while they load. An export has done the rest already."""

_NODE: dict[int, Kind] = {1: "texts", 2: "texts", 4: "bytes", 5: "messages", 7: "bytes"}
_ATTRIBUTE: dict[int, Kind] = {1: "bytes", 5: "message", 6: "message", 8: "numbers", 10: "messages"}
_ATTRIBUTE |= {11: "messages", 22: "message", 23: "messages"}
_TENSOR, _GRAPH, _INTEGERS, _TENSORS = 5, 6, 8, 10
_REFUSED_KINDS = (_GRAPH, 11, 22, 23)  # graphs, sparse tensors


class Nodes:
    """The layers of a graph."""

    def __init__(
        self,
        wire: Wire,
        tensors: Tensors,
        constants: Mapping[str, Tensor],
        inputs: Iterable[str],
        check_domain: Callable[[str], None],
    ) -> None:
        self.wire, self.tensors, self.check_domain = wire, tensors, check_domain
        self.small = {name: each.values for name, each in constants.items() if each.values is not None}
        self.given = set(constants)  # constants that the file holds
        self.made: set[str] = set()  # those that are made of constants
        self.known = {"", *constants, *inputs}  # an empty name stands for an input that is left out

    def check(self, nodes: Sequence[Span]) -> None:
        """Raise UnsafeError or WireError for a layer that no graph of ours has."""
        for each in nodes:
            self._check(self.wire.read(each, _NODE))

    def _check(self, node: Fields) -> None:
        operator, domain = (self.wire.text(node[at][0], 200) if at in node else "" for at in (4, 7))
        reads, gives = ([self.wire.text(name, 1000) for name in node.get(at, [])] for at in (1, 2))
        self.check_domain(domain)
        if operator in REFUSED or operator.startswith(RANDOM):
            raise UnsafeError(f"it holds the operator {operator}; a graph of ours neither repeats nor draws")
        if any(name in self.known for name in gives if name) or not self.known.issuperset(reads):
            raise UnsafeError(f"its operator {operator[:40]!r} is out of order")
        self.known.update(gives)
        for each in node.get(5, []):
            assert isinstance(each, Span)  # by the kind of the field
            values = self._attribute(self.wire.read(each, _ATTRIBUTE), operator)
            if values is not None and operator == "Constant":
                self.small.update(dict.fromkeys(gives, values))
        self._check_size(operator, reads, gives)

    def _check_size(self, operator: str, reads: Sequence[str], gives: Sequence[str]) -> None:
        """Raise UnsafeError for what asks for more numbers than the file could mean."""
        sizes = reads[SHAPED[operator]] if len(reads) > SHAPED.get(operator, len(reads)) else ""
        if prod(max(1, abs(value)) for value in self.small.get(sizes, ())) > MOST_ELEMENTS:
            raise UnsafeError(f"its {operator} asks for more than {MOST_ELEMENTS:,} numbers")
        if operator == "Constant":
            self.given.update(gives)
            return
        if all(not name or name in self.given or name in self.made for name in reads):
            if operator not in KEEPING and not (operator in SHAPED and self.made.isdisjoint(reads)):
                raise UnsafeError(
                    f"its operator {operator[:40]!r} only reads constants; an export computes that"
                )
            self.made.update(gives)

    def _attribute(self, attribute: Fields, operator: str) -> tuple[int, ...] | None:
        """The whole numbers of an attribute, if it holds a few."""
        if any(number in attribute for number in _REFUSED_KINDS):
            raise UnsafeError(f"its operator {operator[:40]!r} holds graphs of its own, or sparse tensors")
        for each in attribute.get(_TENSORS, []):
            assert isinstance(each, Span)  # as above
            self.tensors.read(each)
        if _TENSOR in attribute:
            value = attribute[_TENSOR][0]
            assert isinstance(value, Span)  # as above
            return self.tensors.read(value).values
        integers = attribute.get(_INTEGERS, [])
        length = sum(len(each) if isinstance(each, Span) else 1 for each in integers)
        return tuple(self.wire.integers(integers, length)) if 0 < length <= 10 * SMALL else None
