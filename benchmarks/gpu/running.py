"""Whole runs on a device: resumed ones, several processes, and the tests that need a GPU."""

import os
import signal
import subprocess
import sys
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor

from benchmarks.gpu.cases import Case
from benchmarks.gpu.outcomes import Check, Figures, SkippedError
from i2icli.config import Config, RunOptions
from i2icli.training.callbacks import NoCallbacks, Progress
from i2icli.training.run import train

LIMIT = 1e-3  # of a weight after a few steps: kernels of a GPU need not sum in the same order twice
TESTS = Path(__file__).parents[2] / "tests" / "test_cuda.py"


class _StopAfter(NoCallbacks):
    """Asks the run to stop, as Ctrl-C does, once a step is done."""

    def __init__(self, step: int) -> None:
        self.step = step

    def progress(self, progress: Progress) -> None:
        if progress.step == self.step:
            os.kill(os.getpid(), signal.SIGTERM)


class Running:
    """Checks of runs on one device; their folders lie in `work`."""

    def __init__(self, device: torch.device, work: Path) -> None:
        self.device, self.work = device, work

    def resumed(self, case: Case) -> Check:
        """A run that was stopped against one that was not."""
        return Check(f"resume, {case.name}", partial(self._resumed, case))

    def shared(self, case: Case) -> Check:
        """Two processes."""
        return Check(f"two processes, {case.name}", partial(self._shared, case))

    def tests(self, seconds: int) -> Check:
        """The tests marked cuda."""
        return Check("tests marked cuda", partial(self._tests, seconds))

    def _train(
        self,
        case: Case,
        name: str,
        config: Config | None = None,
        stop: int | None = None,
        **options: int,
    ) -> dict[str, Tensor]:
        chosen = RunOptions(out=self.work / name, device=self.device.type, **options)  # type: ignore[arg-type]
        callbacks = NoCallbacks() if stop is None else _StopAfter(stop)
        train(case.name, [case.folder], config or case.config, chosen, callbacks)
        return load_file(self.work / name / "model.safetensors")

    def _resumed(self, case: Case) -> Figures:
        whole = self._train(case, f"{case.name}-whole")
        self._train(case, f"{case.name}-halves", stop=2)
        halves = self._train(case, f"{case.name}-halves")
        worst = max(float((whole[name].float() - halves[name].float()).abs().max()) for name in whole)
        exact = all(torch.equal(whole[name], halves[name]) for name in whole)
        return Figures(
            worst <= LIMIT,
            difference=f"{worst:.1e} to the uninterrupted run, limit {LIMIT:g}",
            remark="exact to the bit" if exact else "",
        )

    def _shared(self, case: Case) -> Figures:
        if self.device.type == "cuda" and torch.cuda.device_count() < 2:
            raise SkippedError("one GPU")
        even = case.config.model_copy(update={"batch_size": 2})
        weights = self._train(case, f"{case.name}-shared", even, devices=2)
        finite = all(bool(value.isfinite().all()) for value in weights.values())
        return Figures(finite, remark="finite weights" if finite else "weights that are not finite")

    def _tests(self, seconds: int) -> Figures:
        if self.device.type != "cuda":
            raise SkippedError("they need a GPU")
        if find_spec("pytest") is None or not TESTS.exists():
            raise SkippedError("pytest or the tests are missing")
        command = [sys.executable, "-m", "pytest", "-q", "-m", "cuda", "-n", "0", str(TESTS)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=seconds, cwd=TESTS.parents[1])
        lines = (done.stdout.strip().splitlines() or ["no output"])[-1]
        return Figures(done.returncode == 0, remark=lines)
