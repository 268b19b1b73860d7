"""`i2i translate` of 64 JPEGs of 256 px against a plain script that reads, runs and saves them one by one.

    python -m benchmarks.speed.translate [--images 64] [--rounds 3] [--size 256]

Whole processes, start-up included, in turns; ResNet-9, 64 filters. The ratios are classic seconds / our
seconds, medians over the rounds. Also prints how far the results are from the classic script's network, as
PSNR in dB and as the largest difference of outputs in [-1, 1].
"""

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import torch
from PIL import Image

from benchmarks.lib.classic import generator
from i2icli.demo.toy.scenes import scene
from i2icli.image import read_image, to_tensor
from i2icli.inference.options import TranslateOptions
from i2icli.inference.translator import Translator
from i2icli.scores import psnr


def prepare(folder: Path, images: int, size: int) -> tuple[Path, Path, Path]:
    """Made-up JPEGs; a random generator as the authors' .pth and as the classic script's state."""
    photos = folder / "photos"
    photos.mkdir()
    for index in range(images):
        Image.fromarray(scene(index, size).photo).save(photos / f"{index:03}.jpg", quality=95)
    torch.manual_seed(0)
    network = generator()
    for weight in network.parameters():
        if weight.ndim == 4:
            torch.nn.init.normal_(weight, 0, (2 / weight[0].numel()) ** 0.5)
    state = network.state_dict()
    classic = folder / "classic.pth"
    torch.save(state, classic)
    original = folder / "latest_net_G.pth"
    torch.save(
        {f"model.{key.replace('layers', 'conv_block')}": value for key, value in state.items()}, original
    )
    return photos, classic, original


def run(command: list[str]) -> tuple[float, float]:
    """Seconds and peak memory (GB) of a process; the largest of all children so far."""
    began = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(done.stderr)
    return time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**20


def agreement(original: Path, photos: Path) -> None:
    """Print how far the precisions are apart on one photo."""
    image = to_tensor(read_image(sorted(photos.glob("*.jpg"))[0]).pixels)[None]
    network = generator()
    network.load_state_dict(torch.load(original.parent / "classic.pth", weights_only=True))
    with torch.no_grad():
        exact = network(image)
    for precision in ("fp32", "auto", "bf16"):
        translator = Translator.load(original, precision=precision)
        (spec,) = translator.specs(TranslateOptions())
        answer = translator.compute({"image": image}, spec)
        far = (answer - exact).abs().max().item()
        decibels = psnr(answer, exact).item()
        print(f"agreement of {precision:5} with the classic result: {decibels:6.1f} dB, at most {far:.1e}")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--images", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--size", type=int, default=256)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        photos, classic, original = prepare(folder, arguments.images, arguments.size)
        script = [sys.executable, "-m", "benchmarks.lib.classic_translate", str(classic), str(photos)]
        i2i = [
            sys.executable,
            "-m",
            "i2icli",
            "translate",
            str(photos),
            "--model",
            str(original),
            "--overwrite",
        ]
        contenders = {
            "classic": [*script, str(folder / "a")],
            "i2i (default)": [*i2i, "--out", str(folder / "b")],
            "i2i fp32": [*i2i, "--out", str(folder / "c"), "--precision", "fp32"],
        }
        times: dict[str, list[float]] = {name: [] for name in contenders}
        for _ in range(arguments.rounds):
            for name, command in contenders.items():
                times[name].append(run(command)[0])
        for name, own in times.items():
            ratios = [a / b for a, b in zip(times["classic"], own, strict=True)]
            print(
                f"{name:14} {median(own):6.2f} s   {median(ratios):5.2f}x "
                f"({min(ratios):.2f}-{max(ratios):.2f})"
            )
        agreement(original, photos)


if __name__ == "__main__":
    main()
