"""Random batches with the keys of a system, the same for any number of processes."""

from collections.abc import Callable, Iterator

import torch
from torch import Generator, Tensor

from i2icli.image.kinds import holds_ids
from i2icli.stage import Stage
from i2icli.system import Batch, Inputs, System
from i2icli.task import Port, Task
from tests.asking import ask

Maker = Callable[[Generator, int, int], Batch]
"""(generator, batch size, side in pixels) -> a batch; images in float64, cast by `batches`."""


def images(*names: str, channels: int = 3) -> Maker:
    """Batches of noise (B, C, side, side) in [-1, 1] under some names."""

    def make(generator: Generator, size: int, side: int) -> Batch:
        shape = (size, channels, side, side)
        return {name: torch.rand(shape, generator=generator, dtype=torch.float64) * 2 - 1 for name in names}

    return make


def classes_and_target(generator: Generator, size: int, side: int) -> Batch:
    """Batches of a labelled source and a target, in noise; labels are 0 to 6."""
    labels = torch.randint(7, (size,), generator=generator)  # (B,)
    return {"label": labels} | images("source", "target")(generator, size, side)


def two_of_four_domains(generator: Generator, size: int, side: int) -> Batch:
    """Batches of two domains, the same two in every row: "pair" (B, 2) and an image of each, in noise."""
    pair = torch.randperm(4, generator=generator)[:2].expand(size, 2)  # (B, 2)
    return {"pair": pair} | images("A", "B")(generator, size, side)


def one_of_four_domains(generator: Generator, size: int, side: int) -> Batch:
    """Batches of one domain each, in noise: then every order of a batch's labels is the same."""
    domain = int(torch.randint(4, (1,), generator=generator))
    label = torch.eye(4, dtype=torch.float64)[domain].expand(size, -1)  # (B, 4)
    return {"label_0": label} | images("image_0")(generator, size, side)


def images_with_codes(generator: Generator, size: int, side: int) -> Batch:
    """Batches of two domains, a known pair and a latent code of four numbers, in noise."""
    code = torch.randn(size, 4, generator=generator, dtype=torch.float64)  # (B, 4)
    return {"z_B": code} | images("A", "B", "paired_A", "paired_B")(generator, size, side)


def images_with_noise(generator: Generator, size: int, side: int) -> Batch:
    """Batches of noise, and the uniform noise that LAPGAN makes such pictures of: 8, 16 and 32 px."""
    drawn = torch.rand(size, 100 + 16**2 + 32**2, generator=generator, dtype=torch.float64)  # (B, Z)
    return {"noise": drawn * 2 - 1} | images("image")(generator, size, side)


def image_with_codes(generator: Generator, size: int, side: int) -> Batch:
    """Batches of an image and two latent codes of eight numbers, in noise."""
    codes = torch.randn(size, 2, 8, generator=generator, dtype=torch.float64)  # (B, 2, 8)
    return {"codes": codes} | images("image")(generator, size, side)


def labels_and_image(generator: Generator, size: int, side: int) -> Batch:
    """Batches of label maps of four classes, instance maps and photos, in noise of large pixels."""
    shape = (size, 1, side // 4, side // 4)
    maps = {
        "labels": torch.randint(4, shape, generator=generator),
        "instances": torch.randint(3, shape, generator=generator),
    }
    large = {name: ids.repeat_interleave(4, 2).repeat_interleave(4, 3) for name, ids in maps.items()}
    return large | images("image")(generator, size, side)


def clips_of_noise(generator: Generator, size: int, side: int, frames: int) -> Batch:
    """Batches of clips of noise and small flows of noise, two pixels at most; a half of them is sure."""

    def noise(*shape: int) -> Tensor:
        return torch.rand(size, frames, *shape, side, side, generator=generator, dtype=torch.float64)

    batch = {"source": noise(1) * 2 - 1, "frames": noise(3) * 2 - 1}
    for stride in (1, 3):
        batch[f"flow_{stride}"] = noise(2) * 4 - 2
        batch[f"confidence_{stride}"] = noise(1).round()
        for name in ("flow", "confidence"):
            batch[f"{name}_{stride}"][:, :stride] = 0
    return batch


CLIP_MAKERS: dict[str, Callable[[Generator, int, int, int], Batch]] = {"vid2vid": clips_of_noise}
"""Those of systems that learn from clips, by the number of their frames."""

MAKERS: dict[str, Maker] = {
    "pix2pix": images("source", "target"),
    "pix2pixhd": labels_and_image,
    "cyclegan": images("A", "B"),
    "augmented_cyclegan": images_with_codes,
    "spade": labels_and_image,
    "combogan": two_of_four_domains,
    "dtn": classes_and_target,
    "stargan": one_of_four_domains,
    "progan": image_with_codes,
    "lapgan": images_with_noise,
    "spectral_dcgan": image_with_codes,
    "paired_cyclegan": images("bare", "styled", "synthetic"),
}


def made(system: str, generator: Generator, size: int, stage: Stage, side: int) -> Batch:
    """A batch of `size` images or clips for a stage, `side` pixels square where it does not say."""
    side = stage.resolution or side
    if stage.clip_length is None:
        return MAKERS[system](generator, size, side)
    return CLIP_MAKERS[system](generator, size, side, stage.clip_length)


def inputs(task: Task, count: int = 2, side: int = 32) -> Inputs:
    """Noise for every input of a task, by the kind of its port, of its only size or (side, side)."""
    return {name: noise(port, count, side) for name, port in task.inputs.items()}


def noise(port: Port, count: int, side: int) -> Tensor:
    """(count, C, H, W): values in [-1, 1], or ids."""
    size = port.fixed or (side, side)
    if holds_ids(port.kind):
        return torch.randint(port.channels if port.kind == "labels" else 3, (count, 1, *size))
    return torch.rand(count, port.channels, *size) * 2 - 1


def output(system: System, task: Task, given: Inputs, count: int = 2) -> Tensor:
    """What a task makes of inputs (B, C, H, W), or of so many codes alone, with all that it requires."""
    count = len(next(iter(given.values()))) if given else count
    codes = torch.linspace(-1, 1, task.latent_size) * torch.arange(1, count + 1)[:, None]  # (B, Z)
    reference = None
    if task.reference is not None and "reference" in task.requires:
        values = torch.linspace(-1, 1, task.reference.channels * 32 * 32)
        reference = values.view(1, -1, 32, 32)  # (1, C, 32, 32)
    return ask(
        system,
        given or None,
        to=task.name,
        source=task.sources[-1] if "source" in task.requires else None,
        latent=codes if task.latent_size else None,
        reference=reference,
    )


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

    def endless(stage: Stage, start: int) -> Iterator[Batch]:
        k = start
        while True:
            generator = torch.Generator().manual_seed(k)
            share = slice(rank * size // world, (rank + 1) * size // world)
            whole = made(system, generator, size, stage, side)
            yield {
                key: values[share].to(dtype) if values.is_floating_point() else values[share]
                for key, values in whole.items()
            }
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
