"""How well label maps are found in photos: pixel accuracy and mean IoU, by the segmentation network of a run.

    python -m benchmarks.experiments.label_scores runs/spade-rooms rooms/test/labels outputs rooms/test/images

The network was trained on the real photos of the run (`segmenter.safetensors` in its folder). Photos are
paired with label maps by name without suffix, and read as in validation. They may be those of other systems
that were made from the same label maps. The protocol is that of `i2icli/scores.py`: confusion summed over all
photos, unlabelled pixels left out, mean over the classes that occur in the label maps.
"""

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from benchmarks.lib.arguments import argument_parser
from i2icli.data.preprocess import Preprocess
from i2icli.image import FileItem, kinds
from i2icli.image.finding import find_images
from i2icli.metadata import read_metadata
from i2icli.runs import SEGMENTER, find_model
from i2icli.scores import confusion, mean_iou, pixel_accuracy
from i2icli.task import Port
from i2icli.training.segmenter import Segmenter, read_segmenter


class LabelScorer:
    """Reads photos and label maps as a run does in validation, and compares them by its network."""

    def __init__(self, run: Path) -> None:
        """Raises UserError for a folder without a model or a segmentation network."""
        path = find_model(str(run))
        self.segmenter: Segmenter = read_segmenter(path.parent / SEGMENTER)
        config = read_metadata(path).settings(path)
        ports = config.tasks(config.stages()[-1])[0].inputs.values()
        self.labels = next(port for port in ports if port.kind == "labels")
        self.photos = Port(self.segmenter.info.channels)
        self.preprocess = Preprocess.of(config).at(self.segmenter.info.size[1]).for_validation()

    def counts(self, photos: Sequence[Path], labels: Sequence[Path]) -> Tensor:
        """Pixels by label and prediction, (L, L), over pairs of files."""
        found = torch.zeros(self.segmenter.classes, self.segmenter.classes, dtype=torch.int64)
        for photo, label in zip(photos, labels, strict=True):
            size = self.preprocess.prepared_size(FileItem(label).header().size)
            predicted = self.segmenter.predict(self._read(photo, self.photos, size))
            found += confusion(self._read(label, self.labels, size), predicted, self.segmenter.classes)
        return found

    def _read(self, path: Path, port: Port, size: tuple[int, int]) -> Tensor:
        pixels = kinds.prepare(kinds.decode(FileItem(path), port), port, size)
        crop = self.preprocess.window(size, None)
        return kinds.to_tensor(crop.crop(pixels), port.kind)[None]  # (1, C, H, W)


def pairs(photos: Path, labels: Path) -> tuple[list[Path], list[Path]]:
    """The photos of a folder, and the label map of the same name for each."""
    by_name = {path.stem: path for path in find_images(labels)}
    found = find_images(photos)
    missing = [path for path in found if path.stem not in by_name]
    if missing or not found:
        what = f"no label map {missing[0].stem}.*" if missing else f"no photos in {photos}"
        raise SystemExit(f"{labels}: {what}; expected a label map of the same name for every photo")
    return found, [by_name[path.stem] for path in found]


def main(arguments: Sequence[str] | None = None) -> None:
    """Print a row for each folder of photos."""
    parser = argument_parser(__doc__, __spec__.name)
    parser.add_argument("run", type=Path, help="run folder of a system that reads label maps")
    parser.add_argument("labels", type=Path, help="folder of label maps")
    parser.add_argument("photos", type=Path, nargs="+", help="folders of photos, generated or real")
    options = parser.parse_args(arguments)
    scorer = LabelScorer(options.run)
    print("pixel accuracy   mean IoU   photos")
    for folder in options.photos:
        counts = scorer.counts(*pairs(folder, options.labels))
        print(f"{100 * pixel_accuracy(counts):12.1f} % {100 * mean_iou(counts):8.1f} %   {folder}")


if __name__ == "__main__":
    main()
