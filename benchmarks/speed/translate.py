"""`i2i translate` of 64 JPEGs of 256 px against the classic script that processes them one by one.

    python -m benchmarks.speed.translate [--images 64] [--rounds 3] [--size 256] [--cpu]

Whole processes including start-up, in turns; ResNet-9, 64 filters, random weights. i2i computes by torch, by
the runtimes from proven graphs of its cache, and by a graph in 8 bits, which `i2i export --int8` calibrates
on some of the images; these exports are made before and not counted. Printed are the median of classic
seconds / our seconds with its range; PSNR of the written images to those of `i2i translate --runtime torch
--precision fp32`, and the spectral distance of those in 8 bits; and the start-up: one image of 64 px and a
network that takes no time, torch's seconds / the runtimes'.

With --cpu all processes run on one processor, and its time is counted: for machines that do other work, too.

The agreement with the classic network is that of outputs in [-1, 1], before they are written.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

import torch
from PIL import Image

from benchmarks.lib.arguments import argument_parser
from benchmarks.lib.classic import generator
from benchmarks.lib.timing import Timer, print_speed_ups, time_in_turns
from i2icli.demo.toy.scenes import scene
from i2icli.graphs.sessions import installed
from i2icli.image import read_image, to_tensor
from i2icli.inference.options import TranslateOptions
from i2icli.inference.translator import Translator
from i2icli.nn.spectrum import spectral_distance
from i2icli.scores import psnr

CALIBRATED_ON = 8  # images
I2I = [sys.executable, "-m", "i2icli"]


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
    classic = folder / "classic.pth"
    torch.save(network.state_dict(), classic)
    original = folder / "latest_net_G.pth"
    save_original(network, original)
    return photos, classic, original


def save_original(network: torch.nn.Module, path: Path) -> None:
    """A classic generator as the authors' program saves it."""
    state = network.state_dict()
    torch.save({f"model.{key.replace('layers', 'conv_block')}": value for key, value in state.items()}, path)


def run(command: list[str]) -> None:
    """Run a process; exits with its error message if it fails."""
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(done.stderr)


def cpu_time() -> float:
    """Seconds of a processor that all processes together took that were started here and have ended."""
    times = os.times()
    return times.children_user + times.children_system


def translate(inputs: Path, model: Path, out: Path, *options: str) -> list[str]:
    """The command that translates some images."""
    return [*I2I, "translate", str(inputs), "--model", str(model), "--out", str(out), "--overwrite", *options]


def ways() -> dict[str, tuple[str, ...]]:
    """The options of every way to compute the model, those of int8 beside its own file."""
    found: dict[str, tuple[str, ...]] = {
        "torch": ("--runtime", "torch"),
        "torch fp32": ("--runtime", "torch", "--precision", "fp32"),
    }
    if "openvino" in installed():
        found["openvino"] = ("--runtime", "openvino")
        found["openvino fp32"] = ("--runtime", "openvino", "--precision", "fp32")
    if "onnxruntime" in installed():
        found["onnxruntime fp32"] = ("--runtime", "onnxruntime", "--precision", "fp32")
    return found


def export_int8(original: Path, photos: Path, folder: Path) -> Path:
    """The model in 8 bits, as a file that every runtime takes."""
    some = folder / "some"
    some.mkdir()
    for path in sorted(photos.iterdir())[:CALIBRATED_ON]:
        (some / path.name).write_bytes(path.read_bytes())
    how = ["--int8", "--calibrate", str(some), "--force", "--out", str(folder / "int8.onnx")]
    run([*I2I, "export", str(original), *how])
    return folder / "int8.onnx"


def compare(outs: Mapping[str, Path]) -> None:
    """Print how closely the written images agree with those of torch in fp32."""
    truth = outs["torch fp32"]
    for name, out in outs.items():
        if out == truth:
            continue
        decibels, distances = [], []
        for path in sorted(truth.glob("*.jpg")):
            pair = [to_tensor(read_image(each).pixels)[None] for each in (out / path.name, path)]
            decibels.append(psnr(*pair).item())
            distances.append(spectral_distance(*pair).item())
        line = f"{name:17} {sum(decibels) / len(decibels):6.1f} dB to fp32"
        print(line + (f", spectral distance {sum(distances) / len(distances):.3f}" if "int8" in name else ""))


def agreement(original: Path, photos: Path) -> None:
    """Print how closely each precision of torch agrees with the classic network on one photo."""
    image = to_tensor(read_image(sorted(photos.glob("*.jpg"))[0]).pixels)[None]
    network = generator()
    network.load_state_dict(torch.load(original.parent / "classic.pth", weights_only=True))
    with torch.no_grad():
        exact = network(image)
    for precision in ("fp32", "auto", "bf16"):
        translator = Translator.load(original, precision=precision, runtime="torch")
        (spec,) = translator.specs(TranslateOptions())
        answer = torch.from_numpy(translator.compute({"image": image.numpy()}, spec))
        difference = (answer - exact).abs().max().item()
        decibels = psnr(answer, exact).item()
        print(f"{precision:5} against the classic network: {decibels:6.1f} dB, at most {difference:.1e}")


def start_up(folder: Path, rounds: int, timer: Timer) -> None:
    """Print seconds of a process that translates one image of 64 px with a tiny network."""
    model, image = folder / "small" / "latest_net_G.pth", folder / "one.png"
    model.parent.mkdir()
    save_original(generator(width=4, blocks=6), model)
    Image.fromarray(scene(0, 64).photo).save(image)
    commands = {
        name: translate(image, model, folder / "one" / name, "--runtime", name)
        for name in ("torch", *sorted(installed()))
    }
    for command in commands.values():
        run(command)  # exports
    print("start-up:")
    work = {name: partial(run, command) for name, command in commands.items()}
    print_speed_ups(time_in_turns(work, 3 * rounds, warm_up=0, timer=timer), "s")


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argument_parser(__doc__, __spec__.name)
    parser.add_argument("--images", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--cpu", action="store_true", help="time of one processor")
    options = parser.parse_args(arguments)
    timer: Timer = cpu_time if options.cpu else time.perf_counter
    if options.cpu:
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        os.environ["I2I_HOME"] = str(folder / "home")
        photos, classic, original = prepare(folder, options.images, options.size)
        outs = {name: folder / name for name in ways()}
        commands = {name: translate(photos, original, outs[name], *how) for name, how in ways().items()}
        eight = export_int8(original, photos, folder)
        for runtime in installed():
            name = f"{runtime} int8"
            outs[name] = folder / name
            commands[name] = translate(photos, eight, outs[name], "--runtime", runtime)
        one = sorted(photos.iterdir())[0]
        for how in ways().values():
            run(translate(one, original, folder / "first", *how))  # exports into the cache
        commands["i2i (default)"] = translate(photos, original, folder / "default")
        script = [sys.executable, "-m", "benchmarks.lib.classic_translate", str(classic), str(photos)]
        contenders = {"classic": [*script, str(folder / "classic")], **commands}
        work = {name: partial(run, command) for name, command in contenders.items()}
        print_speed_ups(time_in_turns(work, options.rounds, warm_up=0, timer=timer), "s")
        compare(outs)
        agreement(original, photos)
        start_up(folder, options.rounds, timer)


if __name__ == "__main__":
    main()
