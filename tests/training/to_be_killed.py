"""A run of a tiny system that saves all the time: `python -m tests.training.to_be_killed SYSTEM DATA OUT`.

A fourth word is the most bytes that a file may have, as if the disk were full.
"""

import sys
from pathlib import Path

from i2icli.config import RunOptions
from i2icli.errors import UserError
from i2icli.training.run import train
from tests.tiny import tiny_config

STEPS = 300
_FEWER_STEPS = {"vid2vid": 60}
"""Steps of a system whose step takes as long as many of others."""
_STAGED = {"progan": {"stage_images": 120, "fade_images": 120}}
"""Systems whose stages make the number of steps."""


def run(name: str, data: Path, out: Path) -> int:
    """Train to the end or until stopped: the exit code."""
    config = tiny_config(
        name,
        steps=_FEWER_STEPS.get(name, STEPS),
        batch_size=2,
        ema=0.9,
        load_size=36,
        holdout=0.0,
        **_STAGED.get(name, {}),
    )
    options = RunOptions(
        out=out, threads=1, save_every=0.1, log_every=3, sample_every=40, validate_every=70, validate_images=2
    )
    try:
        return 0 if train(name, [data], config, options).finished else 130
    except UserError as error:
        sys.stderr.write(f"error: {error}\n")
        return error.exit_code


if __name__ == "__main__":
    _, name, data, out, *most = sys.argv
    if most:
        import resource

        resource.setrlimit(resource.RLIMIT_FSIZE, (int(most[0]), int(most[0])))
    sys.exit(run(name, Path(data), Path(out)))
