"""An independent judge of translations between domains: is it the target's look, and still the same thing?

    python -m benchmarks.experiments.judge DATA --model runs/x [--judge judge.safetensors] [--sheet sheet.png]
                               [--epochs 60] [--size 64] [--seed 0]

DATA holds a folder per domain in train/ and test/; in test/ one file name is one thing in every domain.
A small network is trained to tell the domains of real training pictures apart, and its accuracy on the
real test pictures printed; --judge keeps it in a file, or takes it from there. Then every test picture of
every domain is translated to every other domain, and printed are

- the share of translations that the network takes for the target domain, beside that of real pictures of it,
- PSNR and SSIM against the true picture of the target domain,
- the share of translations whose nearest neighbour (in pixels) among all true test pictures of the target
  domain is the right thing,

each beside the same of the untranslated input. Works for every system with targets; the source
domain is told to those that read it.
"""

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

import torch
from safetensors import safe_open
from safetensors.torch import load_model, save_model
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, pad

from i2icli.data.kinds.domain_folders import recognise_domains
from i2icli.image import convert_channels, read_image, resize, to_tensor
from i2icli.image.finding import Collection
from i2icli.inference.options import TranslateOptions
from i2icli.inference.translator import Translator
from i2icli.report.sheet import write_sample_sheet
from i2icli.scores import psnr, ssim
from i2icli.task import names_of

BATCH = 32
SHIFT = 6  # pixels that training pictures are moved at most


@dataclass(frozen=True)
class Pictures:
    """Domains by name, each with its pictures (N, 3, S, S); in `test` all show the same N things in order."""

    train: dict[str, Tensor]
    test: dict[str, Tensor]


def load(data: Path, size: int) -> Pictures:
    """All pictures of a data folder; of the test pictures those that every domain has."""
    found = recognise_domains([data])
    if found.validation is None:
        raise SystemExit(f"{data}: the judge needs test/ beside train/")

    def tensors(collection: Collection, keys: list[str] | None = None) -> Tensor:
        by_key = {collection.key(path): path for path in collection.images}
        paths = list(collection.images) if keys is None else [by_key[key] for key in keys]
        pixels = [convert_channels(read_image(path).pixels, 3) for path in paths]
        return torch.stack([to_tensor(resize(each, (size, size))) for each in pixels])

    keys = [set(map(each.key, each.images)) for each in found.validation]
    common = sorted(set.intersection(*keys))
    if not common:
        raise SystemExit(f"{data}: no file name that all domains have in test/; nothing is known to be true")
    return Pictures(
        dict(zip(found.names, map(tensors, found.train), strict=True)),
        {name: tensors(each, common) for name, each in zip(found.names, found.validation, strict=True)},
    )


# -- the judge -------------------------------------------------------------------------------


def classifier(classes: int) -> nn.Module:
    """(B, 3, S, S) -> (B, classes) logits, from the mean of features over the picture."""
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


def train_judge(train: dict[str, Tensor], epochs: int, seed: int) -> nn.Module:
    """A network that tells the domains apart, trained on moved and flipped pictures."""
    torch.manual_seed(seed)
    images = torch.cat(list(train.values()))  # (N, 3, S, S)
    labels = torch.cat([torch.full((len(each),), place) for place, each in enumerate(train.values())])  # (N,)
    network = classifier(len(train)).train()
    steps = epochs * (len(images) // BATCH)
    optimizer = torch.optim.AdamW(network.parameters(), lr=2e-3, weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 4e-3, total_steps=steps)
    for _ in range(epochs):
        for chosen in torch.randperm(len(images)).split(BATCH)[: len(images) // BATCH]:
            optimizer.zero_grad()
            cross_entropy(network(moved(images[chosen])), labels[chosen], label_smoothing=0.1).backward()
            optimizer.step()
            schedule.step()
    return network.eval()


def prepared_judge(train: dict[str, Tensor], kept: Path | None, epochs: int, seed: int) -> nn.Module:
    """The judge from its file, or trained and then kept there; a file of another judge is refused."""
    size = next(iter(train.values())).shape[-1]
    facts = {"domains": ",".join(train), "size": str(size), "epochs": str(epochs), "seed": str(seed)}
    if kept is None or not kept.exists():
        judge = train_judge(train, epochs, seed)
        if kept is not None:
            save_model(judge, kept, facts)
        return judge
    with safe_open(kept, "pt") as file:
        found = file.metadata()
    if found != facts:
        raise SystemExit(f"{kept} holds a judge with {found}, expected {facts}; name another file")
    judge = classifier(len(train))
    load_model(judge, kept)
    return judge.eval()


def moved(images: Tensor) -> Tensor:
    """(B, 3, S, S): all shifted alike by a few pixels, half of them flipped."""
    size = images.shape[-1]
    top, left = torch.randint(2 * SHIFT + 1, (2,)).tolist()
    framed = pad(images, (SHIFT,) * 4, mode="replicate")[..., top : top + size, left : left + size]
    flipped = torch.rand(len(images), 1, 1, 1) < 0.5
    return torch.where(flipped, framed.flip(-1), framed)


@torch.inference_mode()
def judged(judge: nn.Module, images: Tensor) -> Tensor:
    """(B, 3, S, S) -> (B,): the number of the domain each is taken for."""
    return torch.cat([judge(part).argmax(1) for part in images.split(256)])


# -- what it judges --------------------------------------------------------------------------


def translated(translator: Translator, images: Tensor, source: str, target: str) -> Tensor:
    """(N, 3, S, S) of the source domain -> the same in the target domain."""
    told = source if any("source" in task.reads for task in translator.tasks) else None
    (spec,) = translator.specs(TranslateOptions(to=target, source=told))
    parts = images.split(BATCH)
    return torch.cat([translator.compute({"image": part}, spec) for part in parts]).clamp(-1, 1)


def found_again(answers: Tensor, truths: Tensor) -> Tensor:
    """(N,) truth: whether the nearest of all true pictures (N, C, S, S) is the right one."""
    distances = torch.cdist(answers.flatten(1), truths.flatten(1))  # (N, N)
    return distances.argmin(1) == torch.arange(len(truths))


def measure(judge: nn.Module, place: int, answers: Tensor, truths: Tensor) -> dict[str, Tensor]:
    """What is measured of some answers in the domain at that place, (N,) each."""
    return {
        "taken for the target": (judged(judge, answers) == place).float(),
        "found again": found_again(answers, truths).float(),
        "PSNR": psnr(answers, truths),
        "SSIM": ssim(answers, truths),
    }


def compare(
    pictures: Pictures, judge: nn.Module, translate: Callable[[Tensor, str, str], Tensor]
) -> dict[str, dict[str, tuple[Tensor, Tensor]]]:
    """By target domain: what is measured -> (of the translations, of the untranslated inputs), (M,) each."""
    names = list(pictures.test)
    results = {}
    for place, target in enumerate(names):
        truths = pictures.test[target]
        ours, inputs = [], []
        for source in names:
            if source != target:
                images = pictures.test[source]
                ours.append(measure(judge, place, translate(images, source, target), truths))
                inputs.append(measure(judge, place, images, truths))
        results[target] = {
            what: (torch.cat([each[what] for each in ours]), torch.cat([each[what] for each in inputs]))
            for what in ours[0]
        }
    return results


def print_results(
    results: dict[str, dict[str, tuple[Tensor, Tensor]]], own: dict[str, float], things: int
) -> None:
    """A line per target domain and one for all, each figure beside the untranslated input's.

    own: of real pictures of the target domain, by name: the share that the judge takes for it.
    """
    print(f"{'target':14}{'taken for it':>28}{'found again':>20}{'PSNR dB':>20}{'SSIM':>20}")
    print(f"{'':14}" + f"{'answer':>12}{'input':>8}{'real':>8}" + f"{'answer':>12}{'input':>8}" * 3)
    every = {
        what: (
            torch.cat([each[what][0] for each in results.values()]),
            torch.cat([each[what][1] for each in results.values()]),
        )
        for what in next(iter(results.values()))
    }
    for name, row in {**results, "all": every}.items():
        cells = []
        for what, (ours, inputs) in row.items():
            form = "{:.1%}" if what in ("taken for the target", "found again") else "{:.2f}"
            cells.append(f"{form.format(ours.mean().item()):>12}{form.format(inputs.mean().item()):>8}")
        cells[0] += f"{own.get(name, fmean(own.values())):>8.1%}"
        print(f"{name:14}" + "".join(cells))
    print(f"chance of being found again: {1 / things:.1%}")


def write_sheet(path: Path, pictures: Pictures, translate: Callable[[Tensor, str, str], Tensor]) -> None:
    """Two things of every domain: the input, and its translation to every other domain."""
    names = list(pictures.test)
    things = len(pictures.test[names[0]])
    rows = []
    for place, source in enumerate(names):
        for offset in (0, things // 2):
            thing = (place * things // len(names) + offset) % things
            image = pictures.test[source][thing : thing + 1]
            row = {"input": image[0]}
            for target in names:
                row[f"to {target}"] = image[0] if target == source else translate(image, source, target)[0]
            rows.append(row)
    write_sample_sheet(path, rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--model", required=True)
    parser.add_argument("--sheet", type=Path)
    parser.add_argument("--judge", type=Path, help="file to keep the trained judge in")
    parser.add_argument("--epochs", type=int, default=60)
    parser.add_argument("--size", type=int, default=64, help="pixels; sides that suit the model")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()

    pictures = load(options.data, options.size)
    translator = Translator.load(options.model, precision="fp32")
    unknown = set(pictures.test) - set(names_of(translator.tasks))
    if unknown:
        raise SystemExit(f"{options.model} does not translate to {', '.join(sorted(unknown))}")

    def translate(images: Tensor, source: str, target: str) -> Tensor:
        return translated(translator, images, source, target)

    if options.sheet:
        write_sheet(options.sheet, pictures, translate)
    judge = prepared_judge(pictures.train, options.judge, options.epochs, options.seed)
    own = {
        name: (judged(judge, images) == place).float().mean().item()
        for place, (name, images) in enumerate(pictures.test.items())
    }
    things = len(next(iter(pictures.test.values())))
    print(
        f"judge: takes {fmean(own.values()):.1%} of the real test pictures for their own domain "
        f"({len(own)} domains, {things} things each)"
    )
    print_results(compare(pictures, judge, translate), own, things)


if __name__ == "__main__":
    main()
