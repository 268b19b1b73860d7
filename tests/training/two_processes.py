"""Run by torchrun from test_distributed.py: train a few steps as one of two processes, save what came out."""

import sys
from pathlib import Path

import torch

from i2icli.runtime.device import Placement
from i2icli.training.distributed import process_group, rank, world_size
from i2icli.training.run import build_system
from i2icli.training.trainer import Trainer
from tests.tiny import image_by_image, tiny_config
from tests.training.perceptual import loss_of, with_perceptual
from tests.training.synthetic import batches


def train(name: str, dtype: torch.dtype) -> Trainer:
    """Three steps of batch size 4 (each process takes its share); pools and dropout off: these differ.

    In fp32 without norms: a bias in front of one has no gradient but rounding, which Adam blows up.
    """
    double = dtype is torch.float64
    changes = image_by_image(name, norm="instance" if double else "none")
    changes |= with_perceptual(name) if double else {}
    config = tiny_config(name, steps=3, batch_size=4, **changes)
    system, perceptual = build_system(name, config).to(dtype), loss_of(config)
    if perceptual is not None:
        perceptual.to(dtype)
    source = batches(name, 4, rank=rank(), world=world_size(), dtype=dtype)
    trainer = Trainer(system, source, Placement(torch.device("cpu")), perceptual=perceptual)
    trainer.fit()
    return trainer


if __name__ == "__main__":
    torch.set_num_threads(1)
    folder = Path(sys.argv[1])
    with process_group(torch.device("cpu")):
        for name in sys.argv[2:]:
            for dtype in (torch.float32, torch.float64):
                trained = train(name, dtype)
                torch.save(
                    trained.system.state_dict(), folder / f"{name}-{dtype}-{rank()}.pt".replace("torch.", "")
                )
