"""`i2i video` against a plain loop over imageio; time outside the network; memory by the video's length.

    python -m benchmarks.speed.video [--frames 20] [--rounds 3] [--size 256] [--long 100]
    python -m benchmarks.speed.video --memory

A ResNet-9 with 64 filters on synthetic videos. The loop reads, translates in eager float32 and writes one
frame after another, as scripts do; models are loaded before. Printed are the median of loop seconds / our
seconds with its range, in turns, and the share of the time of a video of --long frames in which no network
was computing. With --memory: peak resident memory of translating 2,000 frames over that of 100 (64x48 px, a
small network), each in a process of its own.
"""

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import imageio.v2 as imageio
import numpy as np
import torch
from torch import nn

from benchmarks.lib.arguments import argument_parser
from benchmarks.lib.classic import generator
from benchmarks.lib.timing import print_speed_ups, time_in_turns
from benchmarks.speed.translate import prepare
from i2icli.inference.translator import Translator
from i2icli.video import write_video

PEAK = """
import resource, sys
from i2icli.inference.translator import Translator
for result in Translator.load({model!r}, runtime="torch").video({clip!r}, {out!r}, overwrite=True):
    assert result.frames == {frames}, result
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def moving(frames: int, size: tuple[int, int]) -> Iterator[np.ndarray[Any, Any]]:
    """Frames (H, W, 3) of a moving pattern with some noise."""
    rng = np.random.default_rng(0)
    rows, columns = np.mgrid[: size[0], : size[1]]
    for number in range(frames):
        planes = [rows + number, columns - number, rows + columns + 2 * number]
        pixels = np.stack([127 + 90 * np.sin(plane / 17) for plane in planes], axis=2)
        yield (pixels + rng.integers(0, 20, pixels.shape)).clip(0, 255).astype(np.uint8)


def plain_loop(network: nn.Module, clip: Path, target: Path) -> None:
    """Read, translate, write, one frame after another."""
    reader = imageio.get_reader(clip)
    with imageio.get_writer(target, fps=reader.get_meta_data()["fps"], macro_block_size=None) as writer:
        for frame in reader:
            image = torch.from_numpy(np.asarray(frame)).permute(2, 0, 1)[None].float() / 127.5 - 1
            with torch.no_grad():
                output = network(image)[0]
            pixels = ((output.permute(1, 2, 0).numpy() + 1) * 127.5).clip(0, 255).astype("uint8")
            writer.append_data(pixels)


def ours(translator: Translator, clip: Path, target: Path) -> None:
    """`i2i video`, with the model loaded."""
    for result in translator.video(clip, target, overwrite=True):
        if result.status != "done":
            raise SystemExit(str(result.error))


@contextmanager
def network_time(translator: Translator) -> Iterator[list[float]]:
    """The seconds of every forward pass inside the block."""
    times: list[float] = []
    forward = translator.backend.system.forward

    def timed(*given: Any) -> Any:
        start = time.perf_counter()
        made = forward(*given)
        times.append(time.perf_counter() - start)
        return made

    translator.backend.system.forward = timed  # type: ignore[method-assign]
    try:
        yield times
    finally:
        del translator.backend.system.forward


def outside(translator: Translator, clip: Path, target: Path) -> float:
    """The share of the time of a whole video in which no network was computing."""
    with network_time(translator) as times:
        start = time.perf_counter()
        ours(translator, clip, target)
        return 1 - sum(times) / (time.perf_counter() - start)


def memory() -> None:
    """Print how peak memory depends on the length."""
    from tests.inference.videos import write_tiny

    peaks = {}
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        model = write_tiny(folder / "model.safetensors")
        for frames in (100, 2000):
            clip = folder / f"{frames}.mp4"
            write_video(clip, moving(frames, (48, 64)), 25)
            code = PEAK.format(model=str(model), clip=str(clip), out=str(folder / "out.mp4"), frames=frames)
            done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
            if done.returncode:
                raise SystemExit(done.stderr)
            peaks[frames] = int(done.stdout)
            print(f"{frames:5} frames: peak {peaks[frames] / 1024:.0f} MB")
    print(f"2,000 frames / 100: {peaks[2000] / peaks[100]:.3f}")


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argument_parser(__doc__, __spec__.name)
    parser.add_argument("--frames", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--long", type=int, default=100)
    parser.add_argument("--memory", action="store_true")
    options = parser.parse_args(arguments)
    if options.memory:
        memory()
        return
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        _, classic, original = prepare(folder, 0, options.size)
        network = generator()
        network.load_state_dict(torch.load(classic, weights_only=True))
        clip, long = folder / "clip.mp4", folder / "long.mp4"
        side = (options.size, options.size)
        write_video(clip, moving(options.frames, side), 25)
        write_video(long, moving(options.long, side), 25)
        names = ("auto", "fp32")
        models = {name: Translator.load(original, precision=name, runtime="torch") for name in names}
        contenders = {"imageio loop": partial(plain_loop, network.eval(), clip, folder / "plain.mp4")} | {
            f"i2i {name}": partial(ours, model, clip, folder / f"{name}.mp4")
            for name, model in models.items()
        }
        print_speed_ups(time_in_turns(contenders, options.rounds), "s")
        share = outside(models["auto"], long, folder / "outside.mp4")
        print(f"i2i auto: {share:.1%} of the time of {options.long} frames outside the network")


if __name__ == "__main__":
    main()
