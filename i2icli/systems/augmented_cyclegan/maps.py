"""The mappings of Augmented CycleGAN, there and back, as training, translating and measuring use them."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from i2icli.nn.resizing import resized
from i2icli.systems.augmented_cyclegan.config import AugmentedCycleGANConfig
from i2icli.systems.augmented_cyclegan.latent import Codes


@dataclass(frozen=True)
class Maps:
    """Generators and encoders by the side, "A" or "B", that they lead to or whose codes they find."""

    config: AugmentedCycleGANConfig
    generators: dict[str, nn.Module]
    encoders: nn.ModuleDict

    @property
    def coded(self) -> tuple[str, ...]:
        """The sides that have codes: "B", and with `two_sided` "A" too."""
        return tuple(self.encoders)

    def to(self, side: str, image: Tensor, code: Tensor | None) -> Tensor:
        """An image of the other side, (B, C, H, W), with a code (B, Z) where the side has codes."""
        return self.generators[side](image, code)  # type: ignore[no-any-return]

    def encode(self, side: str, image_A: Tensor, image_B: Tensor, *, stochastic: bool = False) -> Codes:
        """The codes of images of one side, beside what they came from or lead to."""
        if self.config.encoder_input == "pair":
            seen = torch.cat([image_A, image_B], dim=1)  # (B, C_A + C_B, H, W)
        else:
            seen = image_A if side == "A" else image_B
        return Codes.of(*self.encoders[side](seen), stochastic=stochastic)

    def all_codes(self, image_A: Tensor, image_B: Tensor) -> dict[str, Codes]:
        """The codes of every side that has some, of images of the same scenes."""
        return {side: self.encode(side, image_A, image_B) for side in self.coded}

    def back(self, side: str, image: Tensor, codes: dict[str, Codes]) -> Tensor:
        """To a side with the code that was found there, if it has codes."""
        return self.to(side, image, codes[side].drawn if side in codes else None)

    def middle(self, side: str, image: Tensor) -> Tensor:
        """To a side with the likeliest of its codes, zero, if it has codes."""
        zero = torch.zeros(image.shape[0], self.config.num_latents).to(image)  # (B, Z)
        return self.to(side, image, zero if side in self.coded else None)

    def style(self, side: str, image: Tensor) -> Tensor:
        """What tells images of a side from the others of the same scene: (B, C, h, w) -> codes (B, Z).

        They are brought to the size the encoder was trained on; it sees them beside what they look like
        in the other domain.
        """
        small = resized(image, self.config.crop_size).to(image)  # (B, C, H, W)
        other = self.middle("A" if side == "B" else "B", small)
        return self.encode(side, *((small, other) if side == "A" else (other, small))).mean
