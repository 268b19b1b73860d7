"""What a run will need of the machine: reported before it begins."""

from dataclasses import dataclass
from pathlib import Path

import torch

from i2icli.config import Config, RunOptions
from i2icli.data.examples import DataFolder
from i2icli.training.callbacks import Callbacks
from i2icli.training.distributed import is_main, world_size
from i2icli.training.outlook import Outlook, machine_of, memory_line, too_large_line
from i2icli.training.plan import plan_of

LARGE = 128 * 128  # pixels of a batch; fewer fit everywhere


@dataclass(frozen=True)
class Prospect:
    """A run that is about to start, or to resume."""

    system: str
    data: DataFolder
    config: Config
    folder: Path
    device: torch.device

    def outlook(self, options: RunOptions, callbacks: Callbacks, *, show_plan: bool) -> Outlook:
        """What measures the time that is left; memory that does not suffice is reported first."""
        machine, costs = machine_of(self.system, self.config, self.device, world_size()), None
        if is_main() and (show_plan or self._is_large()):
            planned = plan_of(self.system, self.data, self.config, self.folder, world_size())
            costs = [float(max(1, stage.flops)) for stage in planned.stages]
            if show_plan:
                callbacks.planned(planned.stages)
            if line := too_large_line(planned.memory_bytes, machine, planned.largest.smaller):
                callbacks.warn(line)
            else:
                callbacks.note(f"memory of a step: {memory_line(planned.memory_bytes, machine)}")
        return Outlook(self.config.stages(), machine, costs, options.time_limit)

    def _is_large(self) -> bool:
        height, width = self.config.crop_size
        return self.config.batch_size * height * width >= LARGE
