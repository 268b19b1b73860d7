"""ComboGAN: any of n domains to any other, with an encoder and a decoder for each.

Anoosheh et al., "ComboGAN: Unrestrained Scalability for Image Domain Translation", CVPR
workshops 2018, https://arxiv.org/abs/1712.06909. Names: a generator of the paper, G_ij, is
decoder j after encoder i (section 3); every step is CycleGAN's, of two domains that are drawn.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import ClassVar, Self

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from i2icli.data.examples import DataFolder
from i2icli.data.kinds.domains import DomainImages
from i2icli.data.options import DataOptions
from i2icli.errors import UserError
from i2icli.losses.adversarial import ADVERSARIAL
from i2icli.losses.legend import CYCLE, GAN_OF_D, GAN_OF_G
from i2icli.nn.init import init_normal
from i2icli.nn.pool import ImagePool
from i2icli.nn.random_shift import RandomShift
from i2icli.system import Batch, Evaluation, Inputs, Memory, System, Update, aligned
from i2icli.systems.combogan.config import ComboGANConfig
from i2icli.systems.combogan.losses import coarse_distance, discriminator_loss, distance, generator_loss
from i2icli.systems.combogan.networks import Decoder, Discriminator, Encoder, SharedBlocks
from i2icli.task import Task


class ComboGAN(System[ComboGANConfig]):
    """Networks are kept by the name of their domain, so that others can be added beside them.

    Batches hold "pair", (B, 2) int64, the numbers of two domains, the same in every row, and "A" and "B",
    an image of each.
    """

    inference_modules = ("encoders", "decoders")
    legend: ClassVar[Mapping[str, str]] = {
        "G/gan": GAN_OF_G,
        "G/cycle": CYCLE,
        "G/identity": "Difference between images and what their own domain decodes them to; it falls.",
        "G/forward": "Coarse difference between images and their translations: what keeps the layout.",
        "G/latent": "Difference between the codes of images and those of their translations; it falls.",
        "D/gan": GAN_OF_D,
    }

    @staticmethod
    def open_data(folders: Sequence[Path], options: DataOptions, config: ComboGANConfig) -> DataFolder:
        """See `System.open_data`."""
        return DomainImages(
            folders,
            options,
            domains=config.domains if "domains" in config.model_fields_set else (),
            learn=config.learn,
        )

    def __init__(self, config: ComboGANConfig) -> None:
        super().__init__(config)
        own = config.num_blocks - config.num_shared
        first = own // 2  # of a domain's own blocks, those before the code
        half = config.num_shared // 2
        self.encoders = self._for_each_domain(lambda: self._encoder(first))
        self.decoders = self._for_each_domain(lambda: self._decoder(own - first))
        self.encoders["shared"] = self._shared(config.num_shared - half)
        self.decoders["shared"] = self._shared(half)
        self.discriminators = self._for_each_domain(self._discriminator)
        self.pools = self._for_each_domain(lambda: ImagePool(config.pool_size))
        self.shift = RandomShift(config.discriminator_shift)
        self.gan = ADVERSARIAL[config.gan_loss]()
        init_normal(self)
        for network in self._kept():
            network.requires_grad_(False)

    def _for_each_domain(self, build: Callable[[], nn.Module]) -> nn.ModuleDict:
        return nn.ModuleDict({module_name(name): build() for name in self.config.domains})

    def _encoder(self, num_blocks: int) -> Encoder:
        config = self.config
        return Encoder(self.config.two_channels[0], config.width, num_blocks, config.norm)

    def _decoder(self, num_blocks: int) -> Decoder:
        config = self.config
        return Decoder(
            self.config.two_channels[0], config.width, num_blocks, config.norm, upsampling=config.upsampling
        )

    def _shared(self, num_blocks: int) -> SharedBlocks:
        config = self.config
        return SharedBlocks(4 * config.width, num_blocks, len(config.domains), config.norm)

    def _discriminator(self) -> Discriminator:
        config = self.config
        norm = config.discriminator_norm or config.norm
        return Discriminator(self.config.two_channels[0], config.discriminator_width, config.num_layers, norm)

    # -- which domains learn -------------------------------------------------------------

    def _of(self, name: str, *kinds: nn.ModuleDict) -> list[nn.Module]:
        """The networks of a domain, of some kinds."""
        return [kind[module_name(name)] for kind in kinds]

    def _kept(self) -> list[nn.Module]:
        """The networks of the domains that are not learned."""
        kept = [name for name in self.config.domains if name not in self.config.learned]
        return [n for name in kept for n in self._of(name, self.encoders, self.decoders, self.discriminators)]

    def train(self, mode: bool = True) -> Self:
        """As usual, but domains that are not learned stay in evaluation: their statistics are final."""
        super().train(mode)
        for network in self._kept():
            network.eval()
        return self

    def check_start(self, loaded: frozenset[str]) -> None:
        """Domains that are not learned must come complete from `--init-from`."""
        for name in self.config.domains:
            if name in self.config.learned:
                continue
            kinds = {
                "encoders": self.encoders,
                "decoders": self.decoders,
                "discriminators": self.discriminators,
            }
            for kind, networks in kinds.items():
                (network,) = self._of(name, networks)
                prefix = f"{kind}.{module_name(name)}."
                if not all(prefix + key in loaded for key, _ in network.named_parameters()):
                    raise UserError(
                        f"domain {name} is not among those to --learn, but its {kind} do not come from "
                        "--init-from; give the run folder it was trained in, and the same networks (i2i info)"
                    )

    def optimizers(self) -> dict[str, Optimizer]:
        """One for encoders and decoders, one for discriminators; those not drawn get no gradient."""
        autoencoders = [
            n for name in self.config.learned for n in self._of(name, self.encoders, self.decoders)
        ]
        discriminators = [n for name in self.config.learned for n in self._of(name, self.discriminators)]
        return {
            "G": self.adam(*autoencoders, self.encoders["shared"], self.decoders["shared"]),
            "D": self.adam(*discriminators),
        }

    # -- one step ------------------------------------------------------------------------

    def training_step(self, batch: Batch) -> Iterator[Update]:
        """Section 3.1: CycleGAN's step for the drawn pair; every other domain's networks rest."""
        a, b = self._pair(batch)
        real_A, real_B = batch["A"], batch["B"]  # (B, C, H, W) each
        code_A, code_B = self.code_of(real_A, a), self.code_of(real_B, b)  # (B, 4 width, H/4, W/4)
        fake_B, fake_A = self.decode(code_A, b), self.decode(code_B, a)
        seen_B, seen_A = self.code_of(fake_B, b), self.code_of(fake_A, a)  # the codes of the fakes
        cycled_A, cycled_B = self.decode(seen_B, a), self.decode(seen_A, b)

        losses = {
            "gan": self._generator_loss(b, fake_B) + self._generator_loss(a, fake_A),
            "cycle": self.config.cycle_weight * (distance(cycled_A, real_A) + distance(cycled_B, real_B)),
        }
        cycled = {"A": (cycled_A, real_A), "B": (cycled_B, real_B)}
        yield Update("G", losses | self._optional_losses(
            ((a, real_A, code_A, fake_B, seen_B), (b, real_B, code_B, fake_A, seen_A))
        ), fakes={"A": (fake_A, real_A), "B": (fake_B, real_B)}, reconstructed=cycled)  # fmt: skip

        scored = [
            self._discriminator_loss(domain, real, fake, other)
            for domain, real, fake, other in ((a, real_A, fake_A, real_B), (b, real_B, fake_B, real_A))
            if domain in self.config.learned
        ]
        yield Update("D", {"gan": torch.stack(scored).sum()})

    def _optional_losses(
        self, ways: Iterable[tuple[str, Tensor, Tensor, Tensor, Tensor]]
    ) -> dict[str, Tensor]:
        """The authors' program knows these; the paper's results do without.

        ways: (domain, image, its code, its translation, the code of that).
        """
        config = self.config
        weights = {
            "identity": config.identity_weight,
            "forward": config.forward_weight,
            "latent": config.latent_weight * self.clock.progress,
        }
        sums: dict[str, list[Tensor]] = {name: [] for name, weight in weights.items() if weight > 0}
        for domain, real, code, fake, seen in ways:
            for name, terms in sums.items():
                if name == "identity":
                    terms.append(coarse_distance(self.decode(code, domain), real))
                elif name == "forward":
                    terms.append(coarse_distance(fake, real))
                else:
                    terms.append(distance(seen, code.detach()))
        return {name: weights[name] * torch.stack(terms).sum() for name, terms in sums.items()}

    def _generator_loss(self, domain: str, fake: Tensor) -> Tensor:
        (D,) = self._of(domain, self.discriminators)
        return generator_loss(self.gan, D(self.shift(fake)))

    def _discriminator_loss(self, domain: str, real: Tensor, fake: Tensor, other: Tensor) -> Tensor:
        """Half the sum of both terms, so that D learns slower than G.

        other: real images of the other domain, which may have to be rejected as well, like texts that do not
        match in Reed et al., "Generative Adversarial Text to Image Synthesis", ICML 2016, algorithm 1.
        """
        D, pool = self._of(domain, self.discriminators, self.pools)
        scores, share = D(self.shift(real)), self.config.mismatch_share
        loss = (1 - share) * discriminator_loss(self.gan, scores, D(self.shift(pool(fake))))
        if share:
            loss = loss + share * discriminator_loss(self.gan, scores, D(self.shift(other)))
        return 0.5 * loss

    def _pair(self, batch: Batch) -> tuple[str, str]:
        """The names of the two domains of a batch."""
        if batch["pair"].is_meta:  # only sizes are asked for: any two will do
            return self.config.domains[0], self.config.domains[1]
        pairs = batch["pair"].tolist()
        assert all(pair == pairs[0] for pair in pairs), "one batch, several pairs of domains"
        first, second = pairs[0]
        return self.config.domains[first], self.config.domains[second]

    # -- translating ---------------------------------------------------------------------

    def code_of(self, images: Tensor, domain: str) -> Tensor:
        """images: (B, C, H, W) of a domain -> (B, 4 width, H/4, W/4), the code all domains share."""
        (encoder,) = self._of(domain, self.encoders)
        return self.encoders["shared"](encoder(images), self.config.domains.index(domain))  # type: ignore[no-any-return]

    def decode(self, code: Tensor, domain: str) -> Tensor:
        """code: (B, 4 width, h, w) -> (B, C, 4h, 4w) in [-1, 1], as the domain shows it."""
        (decoder,) = self._of(domain, self.decoders)
        code = self.decoders["shared"](code, self.config.domains.index(domain))
        return decoder(code)  # type: ignore[no-any-return]

    def forward(self, task: Task, inputs: Inputs, memory: Memory | None = None) -> tuple[Tensor, Memory]:
        """inputs["image"]: (B, C, H, W) of `task.source`, or the other of two -> the same, in `task.name`."""
        assert task.name is not None
        source = task.source or next(name for name in self.config.domains if name != task.name)
        return self.decode(self.code_of(inputs["image"], source), task.name), {}

    def preview(self, batch: Batch) -> dict[str, Tensor]:
        """An image in every domain, its own included, and back from the one it was drawn with."""
        a, b = self._pair(batch)
        code = self.code_of(batch["A"], a)
        every = {name: self.decode(code, name) for name in self.config.domains}
        back = self.decode(self.code_of(every[b], b), a)
        return (
            {"input": batch["A"]}
            | {f"to {name}": image for name, image in every.items()}
            | {"and back": back}
        )

    def evaluate(self, batch: Batch) -> Evaluation:
        """The drawn pair, both directions, compared where the images of both show the same scene."""
        a, b = self._pair(batch)
        fake_A = self.decode(self.code_of(batch["B"], b), a)
        fake_B = self.decode(self.code_of(batch["A"], a), b)
        pairs = {f"to_{b}": (fake_B, batch["B"]), f"to_{a}": (fake_A, batch["A"])}
        return Evaluation(pairs, aligned(batch, pairs))


def module_name(domain: str) -> str:
    """A name for the networks of a domain that a module may bear: no dots, nothing a module has already."""
    return "domain_" + domain.replace("%", "%25").replace(".", "%2E")
