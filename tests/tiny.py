"""A tiny configuration for every system, small enough to train a few steps in a test."""

from typing import Any

from i2icli.config import Config
from i2icli.registry import config_type

SHARED: dict[str, Any] = {"crop_size": 32, "steps": 4, "precision": "fp32"}

TINY: dict[str, dict[str, Any]] = {
    "pix2pix": {"width": 4, "discriminator_width": 4, "num_layers": 2, "num_blocks": 1, "depth": 3},
    "cyclegan": {"width": 4, "discriminator_width": 4, "num_layers": 2, "num_blocks": 1, "pool_size": 3},
    "dtn": {
        "width": 4,
        "generator_width": 4,
        "discriminator_width": 4,
        "num_features": 8,
        "num_blocks": 2,
        "feature_steps": 1,
        "batch_size": 2,
        "classes": tuple("0123456"),
    },
    "paired_cyclegan": {"width": 4, "discriminator_width": 4, "num_layers": 2},
}
"""By the system's name: networks of width 4 with as few layers as make sense."""


def tiny_config(name: str, **changes: Any) -> Config:
    """The tiny settings of a system with some fields changed: 32 px crops, 4 steps, fp32."""
    return config_type(name).model_validate(SHARED | TINY[name] | changes)
