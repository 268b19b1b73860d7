"""Whether a run may go on with other settings, and how a refusal says it."""

from typing import Any

import pytest

from i2icli.engine.run_folder import RunFolder
from i2icli.engine.same_run import STATE_FORMAT, check_same
from i2icli.errors import UserError
from tests.tiny import tiny_config


@pytest.mark.parametrize(
    ("setting", "before", "now", "said"),
    [
        (
            "discriminator_norm",
            "instance",
            None,
            "not without --discriminator-norm, and that cannot change; add --discriminator-norm instance, ",
        ),
        (
            "discriminator_norm",
            None,
            "none",
            "not with --discriminator-norm none, and that cannot change; leave out --discriminator-norm, ",
        ),
        ("flip", False, True, "with --no-flip, not with --flip, and that cannot change; add --no-flip, "),
        ("flip", True, False, "with --flip, not with --no-flip, and that cannot change; add --flip, "),
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
        check_same(state, "combogan", tiny_config("combogan", **{setting: now}), RunFolder(tmp_path))
