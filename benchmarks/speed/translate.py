"""`i2i translate` of 64 JPEGs of 256 px against the classic script that processes them one by one.

    python -m benchmarks.speed.translate [--images 64] [--rounds 3] [--size 256]

Whole processes including start-up, in turns; ResNet-9, 64 filters. Printed are the median of classic
seconds / our seconds with its range, and the agreement of the outputs with the classic network's, as PSNR in
dB and as the largest difference of outputs in [-1, 1].
"""

import subprocess
import sys
import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import torch
from PIL import Image

from benchmarks.lib.arguments import argument_parser
from benchmarks.lib.classic import generator
from benchmarks.lib.timing import print_speed_ups, time_in_turns
from i2icli.demo.toy.scenes import scene
from i2icli.image import read_image, to_tensor
from i2icli.inference.options import TranslateOptions
from i2icli.inference.translator import Translator
from i2icli.scores import psnr


def prepare(folder: Path, images: int, size: int) -> tuple[Path, Path, Path]:
    """Synthetic JPEGs; a random generator as the authors' .pth and as a state dict of the classic script."""
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


def run(command: list[str]) -> None:
    """Run a process; exits with its error message if it fails."""
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(done.stderr)


def agreement(original: Path, photos: Path) -> None:
    """Print how closely each precision agrees with the classic network on one photo."""
    image = to_tensor(read_image(sorted(photos.glob("*.jpg"))[0]).pixels)[None]
    network = generator()
    network.load_state_dict(torch.load(original.parent / "classic.pth", weights_only=True))
    with torch.no_grad():
        exact = network(image)
    for precision in ("fp32", "auto", "bf16"):
        translator = Translator.load(original, precision=precision)
        (spec,) = translator.specs(TranslateOptions())
        answer = torch.from_numpy(translator.compute({"image": image.numpy()}, spec))
        difference = (answer - exact).abs().max().item()
        decibels = psnr(answer, exact).item()
        print(f"{precision:5} against the classic network: {decibels:6.1f} dB, at most {difference:.1e}")


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argument_parser(__doc__, __spec__.name)
    parser.add_argument("--images", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--size", type=int, default=256)
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        photos, classic, original = prepare(folder, options.images, options.size)
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
        work = {name: partial(run, command) for name, command in contenders.items()}
        print_speed_ups(time_in_turns(work, options.rounds, warm_up=0), "s")
        agreement(original, photos)


if __name__ == "__main__":
    main()
