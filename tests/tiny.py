"""A tiny configuration for every system, small enough to train a few steps in a test."""

from collections.abc import Iterable
from typing import Any

import pytest

from i2icli.config import Config
from i2icli.fields import choices
from i2icli.registry import config_type

SHARED: dict[str, Any] = {"crop_size": 32, "steps": 4, "precision": "fp32", "perceptual": "off"}

TINY: dict[str, dict[str, Any]] = {
    "augmented_cyclegan": {
        "width": 4,
        "encoder_width": 4,
        "discriminator_width": 4,
        "discriminator_width_a": 4,
        "num_blocks": 1,
        "num_latents": 4,
        "batch_size": 2,
        "supervised_fraction": 0.5,
    },
    "pix2pix": {"width": 4, "discriminator_width": 4, "num_layers": 2, "num_blocks": 1, "depth": 3},
    "pix2pixhd": {
        "classes": tuple(f"{index} {index}" for index in range(14)),
        "instances": True,
        "grown": 1,
        "fade": 0.5,
        "preprocess": "resize-and-crop",
        "width": 4,
        "depth": 2,
        "num_blocks": 1,
        "num_enhancer_blocks": 1,
        "discriminator_width": 4,
        "num_layers": 2,
        "features": "instance",
        "encoder_width": 2,
        "encoder_depth": 2,
        "num_clusters": 3,
    },
    "vid2vid": {
        "channels": (1, 3),
        "preprocess": "resize-and-crop",
        "grown": 1,
        "clip_doublings": 0,
        "clip_length": 4,
        "frames_per_update": 2,
        "num_temporal_scales": 1,
        "width": 4,
        "depth": 2,
        "num_blocks": 2,
        "num_local_blocks": 1,
        "discriminator_width": 4,
        "num_layers": 2,
        "num_scales": 1,
    },
    "cyclegan": {"width": 4, "discriminator_width": 4, "num_layers": 2, "num_blocks": 1, "pool_size": 3},
    "spade": {
        "classes": tuple(f"{index} {index}" for index in range(14)),
        "instances": True,
        "width": 2,
        "num_levels": 2,
        "modulation_width": 4,
        "discriminator_width": 4,
        "num_layers": 2,
    },
    "combogan": {
        "domains": ("autumn", "night", "summer", "winter"),
        "width": 4,
        "discriminator_width": 4,
        "num_layers": 2,
        "num_blocks": 2,
        "pool_size": 3,
        "identity_weight": 1.0,
        "latent_weight": 1.0,
    },
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
    "stargan": {
        "width": 4,
        "discriminator_width": 4,
        "num_layers": 2,
        "num_blocks": 1,
        "critic_steps": 1,
        "domains": ("autumn", "night", "summer", "winter"),
    },
    "progan": {"width": 4, "num_latents": 8, "start_size": 8, "stage_images": 2, "fade_images": 4},
    "lapgan": {
        "width": 4,
        "discriminator_width": 4,
        "dense_width": 8,
        "dense_discriminator_width": 8,
        "optimizer": "adam",
        "lr": 2e-4,
    },
    "spectral_dcgan": {"width": 4, "num_latents": 8, "batch_size": 2},
    "paired_cyclegan": {"width": 4, "discriminator_width": 4, "num_layers": 2},
}
"""By the system's name: networks of width 4 with as few layers as make sense."""

LARGE = frozenset({"augmented_cyclegan", "combogan", "paired_cyclegan", "pix2pixhd", "spade", "vid2vid"})
"""Systems of many networks or layers, which take the longest."""


def with_large_ones_slow(names: Iterable[str]) -> list[Any]:
    """Names of systems for `parametrize`; with the large ones a test is a slow one."""
    return [pytest.param(name, marks=pytest.mark.slow) if name in LARGE else name for name in names]


STEPS_TO_REACH_ALL = {"combogan": 8}
"""Where a step touches only a part of the networks: steps until all had a turn with the synthetic batches."""


def tiny_config(name: str, **changes: Any) -> Config:
    """The tiny settings of a system with some fields changed: 32 px crops, 4 steps, fp32."""
    return config_type(name).model_validate(SHARED | TINY[name] | changes)


def image_by_image(name: str, norm: str) -> dict[str, Any]:
    """Settings that switch off what sees a batch as a whole or draws.

    Those are pools, dropout, batch norm, penalties and the mean spectrum of the real images; and spectral
    norms, which every forward pass changes. `norm` ("instance" or "none") is taken where a system knows it,
    otherwise none at all, or what it has beside batch norm.
    """
    fields = config_type(name).model_fields
    off: dict[str, Any] = {"pool_size": 0, "dropout": 0.0, "penalty_weight": 0.0, "stddev_group": 1}
    off |= {"first_frames": "real", "spectral_weight": 0.0, "spectral_norm": False}
    if "norm" in fields:
        known = choices(fields["norm"])
        off["norm"] = next(each for each in (norm, "none", "instance") if each in known)
    return {field: value for field, value in off.items() if field in fields}
