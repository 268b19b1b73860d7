"""The baseline: CycleGAN in the style of classic scripts, with plain modules in eager float32."""

import itertools

import torch
from torch import Tensor, nn


class Block(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.ReflectionPad2d(1), nn.Conv2d(width, width, 3), nn.InstanceNorm2d(width), nn.ReLU(True),
            nn.ReflectionPad2d(1), nn.Conv2d(width, width, 3), nn.InstanceNorm2d(width),
        )  # fmt: skip

    def forward(self, x: Tensor) -> Tensor:
        return x + self.layers(x)


def generator(width: int = 64, blocks: int = 9) -> nn.Sequential:
    """The ResNet generator."""
    return nn.Sequential(
        nn.ReflectionPad2d(3), nn.Conv2d(3, width, 7), nn.InstanceNorm2d(width), nn.ReLU(True),
        nn.Conv2d(width, 2 * width, 3, 2, 1), nn.InstanceNorm2d(2 * width), nn.ReLU(True),
        nn.Conv2d(2 * width, 4 * width, 3, 2, 1), nn.InstanceNorm2d(4 * width), nn.ReLU(True),
        *(Block(4 * width) for _ in range(blocks)),
        nn.ConvTranspose2d(4 * width, 2 * width, 3, 2, 1, 1), nn.InstanceNorm2d(2 * width), nn.ReLU(True),
        nn.ConvTranspose2d(2 * width, width, 3, 2, 1, 1), nn.InstanceNorm2d(width), nn.ReLU(True),
        nn.ReflectionPad2d(3), nn.Conv2d(width, 3, 7), nn.Tanh(),
    )  # fmt: skip


def discriminator(width: int = 64) -> nn.Sequential:
    """The 70x70 PatchGAN."""
    layers: list[nn.Module] = [nn.Conv2d(3, width, 4, 2, 1), nn.LeakyReLU(0.2, True)]
    for inner, outer, stride in ((width, 2 * width, 2), (2 * width, 4 * width, 2), (4 * width, 8 * width, 1)):
        layers += [nn.Conv2d(inner, outer, 4, stride, 1), nn.InstanceNorm2d(outer), nn.LeakyReLU(0.2, True)]
    return nn.Sequential(*layers, nn.Conv2d(8 * width, 1, 4, 1, 1))


class ClassicCycleGAN:
    """Networks, optimisers and the training step; batch 1, without image pools, as on our side."""

    def __init__(self, width: int = 64, blocks: int = 9) -> None:
        self.G_A, self.G_B = generator(width, blocks), generator(width, blocks)
        self.D_A, self.D_B = discriminator(width), discriminator(width)
        G = itertools.chain(self.G_A.parameters(), self.G_B.parameters())
        D = itertools.chain(self.D_A.parameters(), self.D_B.parameters())
        self.optimizer_G = torch.optim.Adam(G, 2e-4, (0.5, 0.999))
        self.optimizer_D = torch.optim.Adam(D, 2e-4, (0.5, 0.999))
        self.mse, self.l1 = nn.MSELoss(), nn.L1Loss()

    def step(self, A: Tensor, B: Tensor) -> None:
        """One training step as in classic scripts."""
        fake_B, fake_A = self.G_A(A), self.G_B(B)
        rec_A, rec_B = self.G_B(fake_B), self.G_A(fake_A)
        self._freeze(True)
        self.optimizer_G.zero_grad()
        same_B, same_A = self.G_A(B), self.G_B(A)
        loss = self._gan(self.D_A(fake_B), 1.0) + self._gan(self.D_B(fake_A), 1.0)
        loss = loss + 10 * self.l1(rec_A, A) + 10 * self.l1(rec_B, B)
        loss = loss + 5 * self.l1(same_A, A) + 5 * self.l1(same_B, B)
        loss.backward()
        self.optimizer_G.step()
        self._freeze(False)
        self.optimizer_D.zero_grad()
        for D, real, fake in ((self.D_A, B, fake_B.detach()), (self.D_B, A, fake_A.detach())):
            (0.5 * (self._gan(D(real), 1.0) + self._gan(D(fake), 0.0))).backward()
        self.optimizer_D.step()

    def _gan(self, score: Tensor, target: float) -> Tensor:
        return self.mse(score, torch.full_like(score, target))

    def _freeze(self, frozen: bool) -> None:
        for weight in itertools.chain(self.D_A.parameters(), self.D_B.parameters()):
            weight.requires_grad = not frozen
