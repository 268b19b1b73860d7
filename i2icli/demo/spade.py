"""SPADE demo: landscapes of label maps, in their own style and in that of another photo."""

from pathlib import Path

import numpy as np

from i2icli.demo.demo import SIDE, TEST, TRAIN, Demo, DemoResults
from i2icli.demo.label_photos import generated, label_metrics, read_landscapes, same_styles
from i2icli.demo.toy.label_scenes import write_label_scenes
from i2icli.inference.translator import Translator

BACKGROUND = ("sky", "grass")  # what every landscape has, so that a style can go from one to another


def _write(folder: Path, seed: int) -> None:
    write_label_scenes(folder, TRAIN, TEST, SIDE, seed)


def _evaluate(translator: Translator, folder: Path) -> DemoResults:
    """Every test landscape in the style of its photo, and of the next one's."""
    scenes = read_landscapes(folder / "test")
    others = [*scenes[1:], scenes[0]]
    own = generated(translator, scenes, lambda number: {"reference": scenes[number].image})
    another = generated(translator, scenes, lambda number: {"reference": others[number].image})
    taken = [
        style == dict(other.styles(other.photo))[name]
        for scene, other, photo in zip(scenes, others, another, strict=True)
        for name, style in scene.styles(photo)
        if name in BACKGROUND
    ]
    metrics = (
        *label_metrics(translator, scenes, own),
        ("sky and grass in the style of their photo", same_styles(scenes, own, BACKGROUND.__contains__)),
        ("sky and grass in the style of another photo", f"{100 * np.mean(taken):.0f} % of {len(taken)}"),
    )
    rows = [
        [scene.colours, photo, other.photo, changed, scene.photo]
        for scene, photo, other, changed in zip(scenes, own, others, another, strict=True)
    ]
    columns = ("label map", "own style", "another photo", "its style", "truth")
    return DemoResults(columns, rows, metrics)


DEMO = Demo("spade", "label map to photo, in the style of a photo", "label-maps", _write, _evaluate)
