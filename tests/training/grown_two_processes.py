"""Run by torchrun from test_grown_anywhere.py: train grown networks as one of two processes, save them."""

import sys
from pathlib import Path

import torch

from i2icli.runtime.device import Placement
from i2icli.system import System
from i2icli.training.distributed import process_group, rank, world_size
from i2icli.training.run import build_system
from i2icli.training.trainer import Trainer
from tests.tiny import image_by_image, tiny_config
from tests.training.synthetic import batches


def train(name: str, how: str) -> System:
    """Two steps of a new level's beginning, two of the rest, with batches of four shared by the processes."""
    own = {"depth": 2} if name == "pix2pix" else {}
    changes = image_by_image(name, norm="none") | {"grown": 1, "how": how, "num_layers": 1} | own
    system = build_system(name, tiny_config(name, steps=4, batch_size=4, **changes)).double()
    source = batches(name, 4, rank=rank(), world=world_size(), dtype=torch.float64)
    Trainer(system, source, Placement(torch.device("cpu"))).fit()
    return system


if __name__ == "__main__":
    torch.set_num_threads(1)
    with process_group(torch.device("cpu")):
        for label in sys.argv[2:]:
            weights = dict(train(*label.split("-")).named_parameters())
            torch.save(weights, Path(sys.argv[1]) / f"{label}-{rank()}.pt")
