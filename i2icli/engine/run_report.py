"""report.html of a run: curves, samples, settings; one file that opens offline."""

from i2icli.config import Config
from i2icli.engine.run_folder import RunFolder


def write_run_report(folder: RunFolder, system: str, config: Config) -> None:
    """Write the report from what the run folder holds."""
