"""Augmented CycleGAN: losses and their order, codes, looks, sizes, learning rates."""

from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from torch import Tensor

from i2icli.errors import UserError
from i2icli.inference.options import TranslateOptions
from i2icli.inference.outputs import Outputs
from i2icli.runtime.device import Placement
from i2icli.systems.augmented_cyclegan.config import AugmentedCycleGANConfig
from i2icli.systems.augmented_cyclegan.networks import Generator, ImageDiscriminator
from i2icli.systems.augmented_cyclegan.system import AugmentedCycleGAN
from i2icli.task import names_of
from i2icli.training.trainer import Trainer
from tests.asking import ask, compare, measure, resolve, samples, tasks
from tests.systems.steps import run_step
from tests.tiny import tiny_config


def tiny(**changes: Any) -> AugmentedCycleGAN:
    torch.manual_seed(0)
    config = tiny_config("augmented_cyclegan", **changes)
    assert isinstance(config, AugmentedCycleGANConfig)
    return AugmentedCycleGAN(config)


def noise(*shape: int) -> Tensor:
    return torch.rand(*shape) * 2 - 1


def unpaired(A: int = 3, B: int = 3, side: int = 32) -> dict[str, Tensor]:
    torch.manual_seed(1)
    images = {"A": noise(2, A, side, side), "B": noise(2, B, side, side)}
    return images | {"z_A": torch.randn(2, 4), "z_B": torch.randn(2, 4)}


def lively(system: AugmentedCycleGAN) -> AugmentedCycleGAN:
    """With codes that matter: fresh weights are so small that they hardly do."""
    with torch.no_grad():
        for weight in system.parameters():
            if weight.ndim > 1:
                weight *= 10
    return system.eval()


GAN, CYCLE = ["gan_AB", "gan_BA"], ["cycle_A", "cycle_B", "cycle_z_B"]


@pytest.mark.parametrize(("changes", "generator", "discriminator"), [
    ({}, [*GAN, "gan_z_B", *CYCLE], ["gan_A", "gan_B", "gan_z_B"]),
    ({"latent_gan": False, "gan_loss": "vanilla"}, [*GAN, *CYCLE], ["gan_A", "gan_B"]),
    ({"encoder_input": "own", "norm": "instance"}, [*GAN, "gan_z_B", *CYCLE], ["gan_A", "gan_B", "gan_z_B"]),
    ({"stochastic_encoder": True}, [*GAN, *CYCLE, "kl_B"], ["gan_A", "gan_B"]),
    ({"stochastic_encoder": True, "code_likelihood": "laplace"}, [*GAN, *CYCLE, "kl_B"], ["gan_A", "gan_B"]),
    ({"discriminator_a": "patch", "discriminator_b": "image"}, [*GAN, "gan_z_B", *CYCLE],
     ["gan_A", "gan_B", "gan_z_B"]),
    ({"two_sided": True}, [*GAN, "gan_z_B", "gan_z_A", *CYCLE, "cycle_z_A"],
     ["gan_A", "gan_B", "gan_z_B", "gan_z_A"]),
])  # fmt: skip
def test_every_variant_trains(
    changes: dict[str, Any], generator: list[str], discriminator: list[str]
) -> None:
    system = tiny(**changes)
    before = {name: value.clone() for name, value in system.named_parameters()}

    updates = run_step(system, unpaired())

    assert [update.optimizer for update in updates] == ["D", "G"]
    assert [list(update.losses) for update in updates] == [discriminator, generator]
    assert all(loss.isfinite() for update in updates for loss in update.losses.values())
    still = [name for name, value in system.named_parameters() if torch.equal(value, before[name])]
    sure = set() if changes.get("stochastic_encoder") else {"E.B.log_variance", "E.A.log_variance"}
    assert {name.rpartition(".")[0] for name in still if name.endswith("weight")} <= sure


def test_known_pairs_add_their_losses() -> None:
    pairs = {"paired_A": noise(2, 3, 32, 32), "paired_B": noise(2, 3, 32, 32)}
    _, light = run_step(tiny(supervised_weight=0.1), unpaired() | pairs)
    _, heavy = run_step(tiny(supervised_weight=0.4), unpaired() | pairs)
    for name in ("paired_A", "paired_B"):
        torch.testing.assert_close(4 * light.losses[name], heavy.losses[name])


def test_a_single_image_suffices_without_batch_norm() -> None:
    one = {name: values[:1] for name, values in unpaired().items()}
    run_step(tiny(norm="instance"), one)


def test_another_code_gives_another_answer_and_the_same_code_the_same() -> None:
    system, image = lively(tiny()), noise(1, 3, 32, 32)
    codes = torch.randn(2, 1, 4)
    with torch.inference_mode():
        first, other, again = (
            ask(system, image=image, latent=code) for code in (codes[0], codes[1], codes[0])
        )
        drawn = ask(system, image=image, seed=5)
    assert torch.equal(first, again)
    assert (first - other).abs().mean() > 1e-3
    assert not torch.equal(drawn, first)


def test_a_reference_of_any_size_gives_the_look() -> None:
    system, image = lively(tiny()), noise(2, 3, 32, 32)
    with torch.inference_mode():
        reds, blues = (
            ask(system, image=image, reference=noise(1, 3, 20, 52) * 0.1 + shade)
            for shade in (
                torch.tensor([0.8, -0.8, -0.8])[:, None, None],
                torch.tensor([-0.8, -0.8, 0.8])[:, None, None],
            )
        )
    assert reds.shape == (2, 3, 32, 32)
    assert (reds - blues).abs().mean() > 1e-4


def test_the_way_back_has_one_answer_unless_two_sided() -> None:
    image, code = noise(1, 3, 32, 32), torch.randn(1, 4)
    one, two = tiny(domains=("edges", "shoes")), tiny(two_sided=True)
    assert [task.latent_size for task in tasks(one)] == [4, 0]
    assert resolve(two, "A").latent_size == 4
    assert names_of(tasks(one)) == ("shoes", "edges")
    assert ask(one, image=image, to="edges").shape == image.shape
    for look in ({"latent": code}, {"reference": image}):
        assert ask(two.eval(), image=image, to="A", **look).shape == image.shape
    assert resolve(one, "edges").reads == {"to"}
    assert resolve(two, "A").reads == {"to", "latent", "reference"}


@pytest.mark.parametrize(("options", "message"), [
    ({"to": "edges", "latent": "1,2,3,4"}, "edges reads no latent code: there is one output only"),
    ({"to": "edges", "reference": "edge.png"}, "edges reads no --reference: there is one output only"),
    ({"to": "cow"}, r"'cow'.*shoes, edges"),
    ({"latent": "1,2,3,4,5,6,7,8,9"}, "a code of 9 numbers; this model reads 4"),
])  # fmt: skip
def test_what_it_cannot_answer_is_refused_with_the_reason(
    options: dict[str, Any], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Image.new("RGB", (8, 8)).save("edge.png")
    system = tiny(domains=("edges", "shoes"))
    with pytest.raises(UserError, match=message):
        Outputs("AugmentedCycleGAN", system.config, tasks(system)).plan(TranslateOptions.of(options))


def test_domains_may_have_different_channels() -> None:
    system = tiny(channels=(1, 3))
    ports = [(task.inputs["image"], task.output, task.reference) for task in tasks(system)]
    assert [(image.channels, output.channels) for image, output, _ in ports] == [(1, 3), (3, 1)]
    assert [reference.channels if reference else None for *_, reference in ports] == [3, None]
    run_step(system, unpaired(1, 3))
    assert ask(system, image=noise(1, 3, 32, 32), to="A").shape == (1, 1, 32, 32)


@pytest.mark.parametrize("side", [32, 64, 100, 128])
def test_it_learns_at_other_sizes_than_64(side: int) -> None:
    for update in run_step(tiny(crop_size=side), unpaired(side=side)):
        assert all(loss.isfinite() for loss in update.losses.values())


def test_the_discriminator_of_drawings_gives_one_score_up_to_64_and_a_map_above() -> None:
    D = ImageDiscriminator(3, 4)
    sizes = {side: tuple(D(noise(1, 3, side, side)).shape[2:]) for side in (32, 64, 128)}
    assert sizes == {32: (1, 1), 64: (1, 1), 128: (5, 5)}


def test_scales_of_a_conditional_norm_are_never_negative() -> None:
    norm = Generator(3, 3, 4, 1, 4).stem.norm
    assert (norm(noise(2, 4, 8, 8), -100 * torch.ones(2, 4)) * 0 == 0).all()
    x = noise(2, 4, 8, 8)
    answer = norm(x, torch.randn(2, 4))
    assert (answer.mean(dim=(2, 3)) > -1e-6).all()  # the shift alone is left of the mean
    channels_last = norm(x.contiguous(memory_format=torch.channels_last), torch.ones(2, 4))
    torch.testing.assert_close(channels_last, norm(x, torch.ones(2, 4)))


def test_discriminators_learn_slower_until_the_rate_falls() -> None:
    def rates(**changes: Any) -> list[tuple[float, float]]:
        system = tiny(steps=4, decay_from=0.5, lr=1.0, **changes)
        found = []
        for step in range(4):
            system.clock.step = step
            found.append((system.lr_factor("G"), 0.2 * system.lr_factor("D")))
        return found

    assert rates() == [(1, 0.2), (1, 0.2), (1, 0.2), (0.5, 0.5)]
    assert rates(equal_lr_in_decay=False)[3] == (0.5, 0.1)
    groups = tiny(lr=1.0).optimizers()["D"].param_groups
    assert [group["lr"] for group in groups] == [0.2] * 3


def test_each_network_is_clipped_by_itself() -> None:
    system = tiny(max_grad_norm=1e-6)
    batch = unpaired()
    trainer = Trainer(system, lambda _stage, _start: iter([batch]), Placement(torch.device("cpu")))
    optimizers = system.optimizers()
    for _ in trainer.updater.run(system, [batch], optimizers):
        pass
    networks = [system.G_AB, system.G_BA, system.E["B"], system.D_A, system.D_B, system.D_z["B"]]
    for network in networks:
        gradients = [weight.grad.flatten() for weight in network.parameters() if weight.grad is not None]
        assert torch.cat(gradients).norm().item() == pytest.approx(1e-6, rel=0.01)


def test_measurements_tell_a_collapsed_model() -> None:
    batch = unpaired()
    system = lively(tiny())
    with torch.inference_mode():
        assert (measure(system, batch)["diversity"] > 1e-3).all()
        for module in system.G_AB.modules():
            if hasattr(module, "scale") and isinstance(module.scale, torch.nn.Conv2d):
                module.scale.weight.zero_()
                module.shift.weight.zero_()
        collapsed = measure(system, batch)
    assert set(collapsed) == {"diversity", "cycle_A", "cycle_B", "cycle_B_drawn"}
    assert (collapsed["diversity"] == 0).all()
    torch.testing.assert_close(collapsed["cycle_B"], collapsed["cycle_B_drawn"])


def test_what_it_generates_stands_beside_the_other_collection() -> None:
    system, batch = lively(tiny()), unpaired()
    with torch.inference_mode():
        found = samples(system, batch)
    assert list(found) == ["A", "B"]
    assert torch.equal(found["A"][1], batch["A"])
    assert torch.equal(found["B"][1], batch["B"])
    assert not torch.equal(found["B"][0][0], found["B"][0][1])


def test_preview_shows_several_answers_and_the_ways_back() -> None:
    for changes in ({}, {"two_sided": True}):
        columns = tiny(**changes).eval().preview(unpaired())
        assert list(columns) == [
            "A", "A to B, 1", "A to B, 2", "A to B, 3", "A to B, 4", "4 and back to A",
            "B", "B to A", "and back to B",
        ]  # fmt: skip


def test_only_examples_of_the_same_scene_are_scored_with_the_look_of_the_truth() -> None:
    system, batch = lively(tiny()), unpaired()
    assert compare(system, batch) == {}
    found = compare(system, batch | {"truth": torch.tensor([False, True])})
    assert list(found) == ["A_to_B", "B_to_A"]
    answer, truth = found["A_to_B"]
    assert torch.equal(truth, batch["B"][1:])
    code = system.maps.encode("B", batch["A"][1:], truth).mean
    assert torch.equal(answer, system.G_AB(batch["A"][1:], code))


def test_weights_start_as_in_the_authors_program() -> None:
    system = tiny(width=16, encoder_width=16, discriminator_width=32)
    scales = torch.cat([weight for name, weight in system.named_parameters() if name.endswith("norm.scale")])
    assert 0.01 < scales.std() < 0.03
    assert abs(scales.mean()) < 0.01
    convolutions = (each for each in system.modules() if isinstance(each, torch.nn.Conv2d))
    weights = torch.cat([each.weight.flatten() for each in convolutions])
    assert weights.std().item() == pytest.approx(0.02, rel=0.05)
    assert system.G_AB.stem.norm.scale.bias.abs().max() == 0
    assert system.E["B"].norms[0].weight.eq(1).all()
    assert system.D_z["B"].layers[1].bias.abs().max() > 0  # linear layers are left to the library
