"""A pix2pixHD training step and a translation against a plain eager loop that computes the same.

    python -m benchmarks.speed.pix2pixhd_step [--rounds 6] [--size 256] [--width 32] [--enhancers 0]

The plain loop makes one-hot planes of the label map and uses the library's layers, in float32; weights, order
of updates and losses are the same. Timed in turns in one process, as processor time; printed are the median
time and the median of plain seconds / our seconds with its range: more than 1 is faster than the plain loop.
"""

import time
from collections.abc import Callable, Sequence
from copy import deepcopy
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, l1_loss, mse_loss, one_hot

from benchmarks.lib.arguments import argument_parser
from benchmarks.lib.steps import Step, compare_steps, engine_step
from benchmarks.lib.timing import print_speed_ups, time_in_turns
from i2icli.classes import numbered
from i2icli.config import Config
from i2icli.inference.inference import Inference
from i2icli.inference.options import TranslateOptions
from i2icli.nn.label_maps import boundaries
from i2icli.registry import config_type
from i2icli.runtime.torch_backend import TorchBackend
from i2icli.system import System
from i2icli.systems.pix2pixhd.names import grown_names, resnet_names
from i2icli.training.trainer import Trainer

CLASSES = 35


class Block(nn.Module):
    """The plain loop's residual block."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv_block = nn.Sequential(*padded(width, width, 3), nn.ReLU(True), *padded(width, width, 3))

    def forward(self, x: Tensor) -> Tensor:
        return x + self.conv_block(x)  # type: ignore[no-any-return]


def padded(before: int, after: int, kernel: int) -> list[nn.Module]:
    return [nn.ReflectionPad2d(kernel // 2), nn.Conv2d(before, after, kernel), nn.InstanceNorm2d(after)]


def down(width: int) -> list[nn.Module]:
    conv = nn.Conv2d(width, 2 * width, 3, 2, 1)
    return [conv, nn.InstanceNorm2d(2 * width), nn.ReLU(True)]


def up(width: int) -> list[nn.Module]:
    conv = nn.ConvTranspose2d(width, width // 2, 3, 2, 1, 1)
    return [conv, nn.InstanceNorm2d(width // 2), nn.ReLU(True)]


def head(width: int) -> list[nn.Module]:
    return [nn.ReflectionPad2d(3), nn.Conv2d(width, 3, 7), nn.Tanh()]


class PlainGenerator(nn.Module):
    """Layers numbered as in the authors' code, so that `names` knows which of ours is which."""

    def __init__(self, channels: int, config: Config) -> None:
        super().__init__()
        settings = config.model_dump()
        width, depth, self.grown = settings["width"], settings["depth"], settings["grown"]
        layers = [*padded(channels, width, 7), nn.ReLU(True)]
        layers += [layer for level in range(depth) for layer in down(width << level)]
        layers += [Block(width << depth) for _ in range(settings["num_blocks"])]
        layers += [layer for level in range(depth, 0, -1) for layer in up(width << level)]
        self.model = nn.Sequential(*layers, *([] if self.grown else head(width)))
        for number in range(1, self.grown + 1):
            width //= 2
            first = nn.Sequential(*padded(channels, width, 7), nn.ReLU(True), *down(width))
            blocks = [Block(2 * width) for _ in range(settings["num_enhancer_blocks"])]
            last = head(width) if number == self.grown else []
            self.add_module(f"model{number}_1", first)
            self.add_module(f"model{number}_2", nn.Sequential(*blocks, *up(2 * width), *last))

    def forward(self, x: Tensor) -> Tensor:
        scales = [x]
        for _ in range(self.grown):
            scales.append(avg_pool2d(scales[-1], 3, 2, 1, count_include_pad=False))
        found: Tensor = self.model(scales[-1])
        for number in range(1, self.grown + 1):
            first, last = self.get_submodule(f"model{number}_1"), self.get_submodule(f"model{number}_2")
            found = last(first(scales[-1 - number]) + found)
        return found


class PlainDiscriminator(nn.Module):
    """One scale; the parameters are those of ours, in order."""

    def __init__(self, channels: int, width: int, num_layers: int) -> None:
        super().__init__()
        widths = [min(width << layer, 512) for layer in range(num_layers + 1)]
        self.layers = nn.ModuleList([
            nn.Sequential(nn.Conv2d(channels, width, 4, 2, 2), nn.LeakyReLU(0.2, True)),
            *(
                nn.Sequential(
                    nn.Conv2d(widths[n - 1], widths[n], 4, 1 if n == num_layers else 2, 2),
                    nn.InstanceNorm2d(widths[n]),
                    nn.LeakyReLU(0.2, True),
                )
                for n in range(1, num_layers + 1)
            ),
            nn.Conv2d(widths[-1], 1, 4, 1, 2),
        ])  # fmt: skip

    def forward(self, x: Tensor) -> list[Tensor]:
        return [x := layer(x) for layer in self.layers]


class Plain:
    """The plain loop."""

    def __init__(self, system: System[Config]) -> None:
        settings = system.config.model_dump()
        self.G = PlainGenerator(CLASSES + 1, system.config)
        sizes = CLASSES + 4, settings["discriminator_width"], settings["num_layers"]
        count = settings["num_scales"] + settings["grown"]
        self.D = nn.ModuleList(PlainDiscriminator(*sizes) for _ in range(count))
        layout = settings["depth"], settings["num_blocks"]
        more = settings["grown"], settings["num_enhancer_blocks"]
        names = grown_names(*layout, *more) if settings["grown"] else resnet_names(*layout)
        ours = system.get_submodule("G").state_dict()
        theirs = self.G.state_dict()
        self.G.load_state_dict({key: ours[f"{names[key.rpartition('.')[0]]}.{key.rpartition('.')[2]}"]
                                for key in theirs})  # fmt: skip
        weights = zip(self.D.parameters(), system.get_submodule("D").parameters(), strict=True)
        for mine, other in weights:
            mine.data.copy_(other)
        self.adams = [
            torch.optim.Adam(each.parameters(), 2e-4, (0.5, 0.999), fused=True) for each in (self.G, self.D)
        ]

    def planes(self, labels: Tensor) -> Tensor:
        planes = one_hot(labels[:, 0], CLASSES).movedim(-1, 1).float()
        return torch.cat([planes, boundaries(labels)], 1)

    def judged(self, planes: Tensor, image: Tensor) -> list[list[Tensor]]:
        found, x = [], torch.cat([planes, image], 1)
        for network in reversed(self.D):
            found.append(network(x))
            x = avg_pool2d(x, 3, 2, 1, count_include_pad=False)
        return found

    def step(self, batch: dict[str, Tensor]) -> tuple[float, float]:
        planes, image = self.planes(batch["labels"]), batch["image"]
        fake = self.G(planes)
        of_fake, of_real = self.judged(planes, fake), self.judged(planes, image)
        gan = sum(mse_loss(each[-1], torch.ones_like(each[-1])) for each in of_fake)
        matching = sum(
            l1_loss(mine, theirs.detach())
            for fakes, reals in zip(of_fake, of_real, strict=True)
            for mine, theirs in zip(fakes[:-1], reals[:-1], strict=True)
        )
        g_loss = gan + 10 / len(of_fake) * 4 / (len(of_fake[0]) - 1) * matching
        self.adams[0].zero_grad()
        g_loss.backward(inputs=list(self.G.parameters()))
        self.adams[0].step()
        scores = zip(of_real, self.judged(planes, fake.detach()), strict=True)
        d_loss = 0.5 * sum(
            mse_loss(real[-1], torch.ones_like(real[-1])) + mse_loss(made[-1], torch.zeros_like(made[-1]))
            for real, made in scores
        )
        self.adams[1].zero_grad()
        d_loss.backward()
        self.adams[1].step()
        return d_loss.item(), gan.item()

    @torch.inference_mode()
    def translate(self, labels: Tensor) -> Tensor:
        return self.G(self.planes(labels))  # type: ignore[no-any-return]


def translation(trainer: Trainer, labels: Tensor) -> Callable[[], object]:
    """Translating with the weights of a trainer, as `i2i translate` does."""
    system = deepcopy(trainer.system).eval().requires_grad_(False)
    inference = Inference(TorchBackend(system, trainer.placement), Path())
    (spec,) = inference.specs(TranslateOptions())
    return lambda: inference.compute({"labels": labels.numpy()}, spec)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argument_parser(__doc__, __spec__.name)
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--width", type=int, default=32)
    parser.add_argument("--enhancers", type=int, default=0)
    parser.add_argument("--batch", type=int, default=1)
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    torch.manual_seed(0)
    side = options.size // 8
    labels = torch.randint(CLASSES, (options.batch, 1, side, side))
    batch = {
        "labels": labels.repeat_interleave(8, 2).repeat_interleave(8, 3),
        "image": torch.rand(options.batch, 3, options.size, options.size) * 2 - 1,
    }
    config = config_type("pix2pixhd")(
        classes=numbered(CLASSES), crop_size=options.size, width=options.width, grown=options.enhancers,
        grown_before=options.enhancers, batch_size=options.batch, steps=10**6, perceptual="off",
        preprocess="resize",
    )  # fmt: skip
    trainers: dict[str, Trainer] = {}
    steps: dict[str, Step] = {}
    for precision in ("fp32", "auto"):
        trainers[precision], steps[f"i2i {precision}"] = engine_step("pix2pixhd", config, precision, batch)
    plain = Plain(trainers["fp32"].system)
    contenders = {"plain fp32": lambda: plain.step(batch)} | steps
    about = f"{options.size} px, width {options.width}, batch {options.batch}"
    compare_steps(contenders, options.rounds, about, time.process_time)
    translations = {"plain fp32": lambda: plain.translate(batch["labels"])}
    for name, trainer in trainers.items():
        translations[f"i2i {name}"] = translation(trainer, batch["labels"])
    print_speed_ups(time_in_turns(translations, options.rounds, timer=time.process_time), "s/translation")


if __name__ == "__main__":
    main()
