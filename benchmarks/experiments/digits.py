"""Digit data for DTN, and the digit accuracy on its outputs.

python -m benchmarks.experiments.digits write mnist.npz --other opencv.npz --out digits
    folders from files with the arrays images (N, H, W) of uint8, light on dark, and labels (N,):
    digits/other-mnist    source: the other file's digits; target: MNIST's
    digits/colours-mnist  source: half of MNIST's digits in random colours, every second one dark on light,
                          each digit in two colourings; target: the other half as it is

python -m benchmarks.experiments.digits read digits/colours-mnist --model runs/dtn-colours-mnist
    trains a small classifier on the labelled images in target/ (DTN is given the same images without labels)
    and prints its accuracy on test/target, on test/source untranslated, and on DTN's outputs;
    --classifier mnist.pth, from the Python package ccexam 1.0.0, uses that classifier instead
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn
from torch.nn.functional import affine_grid, cross_entropy, grid_sample

from benchmarks.lib.arguments import argument_parser
from i2icli.inference.translator import Translator
from i2icli.systems.dtn.config import DTNConfig
from i2icli.systems.dtn.system import DTN
from i2icli.training.init_from import load_init_weights

SIDE = 32  # pixels the classifier sees
TEST = 400  # digits held out for testing
STEPS, BATCH = 1500, 64


# -- data ------------------------------------------------------------------------------------------


def load(path: Path) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Images (N, H, W) and labels (N,), shuffled."""
    with np.load(path) as file:
        images, labels = file["images"], file["labels"]
    order = np.random.default_rng(0).permutation(len(images))
    return images[order], labels[order]


def save(folder: Path, label: int, name: str, pixels: NDArray[np.uint8]) -> None:
    """Write an image into the folder of its class."""
    (folder / str(label)).mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(folder / str(label) / f"{name}.png")


def coloured(image: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """(H, W) -> (H, W, 3): in a random light and a random dark colour, either polarity."""
    dark, light = rng.uniform(0, 90, 3), rng.uniform(150, 255, 3)
    paper, pen = (dark, light) if rng.random() < 0.5 else (light, dark)
    coverage = image[:, :, None] / 255
    return (paper * (1 - coverage) + pen * coverage).astype(np.uint8)


def write(mnist: Path, other: Path | None, out: Path) -> None:
    """Write the data sets; targets are in class folders, which DTN ignores."""
    images, labels = load(mnist)
    rng = np.random.default_rng(1)
    folder, half = out / "colours-mnist", TEST + (len(images) - TEST) // 2
    for number, (image, label) in enumerate(zip(images, labels, strict=True)):
        if number < TEST:
            save(folder / "test" / "source", label, f"{number:05}", coloured(image, rng))
            save(folder / "test" / "target", label, f"{number:05}", image)
        elif number < half:
            for colouring in "ab":
                save(folder / "source", label, f"{number:05}{colouring}", coloured(image, rng))
        else:
            save(folder / "target", label, f"{number:05}", image)
    if other is None:
        return
    folder = out / "other-mnist"
    for number, (image, label) in enumerate(zip(images, labels, strict=True)):
        save(folder / ("test/target" if number < TEST else "target"), label, f"mnist{number:05}", image)
    for number, (image, label) in enumerate(zip(*load(other), strict=True)):
        save(folder / ("test/source" if number < TEST else "source"), label, f"other{number:05}", image)


# -- accuracy --------------------------------------------------------------------------------------


def labelled(folder: Path) -> tuple[list[Path], Tensor]:
    """The images in folders 0 to 9 and their classes (N,)."""
    paths = sorted(folder.glob("[0-9]/*.png"))
    if not paths:
        raise SystemExit(
            f"{folder}: no images; expected folders 0 to 9 with .png files, as written by `write`"
        )
    return paths, torch.tensor([int(path.parent.name) for path in paths])


def grey(image: Image.Image) -> Tensor:
    """(1, SIDE, SIDE) in [-1, 1]."""
    pixels = np.asarray(image.convert("L").resize((SIDE, SIDE), Image.Resampling.BICUBIC), np.float32)
    return torch.from_numpy(pixels)[None] / 127.5 - 1


def opened(paths: list[Path]) -> Tensor:
    """(N, 1, SIDE, SIDE)."""
    return torch.stack([grey(Image.open(path)) for path in paths])


def classifier() -> nn.Sequential:
    """A plain network, independent of DTN's f."""
    layers: list[nn.Module] = []
    for inner, outer in ((1, 24), (24, 48), (48, 96)):
        layers += [nn.Conv2d(inner, outer, 3, padding=1), nn.BatchNorm2d(outer), nn.ReLU(), nn.MaxPool2d(2)]
    return nn.Sequential(*layers, nn.Flatten(), nn.Dropout(0.4), nn.Linear(96 * (SIDE // 8) ** 2, 10))


def jittered(images: Tensor) -> Tensor:
    """(N, 1, SIDE, SIDE) with small random translations, rotations, slants and scales."""
    number = len(images)
    rotation, slant = (torch.rand(number) - 0.5) * 0.5, (torch.rand(number) - 0.5) * 0.4
    scale = 1 + (torch.rand(number) - 0.5) * 0.3
    move = (torch.rand(number, 2) - 0.5) * 0.3
    rows = [
        torch.stack([scale * rotation.cos(), slant - rotation.sin(), move[:, 0]], 1),
        torch.stack([rotation.sin(), scale * rotation.cos(), move[:, 1]], 1),
    ]
    grid = affine_grid(torch.stack(rows, 1), list(images.shape), align_corners=False)
    return grid_sample(images, grid, padding_mode="border", align_corners=False)


def trained_classifier(images: Tensor, labels: Tensor) -> nn.Module:
    """A classifier trained on these images."""
    torch.manual_seed(0)
    network = classifier()
    optimizer = torch.optim.Adam(network.parameters(), 1e-3)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, STEPS)
    for _ in range(STEPS):
        chosen = torch.randint(len(images), (BATCH,))
        loss = cross_entropy(network(jittered(images[chosen])), labels[chosen])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    return network.eval()


@torch.no_grad()
def accuracy(network: nn.Module, images: Tensor, labels: Tensor) -> str:
    """Accuracy, as text."""
    correct = int((network(images).argmax(1) == labels).sum())
    return f"{100 * correct / len(labels):5.1f} % of {len(labels)}"


def ccexam_classifier(weights: Path) -> nn.Module:
    """ccexam's MNIST classifier, for images (N, 1, SIDE, SIDE)."""
    system = DTN(DTNConfig(extractor="ccexam-mnist"))
    load_init_weights(system, str(weights))
    return nn.Sequential(system.f, system.head).eval()


def read(data: Path, model: str, weights: Path | None) -> None:
    """Print the three accuracies."""
    paths, labels = labelled(data / "target")
    network = trained_classifier(opened(paths), labels) if weights is None else ccexam_classifier(weights)
    print(f"accuracy of {weights or f'a classifier trained on {len(labels)} real target images'}:")
    real, real_labels = labelled(data / "test" / "target")
    given, given_labels = labelled(data / "test" / "source")
    translator = Translator.load(model)
    outputs = torch.stack([grey(translator.translate(path)) for path in given])
    print(f"  real target images, held out      {accuracy(network, opened(real), real_labels)}")
    print(f"  source images, not translated     {accuracy(network, opened(given), given_labels)}")
    print(f"  source images, translated         {accuracy(network, outputs, given_labels)}")


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argument_parser(__doc__, __spec__.name)
    commands = parser.add_subparsers(dest="command", required=True)
    writing = commands.add_parser("write")
    writing.add_argument("mnist", type=Path)
    writing.add_argument("--other", type=Path)
    writing.add_argument("--out", type=Path, required=True)
    reading = commands.add_parser("read")
    reading.add_argument("data", type=Path)
    reading.add_argument("--model", required=True)
    reading.add_argument("--classifier", type=Path)
    given = parser.parse_args(arguments)
    if given.command == "write":
        write(given.mnist, given.other, given.out)
    else:
        read(given.data, given.model, given.classifier)


if __name__ == "__main__":
    main()
