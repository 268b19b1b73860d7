"""A training step's way through its clips: frames are generated group by group, each for one update of all
networks.

Wang et al., "Video-to-Video Synthesis", NeurIPS 2018, section 3.2; the walk is that of the authors' code.
Gradients stop where a group begins, since the weights have changed. So the memory of a step is that of one
group, however long the clip.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from i2icli.losses.feature_matching import Features
from i2icli.system import Memory, Update
from i2icli.systems.vid2vid.clip import Clip, groups
from i2icli.systems.vid2vid.config import TRIPLET, temporal_stride
from i2icli.systems.vid2vid.frames import detached, mixed, newest
from i2icli.systems.vid2vid.losses import Losses, Moved, temporal_input, triplets
from i2icli.systems.vid2vid.scale import Generated

if TYPE_CHECKING:
    from i2icli.systems.vid2vid.system import Vid2Vid


class Walk:
    """One batch of clips, in one training step."""

    def __init__(self, system: "Vid2Vid", clip: Clip) -> None:
        self.system, self.config, self.clip = system, system.config, clip
        self.real_first = self.config.first_frames == "real"
        self.memory: Memory | None = None
        self.film: dict[int, Tensor] = {}  # the frames so far as they are remembered, (B, C, H, W), by time
        self.times: list[int] = []  # of the group
        self.made: list[Generated] = []
        self.own = self._own()
        self.real_scores: Features = []  # of the group: D learns after G, so they serve both updates
        self.real_temporal_scores: dict[int, Features] = {}

    def groups(self) -> list[list[int]]:
        """The times of the frames to be generated, update by update."""
        return groups(1 if self.real_first else 0, len(self.clip), self.config.frames_per_update)

    def generate(self, times: list[int]) -> None:
        """The frames of the next group, each with the memory of those before it."""
        self.times, self.made = times, []
        self.memory = None if self.memory is None else detached(self.memory)
        reach = (TRIPLET - 1) * max((temporal_stride(n) for n in self.config.temporal_scales), default=1)
        self.film = {time: each.detach() for time, each in self.film.items() if time >= times[0] - reach}
        if self.real_first and not self.film:
            self._remember(0, self._given())
        for number, time in enumerate(times):
            frames, memory = self.system.step_of(self.clip.inputs(time), self.memory)
            self.made.append(frames[0])
            if time == 0 and self.own is not None:
                memory = mixed(self.own, memory, self._given())
            back = self.config.frames_backpropagate
            stops = back is not None and (number + 1) % back == 0
            self._remember(time, detached(memory) if stops else memory)

    # -- the updates of a group ----------------------------------------------------------

    def generator_update(self) -> Update:
        """Against all discriminators, with the losses of the flow."""
        image, real = self._stacked("image"), self.clip.real(self.times)  # (n * B, C, H, W)
        kinds = {"": image, "raw": self._stacked("raw")} if self.config.flow else {"": image}
        weighed = self.system.adversaries
        scores = [self._scores(fake) for fake in kinds.values()]
        self.real_scores, self.real_temporal_scores = self._scores(real), {}
        losses = weighed.of_generator(scores, self.real_scores)
        for scale in self.temporal_scales():
            real_scores = self._temporal_scores(scale, self.clip.real_triplets(self._triplets(scale)))
            fake_scores = self._temporal_scores(scale, self._made_triplets(scale))
            self.real_temporal_scores[scale] = real_scores
            losses |= weighed.of_generator([fake_scores], real_scores, f"_{scale}")
        losses |= self._flow_losses()
        reconstructed = {name: (fake, real) for name, fake in kinds.items()}
        return Update("G", losses, fakes={"": (image, real)}, reconstructed=reconstructed)

    def discriminator_update(self) -> Update:
        """D, with the frames that G was updated for."""
        kinds = ("image", "raw") if self.config.flow else ("image",)
        fakes = [self._scores(self._stacked(kind).detach()) for kind in kinds]
        return Update("D", self.system.adversaries.of_discriminator(fakes, self.real_scores))

    def temporal_update(self, scale: int) -> Update:
        """A temporal discriminator, with the triplets that end in this group."""
        fake = self._temporal_scores(scale, self._made_triplets(scale).detach())
        losses = self.system.adversaries.of_discriminator([fake], self.real_temporal_scores[scale])
        return Update(f"D_T{scale}", losses)

    def temporal_scales(self) -> list[int]:
        """Those with triplets that end in this group."""
        return [scale for scale in self.config.temporal_scales if self._triplets(scale)]

    # -- inside --------------------------------------------------------------------------

    def _own(self) -> Tensor | None:
        """Which clips (B,) go on from a first frame of their own; None: all that do not get real ones."""
        if self.config.first_frames != "mixed":
            return None
        frames = self.clip.frames
        return torch.rand(len(frames), device=frames.device) < 0.5

    def _given(self) -> Memory:
        """The memory after a real first frame."""
        system, task = self.system, self.config.tasks(self.system.clock.stage)[0]
        return system.begin(task, self.clip.inputs(0), self.clip.frames[:, 0])

    def _remember(self, time: int, memory: Memory) -> None:
        self.memory = memory
        self.film[time] = newest(memory["frames"], self.config.image_channels)

    def _flow_losses(self) -> Losses:
        """Of the frames that have one before them."""
        after = [number for number, time in enumerate(self.times) if time > 0]
        times = [self.times[number] for number in after]
        if not times:
            return {}
        teacher, confidence = self.clip.flow(times)
        before = [time - 1 for time in times]
        moved = Moved(
            image=self._stacked("image", after),
            before=torch.cat([self.film[time] for time in before]),
            real=self.clip.real(times),
            real_before=self.clip.real(before),
            flow=self._stacked("flow", after) if self.config.flow else None,
            weight=self._stacked("weight", after) if self.config.flow else None,
            teacher=teacher,
            confidence=confidence,
        )
        return moved.losses(
            self.config.flow_weight,
            self.config.warp_weight,
            level=self.system.clock.stage.level,
            own_first=not self.real_first,
        )

    def _stacked(self, kind: str, numbers: Sequence[int] | None = None) -> Tensor:
        """One kind of what was generated in this group, or in some of its frames: (n * B, C, H, W)."""
        chosen = self.made if numbers is None else [self.made[number] for number in numbers]
        return torch.cat([getattr(each, kind) for each in chosen])

    def _scores(self, frames: Tensor) -> Features:
        """What D makes of frames (n * B, C, H, W) of this group's times, beside their maps."""
        source = self.system.source
        planes = torch.cat([
            source.planes(source.of(self.clip.inputs(time)), 1, frames.dtype) for time in self.times
        ])  # (n * B, planes, H, W)  # fmt: skip
        return self.system.D(torch.cat([planes, frames], 1))  # type: ignore[no-any-return]

    def _triplets(self, scale: int) -> list[list[int]]:
        return triplets(self.times, temporal_stride(scale))

    def _made_triplets(self, scale: int) -> Tensor:
        """The generated triplets that end in this group, (n * B, 3, C, H, W)."""
        made = dict(zip(self.times, self.made, strict=True))
        film = self.film | {time: each.image for time, each in made.items() if time > 0}
        found = [torch.stack([film[time] for time in each], 1) for each in self._triplets(scale)]
        return torch.cat(found)

    def _temporal_scores(self, scale: int, frames: Tensor) -> Features:
        """What D_T makes of triplets (n * B, 3, C, H, W), beside the flows of the real film."""
        flows = self.clip.flows_between(self._triplets(scale), scale)
        network = self.system.D_T[str(scale)]
        return network(temporal_input(frames, flows))  # type: ignore[no-any-return]
