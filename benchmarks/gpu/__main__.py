"""Does everything work on a GPU, and how fast? In under four minutes, small parts first.

    python -m benchmarks.gpu [--limit 200] [--device cuda|cpu] [--quick]

A training step and the default task of every system in fp32, bf16 and fp16, resuming, compiled
networks, channels-last, two processes where there are two GPUs, and any tests marked cuda. Each line
says PASS, FAIL or SKIP, the speed as a ratio to eager fp32 on the same device, and the largest
difference to the CPU's fp32 results; at the end they stand in a table for docs/performance.md. Exit
code 1 if anything failed. `--device cpu --quick` rehearses all of it without a GPU.
"""

import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import torch

from benchmarks.gpu.cases import KINDS, Case
from benchmarks.gpu.outcomes import Check, Outcome, count, run, table
from benchmarks.gpu.running import Running
from benchmarks.gpu.stepping import Stepping
from benchmarks.gpu.translating import Translating
from benchmarks.lib.arguments import argument_parser

PRECISIONS = ("fp32", "bf16", "fp16")
COMPILED = ("pix2pix", "cyclegan")


def checks(device: torch.device, work: Path, *, quick: bool) -> Iterator[Check]:
    """All checks, small ones first. Data and networks are made as they are asked for."""
    times = {"rounds": 1, "steps": 1} if quick else {"rounds": 5, "steps": 5}
    stepping = Stepping(device, **times)
    translating = Translating(device, rounds=times["rounds"], passes=times["steps"])
    running = Running(device, work)
    cases = {name: Case(name, work, quick=quick) for name in KINDS}
    for precision in PRECISIONS:
        for case in cases.values():
            yield stepping.precision(case, precision)
            yield translating.precision(case, precision)
    yield from (running.resumed(cases[name]) for name in ("pix2pix", "progan"))
    yield stepping.layout(cases["cyclegan"])
    yield running.shared(cases["pix2pix"])
    yield from (stepping.compiled(cases[name]) for name in COMPILED)
    yield running.tests(seconds=90)


def main(arguments: Sequence[str] | None = None) -> int:
    """Check, print, and say by the exit code whether all is well."""
    parser = argument_parser(__doc__, "benchmarks.gpu")
    parser.add_argument("--limit", type=float, default=200, help="seconds after which no check starts")
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda")
    parser.add_argument("--quick", action="store_true", help="tiny networks, timed once: a rehearsal")
    given = parser.parse_args(arguments)
    if given.device == "cuda" and not torch.cuda.is_available():
        print("no CUDA device found; --device cpu --quick rehearses without one", file=sys.stderr)
        return 2
    device, deadline = torch.device(given.device), time.monotonic() + given.limit
    outcomes: list[Outcome] = []
    with tempfile.TemporaryDirectory() as work:
        for check in checks(device, Path(work), quick=given.quick):
            outcomes.append(run(check, deadline))
            print(outcomes[-1].line(), flush=True)
    print(f"\n{about(device)}\n", *table(outcomes), f"\n{count(outcomes)}", sep="\n")
    return any(outcome.status == "FAIL" for outcome in outcomes)


def about(device: torch.device) -> str:
    """What it ran on."""
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else "CPU"
    return f"{name}, torch {torch.__version__}, CUDA {torch.version.cuda or 'none'}"


if __name__ == "__main__":
    raise SystemExit(main())
