"""`i2i info DETECTOR`: a file of `i2i detector fit` in words."""

from pathlib import Path
from typing import TYPE_CHECKING

from i2icli.errors import print_number

if TYPE_CHECKING:
    from i2icli.detector.serialization import DetectorInfo


def detector_in(path: Path) -> "DetectorInfo | None":
    """What a detector file says of itself; None for any other file.

    Raises UserError for a detector that is damaged or of a newer version.
    """
    from i2icli.metadata import describes_itself

    if path.is_dir() or path.suffix.lower() != ".safetensors" or describes_itself(path):
        return None
    from i2icli.detector.serialization import is_detector, load

    return load(path)[0] if is_detector(path) else None  # its arrays are few and small


def detector_facts(path: Path, info: "DetectorInfo") -> dict[str, str]:
    """What it is, what it was fitted to and how good it was on images that it was not fitted to."""
    scores = ", ".join(f"{name} {print_number(value)}" for name, value in info.scores.items())
    lines = {
        "file": str(path),
        "detector": f"{info.name} of {info.features}, for i2i detect-fake --model",
        "written by": f"i2icli {info.version}",
        "fitted to": f"{info.reals:,} real and {info.fakes:,} fake images, {', '.join(info.formats)}",
        "image sides": f"{info.smallest:,} to {info.largest:,} px",
        "training data": info.fitted_on,
        "verdict": f"real up to a probability of {print_number(info.real_below)}, fake from "
        f"{print_number(info.fake_above)}, else uncertain",
        "held-out scores": scores,
    }
    return {name: text for name, text in lines.items() if text}
