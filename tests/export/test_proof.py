"""What counts as proven."""

from collections.abc import Callable

import numpy as np
import pytest
import torch

from i2icli.export.content import Scenes
from i2icli.export.parts import Part, parts_of
from i2icli.export.proof import Proof, Trial, prove
from i2icli.request import Arrays
from i2icli.system import System
from tests.export.models import lively

BY = 1e-3  # a difference
"""Far more than the rounding of tiny networks."""


def main_part(system: System) -> Part:
    return parts_of(system, system.config.tasks(system.clock.stage)[:1])[-1]


def differing(system: System, part: Part, by: float) -> Callable[[Arrays], Arrays]:
    """What runs a graph that differs from its model."""

    def run(arrays: Arrays) -> Arrays:
        with torch.no_grad():
            found = part.compute(system, {name: torch.from_numpy(each) for name, each in arrays.items()})
        return {name: each.numpy() + np.float32(by) for name, each in found.items()}

    return run


@pytest.mark.parametrize(("side", "by", "proven"), [(32, BY, False), (256, BY, True), (256, 10 * BY, False)])
def test_large_maps_may_differ_more(side: int, by: float, proven: bool):
    system = lively("cyclegan")
    part = main_part(system)
    trial = Trial({"batch": 1, "height": side, "width": side}, Scenes(), 0)
    proof: Proof = prove(part, system, differing(system, part, by), [trial], exact=True)
    assert proof.difference == pytest.approx(by, rel=1e-3)
    assert (proof.excess <= 1) is proven
