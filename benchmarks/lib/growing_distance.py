"""The feature distance of translators to real images of their target, for the growing experiment."""

from collections import defaultdict
from pathlib import Path
from statistics import mean

import torch
from torch import Tensor

from benchmarks.experiments.feature_distance import RealFeatures
from i2icli.config import Config, RunOptions
from i2icli.data.examples import Examples
from i2icli.inference.options import TranslateOptions
from i2icli.inference.translator import Translator
from i2icli.system import Batch
from i2icli.task import names_of
from i2icli.training.run import open_data

MOST = 400  # pictures of each kind


class Measure:
    """Translated validation images of the full size against the training images of their domain."""

    def __init__(self, system: str, data: list[Path], config: Config) -> None:
        folder, config = open_data(system, data, config, RunOptions())
        found = folder.validation()
        if found is None:
            raise SystemExit(f"{', '.join(map(str, data))}: no validation images (val or test) to measure on")
        self.validation = found
        train = {name: pictures(folder.train(), name) for name in self._keys()}
        self.real = {name: RealFeatures(images) for name, images in train.items()}
        self.truth = system == "pix2pix" or bool(found.get(0, None).get("truth", False))

    def _keys(self) -> list[str]:
        return [name for name in ("target", "A", "B") if name in self.validation.get(0, None)]

    def of(self, model: Path) -> float:
        """The feature distance of a model, the mean over both directions where there are two."""
        translator = Translator.load(model, "cpu", "fp32")
        answers: dict[str, list[Tensor]] = defaultdict(list)
        for number in range(min(MOST, len(self.validation))):
            batch = {name: value[None] for name, value in self.validation.get(number, None).items()}
            for name, answer in answers_of(translator, batch, number).items():
                answers[name].append(answer)
        return mean(self.real[name].distance(torch.cat(each)) for name, each in answers.items())

    def references(self) -> dict[str, float]:
        """What real validation images have, and what pictures have that are not translated at all."""
        own = {name: pictures(self.validation, name) for name in self._keys()}
        before = {"target": "source", "A": "B", "B": "A"}
        other = {name: pictures(self.validation, before[name]) for name in own}
        return {
            "real": mean(self.real[name].distance(images) for name, images in own.items()),
            "untranslated": mean(self.real[name].distance(images) for name, images in other.items()),
        }


def pictures(examples: Examples, name: str) -> Tensor:
    """(N, C, H, W): the pictures of one kind, as validation sees them."""
    return torch.stack([examples.get(number, None)[name] for number in range(min(MOST, len(examples)))])


def answers_of(translator: Translator, batch: Batch, seed: int) -> dict[str, Tensor]:
    """Translations (1, C, H, W) by what they should look like; `seed`: of the noise, if they read any."""

    def translated(name: str, to: str | None = None) -> Tensor:
        (spec,) = translator.specs(TranslateOptions(to=to, seed=seed))
        return translator.compute({"image": batch[name]}, spec)

    if "source" in batch:
        return {"target": translated("source")}
    to_B, to_A = names_of(translator.tasks)
    return {"B": translated("A", to_B), "A": translated("B", to_A)}
