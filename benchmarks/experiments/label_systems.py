"""Does the label map in every normalisation layer help? SPADE and pix2pixHD against pix2pix on the same data.

    python -m benchmarks.experiments.label_systems DATA --out label_systems [--steps 2000]
        [--systems spade pix2pixhd pix2pix] [--set batch_size=4 ...]

DATA: a folder with label maps and photos in train/ and test/ (benchmarks/experiments/*_labels.py write such).
SPADE is trained for --steps steps with its `small` recipe, the others with theirs for as many operations
(counted on the meta device, stage by stage). pix2pix reads the label maps in the colours of their classes.
All without perceptual loss, with the same seed.

Printed for the photos generated from the test label maps, beside the real ones: pixel accuracy and mean IoU
by the segmentation network that SPADE's run trained on the real training photos; the feature distance to the
real training photos (benchmarks/lib/feature_distance.py); PSNR. Finished runs are not repeated and stopped
ones resumed, so the same command goes on.
"""

import argparse
import shutil
from collections.abc import Sequence
from pathlib import Path

from benchmarks.experiments.label_scores import LabelScorer, pairs
from benchmarks.lib.arguments import argument_parser
from benchmarks.lib.feature_distance import RealFeatures
from benchmarks.lib.images import read_batch
from i2icli.config import Config, RunOptions
from i2icli.image import DecodedImage, FileItem, kinds, write_image
from i2icli.image.finding import find_images
from i2icli.inference.options import TranslateOptions
from i2icli.inference.translator import Translator
from i2icli.metadata import read_metadata
from i2icli.recipe import resolve_config
from i2icli.runs import find_model
from i2icli.scores import mean_iou, pixel_accuracy, psnr
from i2icli.task import Port
from i2icli.training.plan import plan
from i2icli.training.run import train

PAIRED = "pix2pix"  # reads pairs of images, not label maps
FIRST = "spade"  # its operations are what the others get


def main(arguments: Sequence[str] | None = None) -> None:
    """Train what is not trained, translate, print a row for each system."""
    parser = argument_parser(__doc__, __spec__.name)
    parser.add_argument("data", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("--systems", nargs="+", choices=(FIRST, "pix2pixhd", PAIRED), default=[FIRST, PAIRED])
    parser.add_argument("--set", action="append", default=[], help="setting=value of every system")
    options = parser.parse_args(arguments)
    print_scores(options, trained(options))


def trained(options: argparse.Namespace) -> dict[str, Path]:
    """The run folders of all systems, SPADE's always among them."""
    found: dict[str, Path] = {}
    budget = 0.0
    for system in dict.fromkeys((FIRST, *options.systems)):
        config = settings(system, options)
        data = options.data
        if system == PAIRED:
            data = options.out / "pairs"
            write_pairs(options.data, data, found[FIRST])
        spent = operations(system, data, config)
        if system == FIRST:
            budget = spent
        config = config.with_found({"steps": round(options.steps * budget / spent)})
        result = train(system, [data], config, RunOptions(out=options.out / system, sample_every=10**6))
        if not result.finished:
            raise SystemExit(f"stopped at step {result.step} of {result.steps}; the same command goes on")
        found[system] = result.folder
    return found


def settings(system: str, options: argparse.Namespace) -> Config:
    """The `small` recipe of a system, for --steps steps."""
    given = dict(each.split("=", 1) for each in options.set)
    return resolve_config(system, "small", {"perceptual": "off", "steps": options.steps} | given)


def operations(system: str, data: Path, config: Config) -> float:
    """Floating-point operations of a whole training."""
    return float(sum(stage.steps * stage.flops for stage in plan(system, [data], config).stages))


def write_pairs(data: Path, out: Path, run: Path) -> None:
    """The data as pairs for pix2pix, A the label maps in the colours of the classes a run knows."""
    path = find_model(str(run))
    task = read_metadata(path).settings(path).tasks(read_metadata(path).settings(path).stages()[-1])[0]
    port = task.inputs["labels"]
    for split in ("train", "test"):
        photos, maps = pairs(data / split / "images", data / split / "labels")
        for photo, label in zip(photos, maps, strict=True):
            source, target = (out / split / side / f"{photo.stem}.png" for side in "AB")
            if not target.exists():
                write_image(source, in_colours(label, port))
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(photo, target)


def in_colours(path: Path, port: Port) -> DecodedImage:
    """A label map as an image."""
    indices = kinds.decode(FileItem(path), port)
    return DecodedImage(kinds.displayed(indices, port, indices.shape[:2]), None, "png")


def print_scores(options: argparse.Namespace, runs: dict[str, Path]) -> None:
    """Translate the test label maps, and score the photos beside the real ones."""
    real, labels = options.data / "test" / "images", options.data / "test" / "labels"
    scorer = LabelScorer(runs[FIRST])
    truth = read_batch(find_images(real))  # (N, 3, H, W)
    reference = RealFeatures(read_batch(find_images(options.data / "train" / "images")))
    print("pixel accuracy   mean IoU   feature distance   PSNR        photos")
    for name, folder in {"real": real, **{each: options.out / f"{each}-photos" for each in runs}}.items():
        if name != "real":
            inputs = options.out / "pairs" / "test" / "A" if name == PAIRED else labels
            made = Translator.load(runs[name]).run([str(inputs)], folder, TranslateOptions(overwrite=True))
            errors = [each.error for each in made if each.error]
            assert not errors, errors[0]
        photos = read_batch(find_images(folder))
        counts = scorer.counts(*pairs(folder, labels))
        score = "      -" if name == "real" else f"{float(psnr(photos, truth).mean()):7.2f}"
        print(
            f"{100 * pixel_accuracy(counts):12.1f} % {100 * mean_iou(counts):8.1f} % "
            f"{reference.distance(photos):18.1f} {score} dB   {name}"
        )


if __name__ == "__main__":
    main()
