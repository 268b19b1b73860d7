"""Whether a run may go on with other settings, and how a refusal says it."""

from typing import Any

import pytest

from i2icli.errors import UserError
from i2icli.training.resume_check import STATE_FORMAT, check_resumable
from i2icli.training.run_folder import RunFolder
from tests.tiny import tiny_config


@pytest.mark.parametrize(
    ("setting", "before", "now", "said"),
    [
        (
            "discriminator_norm",
            "instance",
            None,
            "without --discriminator-norm; this cannot be changed later: add --discriminator-norm instance, ",
        ),
        (
            "discriminator_norm",
            None,
            "none",
            "--discriminator-norm none; this cannot be changed later: leave out --discriminator-norm, ",
        ),
        (
            "flip",
            False,
            True,
            "with --no-flip, not with --flip; this cannot be changed later: add --no-flip, ",
        ),
        ("flip", True, False, "with --flip, not with --no-flip; this cannot be changed later: add --flip, "),
    ],
)
def test_a_setting_that_is_not_given_is_told_in_words(
    setting: str, before: Any, now: Any, said: str, tmp_path: Any
) -> None:
    state = {
        "format": STATE_FORMAT,
        "name": "combogan",
        "config": tiny_config("combogan", **{setting: before}).model_dump(mode="json"),
    }
    with pytest.raises(UserError, match=said):
        check_resumable(state, "combogan", tiny_config("combogan", **{setting: now}), RunFolder(tmp_path))


@pytest.mark.parametrize(
    ("before", "now", "stage", "said"),
    [
        (
            {"lrs": (), "batch_sizes": ()},
            {"lrs": ("8:0.002",), "batch_sizes": ("8:2",)},
            "8 px",
            "without --batch-sizes and without --lrs, now with --batch-sizes 8:2 and with --lrs 8:0.002; ",
        ),
        (
            {"crop_size": 32, "batch_sizes": ("16:4",)},
            {"crop_size": 16, "batch_sizes": ()},
            "32 px, fading in",
            "--crop-size 32 and with --batch-sizes 16:4, now with --crop-size 16 and without --batch-sizes",
        ),
    ],
)
def test_stages_that_would_change_are_told_in_words(
    before: dict[str, Any], now: dict[str, Any], stage: str, said: str, tmp_path: Any
) -> None:
    state = {
        "format": STATE_FORMAT,
        "name": "progan",
        "config": tiny_config("progan", **before).model_dump(mode="json"),
        "clock": {"stage": stage, "step": 1, "total": 1},
    }
    with pytest.raises(UserError, match=said):
        check_resumable(state, "progan", tiny_config("progan", **now), RunFolder(tmp_path))
