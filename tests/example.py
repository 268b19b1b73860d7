"""A tiny system that uses every part of the contract: an example for those to come.

It paints label maps: labels and instances in, the style of a reference, with a memory of the frame before, at
the one size its networks know. A frozen network is only asked.
"""

from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, mse_loss
from torch.optim import Optimizer

from i2icli.classes import LabelClass, LabelSet
from i2icli.config import Config, Size
from i2icli.nn.label_maps import one_hot
from i2icli.stage import Stage
from i2icli.system import Batch, Evaluation, Inputs, Memory, System, Update
from i2icli.task import Noise, Port, Task, noise_planes

LABELS = LabelSet(
    (
        LabelClass(0, "sky", (120, 180, 255)),
        LabelClass(1, "road", (128, 64, 128)),
        LabelClass(2, "tree"),
        LabelClass(3, "house", (200, 0, 0)),
    )
)
CLASSES = LABELS.count


class PainterConfig(Config):
    """Settings of the example."""

    crop_size: Size = (16, 16)
    width: int = 3
    optional: bool = False  # whether it does without instances
    drawn: bool = False  # whether styles may be drawn instead of taken from a reference

    def tasks(self, stage: Stage) -> tuple[Task, ...]:  # noqa: ARG002
        """One task: what a label map shows."""
        return (
            Task(
                None,
                inputs={
                    "labels": Port(CLASSES, "labels", labels=LABELS, fixed=self.crop_size),
                    "instances": Port(
                        1, "instances", fixed=self.crop_size, instead="labels" if self.optional else None
                    ),
                },
                output=Port(3),
                reads=frozenset({"reference", "latent"} if self.drawn else {"reference"}),
                requires=frozenset() if self.drawn else frozenset({"reference"}),
                latent_size=3 if self.drawn else 0,
                broadcasts=True,
                reference=Port(3),
                noise=noise_planes([Noise(1, 1.0)]),
                memory={"previous": Port(3)},
            ),
        )


class LabelPainter(System[PainterConfig]):
    """Batches hold "labels" and "instances", (B, 1, H, W) ids, "reference" and "image", (B, 3, H, W)."""

    frozen = ("features",)

    def __init__(self, config: PainterConfig) -> None:
        super().__init__(config)
        self.G = nn.Conv2d(CLASSES + 1 + 1 + 3, 3, 1)
        self.features = nn.Sequential(nn.Conv2d(3, config.width, 3, padding=1), nn.BatchNorm2d(config.width))

    def optimizers(self) -> dict[str, Optimizer]:
        """One for the painter; the frozen network learns nothing."""
        return {"G": self.adam(self.G)}

    def training_step(self, batch: Batch) -> Iterator[Update]:
        """As near to the image as the frozen network can see."""
        style = self._style(batch["reference"])
        noise = torch.zeros_like(batch["labels"], dtype=torch.float32)
        fake = self._painted(batch["labels"], batch["instances"], noise, style)
        loss = mse_loss(self.features(fake), self.features(batch["image"]))
        yield Update("G", {"features": loss}, fakes={"": (fake, batch["image"])})

    def encode(self, task: Task, conditions: Inputs, inputs: Inputs) -> Inputs:  # noqa: ARG002
        """The mean colour of the reference, or a colour that was drawn, (1, 3, 1, 1)."""
        if "latent" in conditions:
            return {"style": conditions["latent"][..., None, None].tanh()}
        return {"style": self._style(conditions["reference"])}

    def forward(self, task: Task, inputs: Inputs, memory: Memory | None = None) -> tuple[Tensor, Memory]:
        """Half of every frame is the one before; the first has none."""
        (noise,) = (inputs[name] for name in task.noise)
        instances = inputs["instances"]
        painted = self._painted(inputs["labels"], instances, noise, inputs["style"])
        output = painted if not memory else (painted + memory["previous"]) / 2
        return output, {"previous": output}

    def evaluate(self, batch: Batch) -> Evaluation:
        """Beside the image."""
        noise = torch.zeros_like(batch["labels"], dtype=torch.float32)
        fake = self._painted(batch["labels"], batch["instances"], noise, self._style(batch["reference"]))
        return Evaluation(compared={"": (fake, batch["image"])}, labels=batch["labels"])

    def _painted(self, labels: Tensor, instances: Tensor, noise: Tensor, style: Tensor) -> Tensor:
        """Maps and noise of one row meet the styles of many."""
        planes = one_hot(labels, CLASSES)  # (B, L, H, W)
        colour = style.expand(max(len(labels), len(style)), -1, *labels.shape[-2:])  # (K, 3, H, W)
        maps = torch.cat([planes, edges(instances), noise], 1)  # (B, L + 2, H, W)
        return self.G(torch.cat([maps.expand(len(colour), -1, -1, -1), colour], 1)).tanh()  # (K, 3, H, W)

    @staticmethod
    def _style(reference: Tensor) -> Tensor:
        return reference.mean((2, 3), keepdim=True)


def edges(instances: Tensor) -> Tensor:
    """(B, 1, H, W) ids -> 1 where a pixel's id differs from that of the pixel to the left, else 0."""
    kernel = instances.new_tensor([[[[-1.0, 1.0, 0.0]]]]).double()
    return (conv2d(instances.double(), kernel, padding=(0, 1)) != 0).float()
