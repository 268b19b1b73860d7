"""vid2vid: films of label maps, edges or other films, frame after frame.

Wang et al., "Video-to-Video Synthesis", NeurIPS 2018, https://arxiv.org/abs/1808.06601. Names: G is the
paper's F with its networks for the raw frame, the flow and the mask; D is its D_I, D_T its D_V at several
strides; the source s is "source" or "labels", the film x is "frames".
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from i2icli.data.examples import DataFolder
from i2icli.data.kinds.clips import Clips
from i2icli.data.options import DataOptions
from i2icli.errors import UserError
from i2icli.extractors.extract import chooser
from i2icli.flow.teachers import teacher
from i2icli.image.label_colours import colours_of
from i2icli.losses.adversarial import ADVERSARIAL
from i2icli.losses.legend import GAN_OF_D, GAN_OF_G, MATCHING
from i2icli.nn.init import init_normal
from i2icli.nn.label_maps import paint
from i2icli.nn.warp import warp
from i2icli.stage import level_progress
from i2icli.system import Batch, Evaluation, Inputs, Memory, System, Update, linear_decay
from i2icli.systems.vid2vid.clip import Clip
from i2icli.systems.vid2vid.config import Vid2VidConfig, triplet_length
from i2icli.systems.vid2vid.frames import (
    Source,
    given_frames,
    no_frames,
    previous_frames,
    with_frames,
)
from i2icli.systems.vid2vid.losses import Adversaries
from i2icli.systems.vid2vid.networks import (
    build_generator,
    build_image_discriminator,
    build_temporal_discriminator,
)
from i2icli.systems.vid2vid.scale import Generated
from i2icli.systems.vid2vid.walk import Walk
from i2icli.task import Task

SHOWN = 3  # frames of a clip on a sample sheet


class Vid2Vid(System[Vid2VidConfig]):
    """A generator with a memory, a discriminator of frames and some of triplets of frames.

    Batches hold clips: "frames" (B, T, C, H, W) in [-1, 1], "source" (B, T, C, H, W), or "labels" (B, T, 1,
    H, W) and perhaps "instances", and flows with their confidences, see `clip.Clip`.
    """

    legend: ClassVar[Mapping[str, str]] = {
        "G/gan*": GAN_OF_G,
        "G/matching*": MATCHING,
        "G/warp": "Difference between frames and those before, moved by the real flow: flicker.",
        "G/flow": "Difference between the generator's optical flow and that of the flow teacher; it falls.",
        "G/flow_warp": "Difference between real frames and those before, moved by the generator's flow.",
        "G/weight": "How much of a frame is drawn anew where moving the one before would do.",
        "D*/gan": GAN_OF_D,
    }

    @staticmethod
    def open_data(folders: Sequence[Path], options: DataOptions, config: Vid2VidConfig) -> DataFolder:
        """See `System.open_data`."""
        choose = None
        if config.condition:
            choose = chooser(
                config.condition,
                blur=config.condition_blur,
                low=config.condition_low,
                high=config.condition_high,
                background=config.condition_background,
            )
        weights = Path(config.flow_weights) if config.flow_weights else None
        found = Clips(
            folders,
            options,
            teacher=teacher(config.flow_teacher, weights),
            clip_length=config.clip_length,
            longest_clip=config.longest_clip,
            temporal_scales=max(1, len(config.temporal_scales)),
            max_stride=config.max_stride,
            choose=choose,
            labels=config.label_set if config.classes else None,
            ignored=config.ignore,
            instances=config.instances,
        )
        for option, given in (("--classes", config.classes), ("--foreground", config.foreground)):
            if given and "labels" not in found.ports:
                raise UserError(f"{option} is about label maps, but {folders[0]} has none; leave it out")
        return found

    def __init__(self, config: Vid2VidConfig) -> None:
        super().__init__(config)
        self.G = build_generator(config, lambda: self.clock)
        self.D = build_image_discriminator(config, lambda: self.clock)
        self.D_T = nn.ModuleDict({
            str(scale): build_temporal_discriminator(config, lambda: self.clock)
            for scale in config.temporal_scales
        })  # fmt: skip
        self.source = Source(config)
        adversarial = ADVERSARIAL[config.gan_loss]()
        self.adversaries = Adversaries(adversarial, config.matching_weight)
        init_normal(self, zero_biases=False)

    # -- learning ------------------------------------------------------------------------

    def optimizers(self) -> dict[str, Optimizer]:
        """One for the generator, and one for each discriminator that the clips are long enough for."""
        length = self.clock.stage.clip_length or 0
        temporal = {
            f"D_T{scale}": self.adam(network)
            for scale, network in self.D_T.items()
            if triplet_length(int(scale)) <= length
        }
        return {"G": self.adam(self.G), "D": self.adam(self.D), **temporal}

    def lr_factor(self, optimizer: str) -> float:
        """Constant, then falling to zero over each level; D_T's too, unlike in the authors' program."""
        start = self.config.decay_from
        return linear_decay(level_progress(self.clock, self.config.stages()), start, 1.0 - start)

    def training_step(self, batch: Batch) -> Iterator[Update]:
        """Through the clips in groups of frames: for each G, then D, then each D_T that has its frames."""
        walk = Walk(self, Clip(batch))
        for group in walk.groups():
            walk.generate(group)
            yield walk.generator_update()
            yield walk.discriminator_update()
            for scale in walk.temporal_scales():
                yield walk.temporal_update(scale)

    # -- using ---------------------------------------------------------------------------

    def forward(self, task: Task, inputs: Inputs, memory: Memory | None = None) -> tuple[Tensor, Memory]:
        """The next frame (B, C, H, W) in [-1, 1]. Without a memory the first: the raw frame alone.

        inputs["source"]: (B, C, H, W), or ["labels"] and perhaps ["instances"]: (B, 1, H, W).
        """
        frames, memory = self.step_of(inputs, memory)
        return frames[0].image, memory if task.memory else {}

    def begin(self, task: Task, inputs: Inputs, output: Tensor) -> Memory:
        """As if all frames before had been the given one, and all maps this one's."""
        source = self.source.of(inputs)
        kept = self.source.remembered(self.source.window(source, None))
        return {**kept, **with_frames(given_frames(output, self.source.before, self._levels))}

    def step_of(self, inputs: Inputs, memory: Memory | None) -> tuple[list[Generated], Memory]:
        """What every scale makes of a frame's inputs, the finest first, and the next memory."""
        source, dtype = self.source.of(inputs), next(self.G.parameters()).dtype
        window = self.source.window(source, memory)
        channels = self.source.before * self.config.image_channels
        previous = (
            previous_frames(memory, self._levels)
            if memory
            else no_frames(source["maps"], channels, self._levels, dtype)
        )
        planes = self.source.planes(window, self.source.before + 1, dtype)
        mask = self.source.mask(source, dtype)
        frames: list[Generated] = self.G(planes, previous, mask, first=not memory)
        last = [
            torch.cat([before[:, self.config.image_channels :], each.image], 1)
            for before, each in zip(previous, frames, strict=True)
        ]
        return frames, {**self.source.remembered(window), **with_frames(last)}

    @property
    def _levels(self) -> int:
        """Scales in use."""
        return self.clock.stage.level + 1

    @property
    def _given(self) -> int:
        """Frames at the start of a clip that it has to be given, as it never learned to make them."""
        return int(self.config.first_frames == "real")

    # -- showing -------------------------------------------------------------------------

    def preview(self, batch: Batch) -> dict[str, Tensor]:
        """Some frames of clips, the oldest first: the source, what is made of it from the first frame on,
        the film.
        """
        length = batch["frames"].shape[1]
        times = sorted({number * (length - 1) // (SHOWN - 1) for number in range(SHOWN)})
        clips = {"source": self._drawn(batch), "fake": self._translated(batch), "truth": batch["frames"]}
        return {name: clip[:, times].flatten(0, 1) for name, clip in clips.items()}  # (B * n, C, H, W)

    def evaluate(self, batch: Batch) -> Evaluation:
        """Whole clips, as they are translated: from a first frame of its own on, unless it learned to go on
        from real ones only; these are not scored.

        warping_error: 1000 times the mean squared difference, of images in [0, 1], of each frame from the one
        before it, moved by the flow of the REAL film, where that is sure; and of the real film itself.
        Lai et al., "Learning Blind Video Temporal Consistency", ECCV 2018, https://arxiv.org/abs/1808.00449.
        """
        real, fake = batch["frames"], self._translated(batch)  # (B, T, C, H, W)
        made = slice(self._given, None)
        pair = {"": (fake[:, made].flatten(0, 1), real[:, made].flatten(0, 1))}
        errors = {"warping_error": fake, "warping_error/real": real}
        measured = {name: warping_error(film, batch) for name, film in errors.items()}
        labels = batch["labels"][:, made].flatten(0, 1) if "labels" in batch else None
        clips = {"source": self._drawn(batch), "fake": fake, "truth": real}
        return Evaluation(pair, pair, measured, labels, clips)

    def _drawn(self, batch: Batch) -> Tensor:
        """What clips are made of, (B, T, C, H, W), classes in their colours."""
        if "labels" not in batch:
            return batch["source"]
        labels = batch["labels"]
        drawn = paint(labels.flatten(0, 1), colours_of(self.config.label_set))
        return drawn.unflatten(0, labels.shape[:2])  # type: ignore[no-any-return,no-untyped-call]

    def _translated(self, batch: Batch) -> Tensor:
        """(B, T, C, H, W): clips frame by frame."""
        clip, memory, found = Clip(batch), None, []
        if self._given:
            found.append(clip.frames[:, 0])
            task = self.config.tasks(self.clock.stage)[0]
            memory = self.begin(task, clip.inputs(0), found[0])
        for time in range(self._given, len(clip)):
            frames, memory = self.step_of(clip.inputs(time), memory)
            memory = memory if self.config.longest_clip > 1 else None
            found.append(frames[0].image)
        return torch.stack(found, 1)


def warping_error(film: Tensor, batch: Batch) -> Tensor:
    """One number for each frame that has a predecessor whose flow is sure anywhere: (n,), see `evaluate`."""
    flow, sure = (batch[name][:, 1:].flatten(0, 1) for name in ("flow_1", "confidence_1"))
    before, after = (each.flatten(0, 1).float() for each in (film[:, :-1], film[:, 1:]))  # (B * (T - 1), ...)
    squared = ((warp(before, flow) - after) / 2).square().mean(1, keepdim=True) * sure  # (..., 1, H, W)
    pixels = sure.sum((1, 2, 3))
    known = pixels > 0
    return 1000 * squared.sum((1, 2, 3))[known] / pixels[known]
