"""Small ComboGANs and batches for the tests of it."""

from typing import Any

import torch
from torch import Tensor

from i2icli.systems.combogan.config import ComboGANConfig
from i2icli.systems.combogan.system import ComboGAN, module_name
from tests.tiny import tiny_config

SEASONS = ("autumn", "night", "summer", "winter")


def settings(**changes: Any) -> ComboGANConfig:
    """The tiny settings with some fields changed."""
    config = tiny_config("combogan", **changes)
    assert isinstance(config, ComboGANConfig)
    return config


def all_found(**changes: Any) -> ComboGANConfig:
    """The tiny settings that name no domains: all of the data's are used."""
    given = settings(**changes)
    return ComboGANConfig.model_validate(
        {name: getattr(given, name) for name in given.model_fields_set - {"domains"}}
    )


def tiny(**changes: Any) -> ComboGAN:
    """A tiny system in training mode."""
    torch.manual_seed(0)
    return ComboGAN(settings(**changes)).train()


def two_domains(first: int, second: int, channels: int = 3) -> dict[str, Tensor]:
    """A batch of two pictures each of two of the four domains."""
    torch.manual_seed(1)
    A, B = (torch.rand(2, channels, 32, 32) * 2 - 1 for _ in range(2))
    return {"pair": torch.tensor([[first, second]] * 2), "A": A, "B": B}


def of_domain(system: ComboGAN, name: str) -> dict[str, Tensor]:
    """Weights and buffers of one domain's networks."""
    return {key: value.clone() for key, value in system.state_dict().items() if module_name(name) in key
            and isinstance(value, Tensor)}  # fmt: skip
