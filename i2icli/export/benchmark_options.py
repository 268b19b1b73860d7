"""What `i2i benchmark` measures. No torch here."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from i2icli.config import Counts, Size


class BenchmarkOptions(BaseModel):
    """What is measured, and on what."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    size: Size = (256, 256)  # of the inputs
    batch_size: Counts = Field((1,), min_length=1)  # images of a forward pass, each of which is measured
    images: Path | None = None  # folder of images that accuracy is measured on; None: drawn scenes
    calibrate: Path | None = None  # folder of images that 8 bits are calibrated on; None: without 8 bits
    rounds: int = Field(5, ge=1, le=1000)  # times that each is measured
    threads: int | None = Field(None, ge=1, le=1024)  # of everything that computes; None: as torch has them
