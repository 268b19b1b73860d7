"""Random batches with the keys of a system, the same for any number of processes."""

from collections.abc import Iterator

import torch

from i2icli.system import Batch, Stage

KEYS = {"pix2pix": ("source", "target"), "cyclegan": ("A", "B")}


def batches(
    system: str,
    size: int,
    *,
    rank: int = 0,
    world: int = 1,
    dtype: torch.dtype = torch.float32,
    side: int = 32,
):
    """A `Batches` for the trainer: batch k of `size` images follows from k alone; this rank's share of it."""

    def endless(_stage: Stage, start: int) -> Iterator[Batch]:
        k = start
        while True:
            generator = torch.Generator().manual_seed(k)
            share = slice(rank * size // world, (rank + 1) * size // world)
            whole = {
                key: torch.rand(size, 3, side, side, generator=generator, dtype=torch.float64) * 2 - 1
                for key in KEYS[system]
            }
            yield {key: images[share].to(dtype) for key, images in whole.items()}
            k += 1

    return endless


def assert_same(a: dict[str, object], b: dict[str, object], tolerance: float = 0.0) -> None:
    """Every tensor of two nested states equal, exactly or within a tolerance."""
    assert a.keys() == b.keys()
    for key, value in a.items():
        other = b[key]
        if isinstance(value, torch.Tensor):
            if tolerance:
                torch.testing.assert_close(
                    value, other, rtol=0, atol=tolerance, msg=lambda text, key=key: f"{key}: {text}"
                )
            else:
                assert torch.equal(value, other), (
                    f"{key} differs by {(value.double() - other.double()).abs().max()}"
                )
        elif isinstance(value, dict):
            assert_same(value, other, tolerance)
        elif isinstance(value, list) and value and isinstance(value[0], torch.Tensor):
            assert_same(dict(enumerate(value)), dict(enumerate(other)), tolerance)
        else:
            assert value == other, key
