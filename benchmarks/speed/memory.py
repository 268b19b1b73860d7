"""Peak memory of a training step against the classic loop, and memory growth over a long run.

    python -m benchmarks.speed.memory [--steps 1000]

Each in a separate process: a CycleGAN step (ResNet-9, 64 filters, 128 px) in the classic loop and in the
engine (fp32 and auto); and the engine's resident memory after 200 and after --steps steps of a small CycleGAN
with data, image pools, logging, sample sheets and checkpoints. Printed are ratios of resident memory.
"""

import subprocess
import sys
import tempfile
from collections.abc import Sequence

from benchmarks.lib.arguments import argument_parser

STEP = """
import resource, torch
torch.set_num_threads(2)
batch = {{name: torch.rand(1, 3, 128, 128) * 2 - 1 for name in "AB"}}
if {kind!r} == "classic":
    from benchmarks.lib.classic import ClassicCycleGAN
    classic = ClassicCycleGAN()
    work = lambda: classic.step(batch["A"], batch["B"])
else:
    from benchmarks.speed.train_step import cyclegan_step
    work = cyclegan_step({kind!r}, batch)
for _ in range(4):
    work()
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""

LONG = """
import os, sys
from pathlib import Path
import i2icli
from i2icli.demo.toy.scenes import write_unpaired
from i2icli.training.callbacks import NoCallbacks

class Sizes(NoCallbacks):
    def progress(self, progress):
        if progress.step in (200, {steps}):
            pages = int(Path("/proc/self/statm").read_text().split()[1])
            print(pages * os.sysconf("SC_PAGE_SIZE") // 1024)

folder = Path({folder!r})
write_unpaired(folder / "data", 60, 4)
i2icli.train(
    "cyclegan", folder / "data", out=folder / "run", steps={steps}, crop_size=32, width=4, num_blocks=2,
    discriminator_width=4, num_layers=2, sample_every=100, validate_every=100, save_every="2s",
    callbacks=Sizes(),
)
"""


def printed(code: str) -> list[int]:
    """The numbers (KiB) printed by a program."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(done.stderr)
    return [int(line) for line in done.stdout.split()]


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argument_parser(__doc__, __spec__.name)
    parser.add_argument("--steps", type=int, default=1000)
    steps = parser.parse_args(arguments).steps
    (classic,) = printed(STEP.format(kind="classic"))
    for kind in ("fp32", "auto"):
        (peak,) = printed(STEP.format(kind=kind))
        print(f"peak of training, i2i {kind:5} / classic: {peak / classic:.2f} ({peak / 2**20:.2f} GB)")
    with tempfile.TemporaryDirectory() as folder:
        early, late = printed(LONG.format(folder=folder, steps=steps))
    print(f"resident memory after {steps} steps / after 200: {late / early:.3f}")


if __name__ == "__main__":
    main()
