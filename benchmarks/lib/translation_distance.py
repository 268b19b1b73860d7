"""The feature distance of a translator's outputs to real images, for the growing experiment."""

from collections import defaultdict
from pathlib import Path
from statistics import mean

import torch
from torch import Tensor

from benchmarks.lib.feature_distance import RealFeatures
from i2icli.config import Config, RunOptions
from i2icli.data.examples import Examples
from i2icli.inference.options import TranslateOptions
from i2icli.inference.translator import Translator
from i2icli.system import Batch
from i2icli.task import names_of
from i2icli.training.run_data import open_data

MAX_IMAGES = 400  # per set


class TranslationDistance:
    """Distance of translated validation images, at full size, to the training images of their domain."""

    def __init__(self, system: str, data: list[Path], config: Config) -> None:
        folder, config = open_data(system, data, config, RunOptions())
        validation = folder.validation()
        if validation is None:
            raise SystemExit(f"{', '.join(map(str, data))}: no validation images (val or test)")
        self.validation = validation
        train = {name: images_of(folder.train(), name) for name in self._keys()}
        self.real = {name: RealFeatures(images) for name, images in train.items()}
        self.truth = system == "pix2pix" or bool(validation.get(0, None).get("truth", False))

    def _keys(self) -> list[str]:
        return [name for name in ("target", "A", "B") if name in self.validation.get(0, None)]

    def of(self, model: Path) -> float:
        """The feature distance of a model, averaged over both directions if there are two."""
        translator = Translator.load(model, device="cpu", precision="fp32")
        outputs: dict[str, list[Tensor]] = defaultdict(list)
        for number in range(min(MAX_IMAGES, len(self.validation))):
            batch = {name: value[None] for name, value in self.validation.get(number, None).items()}
            for name, output in translations(translator, batch, seed=number).items():
                outputs[name].append(output)
        return mean(self.real[name].distance(torch.cat(each)) for name, each in outputs.items())

    def references(self) -> dict[str, float]:
        """The distances of real and of untranslated validation images."""
        real = {name: images_of(self.validation, name) for name in self._keys()}
        sources = {"target": "source", "A": "B", "B": "A"}
        untranslated = {name: images_of(self.validation, sources[name]) for name in real}
        return {
            "real": mean(self.real[name].distance(images) for name, images in real.items()),
            "untranslated": mean(self.real[name].distance(images) for name, images in untranslated.items()),
        }


def images_of(examples: Examples, name: str) -> Tensor:
    """(N, C, H, W): the images of one key, preprocessed as in validation."""
    return torch.stack([examples.get(number, None)[name] for number in range(min(MAX_IMAGES, len(examples)))])


def translations(translator: Translator, batch: Batch, seed: int) -> dict[str, Tensor]:
    """Translations (1, C, H, W) by their target key; `seed`: of the noise, if they read any."""

    def translated(name: str, to: str | None = None) -> Tensor:
        (spec,) = translator.specs(TranslateOptions(to=to, seed=seed))
        return torch.from_numpy(translator.compute({"image": batch[name].numpy()}, spec))

    if "source" in batch:
        return {"target": translated("source")}
    to_B, to_A = names_of(translator.tasks)
    return {"B": translated("A", to_B), "A": translated("B", to_A)}
