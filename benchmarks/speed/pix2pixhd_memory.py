"""Peak memory of translating one large label map with pix2pixHD, over that of its weights.

    python -m benchmarks.speed.pix2pixhd_memory [--size 2048x1024] [--width 64] [--enhancers 1]

Networks of the paper's size that were not trained, 35 classes and boundaries, on the CPU. Each measurement is
a process of its own: the input built of one-hot planes all at once, as in the authors' program, in fp32; and
`i2i translate` in fp32 and bf16. Printed are the resident memory of the process with the weights, what the
translation adds at its peak, and the seconds it takes.
"""

import json
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor
from torch.nn.functional import one_hot

from benchmarks.lib.arguments import argument_parser
from i2icli.classes import numbered
from i2icli.inference.inference import Inference
from i2icli.inference.options import TranslateOptions
from i2icli.nn.label_maps import boundaries
from i2icli.registry import config_type
from i2icli.runtime.device import Placement
from i2icli.training.run import build_system

CLASSES = 35
PATCH = 32  # pixels of a class side by side
PRECISIONS = {"plain": None, "fp32": None, "bf16": torch.bfloat16}


def label_map(height: int, width: int) -> Tensor:
    """(1, 1, H, W) class indices in patches."""
    torch.manual_seed(0)
    patches = torch.randint(CLASSES, (1, 1, height // PATCH, width // PATCH))
    return patches.repeat_interleave(PATCH, 2).repeat_interleave(PATCH, 3)


def memory(field: str) -> float:
    """GB of this process, by the name of a line in /proc/self/status."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(field)) / 2**20


def measure(kind: str, size: str, width: int, enhancers: int) -> dict[str, float]:
    """GB with the weights, GB more at the peak, and seconds, of one translation in this process."""
    torch.set_num_threads(1)
    config = config_type("pix2pixhd")(
        classes=numbered(CLASSES), crop_size=size, width=width, grown=enhancers, grown_before=enhancers
    )
    system = build_system("pix2pixhd", config).eval().requires_grad_(False)
    system.D = torch.nn.Identity()  # is not part of a published model
    dtype = PRECISIONS[kind]
    inference = Inference(
        system, Placement(torch.device("cpu"), dtype, channels_last=dtype is not None), Path()
    )
    labels = label_map(*config.crop_size)
    (spec,) = inference.specs(TranslateOptions())
    before = memory("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")  # forget the peak of building the networks
    start = time.process_time()
    if kind == "plain":
        with torch.inference_mode():
            planes = one_hot(labels[:, 0], CLASSES).movedim(-1, 1).float()
            system.G(torch.cat([planes, boundaries(labels)], 1))
    else:
        inference.compute({"labels": labels}, spec)
    seconds = time.process_time() - start
    return {"weights": before, "more": memory("VmHWM") - before, "seconds": seconds}


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argument_parser(__doc__, __spec__.name)
    parser.add_argument("--size", default="2048x1024")
    parser.add_argument("--width", type=int, default=64)
    parser.add_argument("--enhancers", type=int, default=1)
    parser.add_argument("--only", choices=PRECISIONS, help="measure in this process and print it as JSON")
    options = parser.parse_args(arguments)
    if options.only:
        print(json.dumps(measure(options.only, options.size, options.width, options.enhancers)))
        return
    shared = ["--size", options.size, "--width", str(options.width), "--enhancers", str(options.enhancers)]
    for kind in PRECISIONS:
        command = [sys.executable, "-m", __spec__.name, *shared, "--only", kind]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(done.stderr)
        found = json.loads(done.stdout)
        print(
            f"{kind:6} {options.size}: {found['weights']:.2f} GB with the weights, "
            f"{found['more']:.2f} GB more at the peak, {found['seconds']:.1f} s"
        )


if __name__ == "__main__":
    main()
