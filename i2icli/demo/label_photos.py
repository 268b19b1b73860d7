"""Photos of toy label maps, scored against real photos, label maps and the styles of regions."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from i2icli.demo.demo import mean_psnr
from i2icli.demo.toy.label_scenes import CLASSES, INSTANCES, STYLES, style_of
from i2icli.image import Ids, read_image, read_map, to_tensor
from i2icli.inference.translator import Translator
from i2icli.runs import SEGMENTER
from i2icli.system import Evaluation
from i2icli.training.label_scores import LabelScores
from i2icli.training.segmenter import read_segmenter

Photo = NDArray[Any]  # (H, W, 3) uint8
Metrics = tuple[tuple[str, str], ...]
LEAST = 12  # pixels of a region whose style can be told


@dataclass(frozen=True)
class Landscape:
    """The files of one landscape, read."""

    inputs: dict[str, Path]  # labels, instances
    image: Path
    ids: Ids  # (H, W): classes
    instances: Ids  # (H, W)
    colours: Photo  # the label map in the colours of its classes
    photo: Photo

    @classmethod
    def read(cls, folder: Path, name: str) -> "Landscape":
        """The landscape of a name in labels/, instances/ and images/."""
        inputs = {kind: folder / kind / name for kind in ("labels", "instances")}
        ids, instances = (read_map(path).ids for path in inputs.values())
        image = folder / "images" / name
        colours = read_image(inputs["labels"]).pixels
        return cls(inputs, image, ids, instances, colours, read_image(image).pixels)

    def regions(self) -> Iterator[tuple[str, NDArray[np.bool_]]]:
        """Class and mask (H, W) of objects, and parts of the background, that have one of several styles."""
        for number in np.unique(self.instances).tolist():
            name, mask = CLASSES[number // INSTANCES or number].name, self.instances == number
            if len(STYLES[name]) > 1 and mask.sum() >= LEAST:
                yield name, mask

    def styles(self, photo: Photo) -> list[tuple[str, str]]:
        """Class and style of every region, as a photo of this landscape shows them."""
        return [(name, style_of(photo, self.ids, mask, name)) for name, mask in self.regions()]


def read_landscapes(folder: Path) -> list[Landscape]:
    """The landscapes of a folder with labels/, instances/ and images/."""
    return [Landscape.read(folder, path.name) for path in sorted((folder / "labels").glob("*.png"))]


def generated(
    translator: Translator, scenes: Sequence[Landscape], options: Callable[[int], dict[str, Any]]
) -> list[Photo]:
    """A photo of every label map, with the options for its number."""
    return [
        np.asarray(translator.translate({**scene.inputs}, **options(number)))
        for number, scene in enumerate(scenes)
    ]


def label_metrics(translator: Translator, scenes: Sequence[Landscape], photos: Sequence[Photo]) -> Metrics:
    """PSNR; pixel accuracy and mean IoU of generated and real photos, by the run's segmentation network."""
    scores = LabelScores(read_segmenter(translator.model.parent / SEGMENTER))
    for scene, photo in zip(scenes, photos, strict=True):
        pair = to_tensor(photo)[None], to_tensor(scene.photo)[None]
        indices = torch.from_numpy(scene.ids[None, None].astype(np.int64))  # ids are indices here
        scores.add(Evaluation(compared={"": pair}, labels=indices))
    truths, colours = [scene.photo for scene in scenes], [scene.colours for scene in scenes]
    found = {name: f"{100 * value:.0f} %" for name, value in scores.scores().items()}
    return (
        ("PSNR of photos in their own style", f"{mean_psnr(photos, truths):.1f} dB"),
        ("PSNR of label maps in colours", f"{mean_psnr(colours, truths):.1f} dB"),
        ("pixel accuracy", f"{found['pixel_accuracy']} (real photos {found['pixel_accuracy/real']})"),
        ("mean IoU", f"{found['miou']} (real photos {found['miou/real']})"),
    )


def same_styles(scenes: Sequence[Landscape], photos: Sequence[Photo], of: Callable[[str], bool]) -> str:
    """Of the regions whose class `of` takes, those that have the style of their photo, as text."""
    same = [
        style == truth
        for scene, photo in zip(scenes, photos, strict=True)
        for (name, style), (_, truth) in zip(scene.styles(photo), scene.styles(scene.photo), strict=True)
        if of(name)
    ]
    return f"{100 * np.mean(same):.0f} % of {len(same)}"
