"""Translation between domains, evaluated by an independent classifier and by ground truth.

    python -m benchmarks.experiments.domain_classifier DATA --model runs/x [--classifier file.safetensors]
        [--sheet sheet.png] [--epochs 60] [--size 64] [--seed 0]

DATA has a folder per domain in train/ and test/; in test/, equal file names show the same object in every
domain. A small network is trained to classify the domain of real training images; --classifier stores it in a
file, or loads it. Every test image of every domain is translated to every other domain. Printed are

- domain accuracy: the fraction of translations classified as the target domain, with that of real images,
- PSNR and SSIM against the ground truth,
- retrieval accuracy: the fraction of translations whose nearest neighbour (in pixels) among all real test
  images of the target domain is the same object,

each beside the value of the untranslated input. Works for every system with targets; the source domain is
passed to those that need it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

import torch
from safetensors import safe_open
from safetensors.torch import load_model, save_model
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, pad

from benchmarks.lib.arguments import argument_parser
from benchmarks.lib.images import read_batch
from i2icli.data.kinds.domain_folders import recognise_domains
from i2icli.image.finding import Collection
from i2icli.inference.options import TranslateOptions
from i2icli.inference.translator import Translator
from i2icli.report.sheet import write_sample_sheet
from i2icli.scores import psnr, ssim
from i2icli.task import names_of

BATCH = 32
SHIFT = 6  # pixels: maximum random translation of training images


@dataclass(frozen=True)
class DomainImages:
    """Images (N, 3, S, S) by domain; in `test`, the same N objects in equal order."""

    train: dict[str, Tensor]
    test: dict[str, Tensor]


def load(data: Path, size: int) -> DomainImages:
    """All training images of a data folder, and the test images that every domain has."""
    found = recognise_domains([data])
    if found.validation is None:
        raise SystemExit(f"{data}: expected test/ beside train/")

    def tensors(collection: Collection, keys: list[str] | None = None) -> Tensor:
        by_key = {collection.key(path): path for path in collection.images}
        paths = list(collection.images) if keys is None else [by_key[key] for key in keys]
        return read_batch(paths, size)

    keys = [set(map(each.key, each.images)) for each in found.validation]
    common = sorted(set.intersection(*keys))
    if not common:
        raise SystemExit(f"{data}: no file name that all domains have in test/, so no ground truth")
    return DomainImages(
        dict(zip(found.names, map(tensors, found.train), strict=True)),
        {name: tensors(each, common) for name, each in zip(found.names, found.validation, strict=True)},
    )


# -- classifier ------------------------------------------------------------------------------


def classifier(classes: int) -> nn.Module:
    """(B, 3, S, S) -> (B, classes) logits; global average pooling."""
    layers: list[nn.Module] = []
    for before, after in ((3, 32), (32, 64), (64, 128), (128, 128)):
        layers += [
            nn.Conv2d(before, after, 3, stride=2, padding=1, bias=False),
            nn.BatchNorm2d(after),
            nn.ReLU(inplace=True),
            nn.Conv2d(after, after, 3, padding=1, bias=False),
            nn.BatchNorm2d(after),
            nn.ReLU(inplace=True),
        ]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(128, classes))


def train_classifier(train: dict[str, Tensor], epochs: int, seed: int) -> nn.Module:
    """A classifier of the domains, trained with random translations and flips."""
    torch.manual_seed(seed)
    images = torch.cat(list(train.values()))  # (N, 3, S, S)
    labels = torch.cat([torch.full((len(each),), index) for index, each in enumerate(train.values())])  # (N,)
    network = classifier(len(train)).train()
    steps = epochs * (len(images) // BATCH)
    optimizer = torch.optim.AdamW(network.parameters(), lr=2e-3, weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 4e-3, total_steps=steps)
    for _ in range(epochs):
        for chosen in torch.randperm(len(images)).split(BATCH)[: len(images) // BATCH]:
            optimizer.zero_grad()
            cross_entropy(network(augmented(images[chosen])), labels[chosen], label_smoothing=0.1).backward()
            optimizer.step()
            schedule.step()
    return network.eval()


def load_or_train(train: dict[str, Tensor], file: Path | None, epochs: int, seed: int) -> nn.Module:
    """The classifier from its file, or trained and stored there; files with other settings are refused."""
    size = next(iter(train.values())).shape[-1]
    settings = {"domains": ",".join(train), "size": str(size), "epochs": str(epochs), "seed": str(seed)}
    if file is None or not file.exists():
        network = train_classifier(train, epochs, seed)
        if file is not None:
            save_model(network, file, settings)
        return network
    with safe_open(file, "pt") as stored:
        found = stored.metadata()
    if found != settings:
        raise SystemExit(f"{file} is a classifier with {found}, expected {settings}; choose another file")
    network = classifier(len(train))
    load_model(network, file)
    return network.eval()


def augmented(images: Tensor) -> Tensor:
    """(B, 3, S, S): shifted by a few pixels, half of them flipped."""
    size = images.shape[-1]
    top, left = torch.randint(2 * SHIFT + 1, (2,)).tolist()
    shifted = pad(images, (SHIFT,) * 4, mode="replicate")[..., top : top + size, left : left + size]
    flipped = torch.rand(len(images), 1, 1, 1) < 0.5
    return torch.where(flipped, shifted.flip(-1), shifted)


@torch.inference_mode()
def classify(network: nn.Module, images: Tensor) -> Tensor:
    """(B, 3, S, S) -> (B,): the index of the predicted domain."""
    return torch.cat([network(part).argmax(1) for part in images.split(256)])


# -- evaluation ------------------------------------------------------------------------------


def translated(translator: Translator, images: Tensor, source: str, target: str) -> Tensor:
    """(N, 3, S, S) of the source domain -> the same in the target domain."""
    given = source if any("source" in task.reads for task in translator.tasks) else None
    (spec,) = translator.specs(TranslateOptions(to=target, source=given))
    parts = images.split(BATCH)
    made = [torch.from_numpy(translator.compute({"image": part.numpy()}, spec)) for part in parts]
    return torch.cat(made).clamp(-1, 1)


def retrieved(outputs: Tensor, truths: Tensor) -> Tensor:
    """(N,): whether the nearest ground truth image (N, C, S, S) is the right one."""
    distances = torch.cdist(outputs.flatten(1), truths.flatten(1))  # (N, N)
    return distances.argmin(1) == torch.arange(len(truths))


def measure(network: nn.Module, index: int, outputs: Tensor, truths: Tensor) -> dict[str, Tensor]:
    """Metrics of outputs in the domain of an index, (N,) each."""
    return {
        "domain": (classify(network, outputs) == index).float(),
        "retrieval": retrieved(outputs, truths).float(),
        "PSNR": psnr(outputs, truths),
        "SSIM": ssim(outputs, truths),
    }


def compare(
    images: DomainImages, network: nn.Module, translate: Callable[[Tensor, str, str], Tensor]
) -> dict[str, dict[str, tuple[Tensor, Tensor]]]:
    """By target domain: metric -> (of the translations, of the untranslated inputs), (M,) each."""
    names = list(images.test)
    results = {}
    for index, target in enumerate(names):
        truths = images.test[target]
        translations, inputs = [], []
        for source in names:
            if source != target:
                given = images.test[source]
                translations.append(measure(network, index, translate(given, source, target), truths))
                inputs.append(measure(network, index, given, truths))
        results[target] = {
            name: (
                torch.cat([each[name] for each in translations]),
                torch.cat([each[name] for each in inputs]),
            )
            for name in inputs[0]
        }
    return results


def print_results(
    results: dict[str, dict[str, tuple[Tensor, Tensor]]], real: dict[str, float], objects: int
) -> None:
    """A line per target domain and one for all, each metric beside the untranslated input's.

    real: domain accuracy on real images of the target domain, by name.
    """
    print(f"{'target':14}{'domain accuracy':>28}{'retrieval':>20}{'PSNR dB':>20}{'SSIM':>20}")
    print(f"{'':14}" + f"{'output':>12}{'input':>8}{'real':>8}" + f"{'output':>12}{'input':>8}" * 3)
    every = {
        what: (
            torch.cat([each[what][0] for each in results.values()]),
            torch.cat([each[what][1] for each in results.values()]),
        )
        for what in next(iter(results.values()))
    }
    for name, row in {**results, "all": every}.items():
        cells = []
        for metric, (outputs, inputs) in row.items():
            form = "{:.1%}" if metric in ("domain", "retrieval") else "{:.2f}"
            cells.append(f"{form.format(outputs.mean().item()):>12}{form.format(inputs.mean().item()):>8}")
        cells[0] += f"{real.get(name, fmean(real.values())):>8.1%}"
        print(f"{name:14}" + "".join(cells))
    print(f"retrieval by chance: {1 / objects:.1%}")


def write_sheet(path: Path, images: DomainImages, translate: Callable[[Tensor, str, str], Tensor]) -> None:
    """Two objects of every domain: the input, and its translation to every other domain."""
    names = list(images.test)
    objects = len(images.test[names[0]])
    rows = []
    for index, source in enumerate(names):
        for offset in (0, objects // 2):
            chosen = (index * objects // len(names) + offset) % objects
            image = images.test[source][chosen : chosen + 1]
            row = {"input": image[0]}
            for target in names:
                row[f"to {target}"] = image[0] if target == source else translate(image, source, target)[0]
            rows.append(row)
    write_sample_sheet(path, rows)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argument_parser(__doc__, __spec__.name)
    parser.add_argument("data", type=Path)
    parser.add_argument("--model", required=True)
    parser.add_argument("--sheet", type=Path)
    parser.add_argument("--classifier", type=Path, help="file to store the trained classifier in")
    parser.add_argument("--epochs", type=int, default=60)
    parser.add_argument("--size", type=int, default=64, help="side in pixels; must suit the model")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)

    images = load(options.data, options.size)
    translator = Translator.load(options.model, precision="fp32")
    unknown = set(images.test) - set(names_of(translator.tasks))
    if unknown:
        raise SystemExit(f"{options.model} does not translate to {', '.join(sorted(unknown))}")

    def translate(given: Tensor, source: str, target: str) -> Tensor:
        return translated(translator, given, source, target)

    if options.sheet:
        write_sheet(options.sheet, images, translate)
    network = load_or_train(images.train, options.classifier, options.epochs, options.seed)
    real = {
        name: (classify(network, each) == index).float().mean().item()
        for index, (name, each) in enumerate(images.test.items())
    }
    objects = len(next(iter(images.test.values())))
    print(
        f"domain accuracy on real test images: {fmean(real.values()):.1%} "
        f"({len(real)} domains, {objects} objects each)"
    )
    print_results(compare(images, network, translate), real, objects)


if __name__ == "__main__":
    main()
