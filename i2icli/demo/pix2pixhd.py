"""pix2pixHD demo: landscapes of label and instance maps, with styles of their own and chosen ones."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from i2icli.demo.demo import SIDE, TEST, TRAIN, Demo, DemoResults
from i2icli.demo.label_photos import (
    Landscape,
    Photo,
    generated,
    label_metrics,
    read_landscapes,
    same_styles,
)
from i2icli.demo.toy.label_scenes import STYLES, write_label_scenes
from i2icli.inference.translator import Translator

CHOSEN = ("sky", "roof", "tree")  # classes whose style is chosen
CHOICES = 2  # styles that are tried


def _write(folder: Path, seed: int) -> None:
    write_label_scenes(folder, TRAIN, TEST, SIDE, seed)


def _evaluate(translator: Translator, folder: Path) -> DemoResults:
    """Every test landscape with the styles of its photo, and with two chosen styles of three classes."""
    scenes = read_landscapes(folder / "test")
    own = generated(translator, scenes, lambda number: {"reference": scenes[number].image})
    chosen = [_chosen(translator, scenes, str(number)) for number in range(1, CHOICES + 1)]
    metrics = (
        *label_metrics(translator, scenes, own),
        ("objects in the style of their photo", same_styles(scenes, own, lambda _: True)),
        *((f"{name} of one chosen style that are alike", _alike(scenes, chosen, name)) for name in CHOSEN),
    )
    rows = [
        [scene.colours, photo, *others, scene.photo]
        for scene, photo, *others in zip(scenes, own, *chosen, strict=True)
    ]
    titles = (f"style {number}" for number in range(1, CHOICES + 1))
    return DemoResults(("label map", "own styles", *titles, "truth"), rows, metrics)


def _chosen(translator: Translator, scenes: Sequence[Landscape], style: str) -> list[Photo]:
    """Photos with one style of each of the classes."""
    return generated(translator, scenes, lambda _: {"style": dict.fromkeys(CHOSEN, style)})


def _alike(scenes: Sequence[Landscape], chosen: Sequence[Sequence[Photo]], name: str) -> str:
    """Regions of a class that have the commonest style among those with the same choice, as text."""
    common = total = 0
    for photos in chosen:
        found = Counter(
            style
            for scene, photo in zip(scenes, photos, strict=True)
            for each, style in scene.styles(photo)
            if each == name
        )
        common, total = common + max(found.values(), default=0), total + found.total()
    return f"{100 * common / max(total, 1):.0f} % of {total} ({len(STYLES[name])} styles)"


DEMO = Demo("pix2pixhd", "label and instance map to photo, in chosen styles", "label-maps", _write, _evaluate)
