"""ComboGAN: only the drawn pair is touched, any domain to any other, domains added later."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from i2icli.errors import UserError
from i2icli.inference.options import TranslateOptions
from i2icli.inference.outputs import Outputs
from i2icli.runtime.device import Placement
from i2icli.systems.combogan.config import ComboGANConfig
from i2icli.systems.combogan.system import ComboGAN, module_name
from i2icli.task import names_of
from i2icli.training.compiling import compile_networks
from i2icli.training.trainer import Trainer
from tests.asking import ask, compare, resolve, samples, tasks
from tests.systems.combogan import SEASONS, of_domain, settings, tiny, two_domains
from tests.systems.steps import run_step
from tests.training.synthetic import assert_same

# -- a step ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("changes", "generator"), [
    ({"identity_weight": 0, "latent_weight": 0}, ["gan", "cycle"]),
    ({"forward_weight": 1}, ["gan", "cycle", "identity", "forward"]),
    ({"gan_loss": "vanilla", "norm": "batch"}, ["gan", "cycle", "identity"]),
    ({"num_shared": 2, "norm": "none"}, ["gan", "cycle", "identity"]),
    ({"num_blocks": 3, "num_shared": 1, "num_layers": 4}, ["gan", "cycle", "identity"]),
    ({"discriminator_norm": "none", "discriminator_shift": 0.1}, ["gan", "cycle", "identity"]),
    ({"upsampling": "nearest"}, ["gan", "cycle", "identity"]),
])  # fmt: skip
def test_every_variant_trains(changes: dict[str, Any], generator: list[str]) -> None:
    system = tiny(**changes)
    before = {name: value.clone() for name, value in system.named_parameters()}
    updates = run_step(system, two_domains(1, 3))
    assert [update.optimizer for update in updates] == ["G", "D"]
    assert [list(update.losses) for update in updates] == [generator, ["gan"]]
    assert all(loss.isfinite() for update in updates for loss in update.losses.values())
    still = {name for name, value in system.named_parameters() if torch.equal(value, before[name])}
    drawn = [
        name for name in before if "shared" in name or any(module_name(SEASONS[k]) in name for k in (1, 3))
    ]
    assert not [name for name in drawn if name in still and not name.endswith("bias")]


def test_paper_defaults_leave_the_optional_losses_out() -> None:
    config = ComboGANConfig()
    assert (config.identity_weight, config.forward_weight, config.latent_weight) == (0, 0, 0)
    assert (config.cycle_weight, config.pool_size, config.num_layers, config.num_blocks) == (10, 50, 4, 9)


@pytest.mark.parametrize("changes", [{"max_grad_norm": 0.1}, {"ema": 0.5}, {"accumulate": 2}])
def test_what_was_not_drawn_stays_bit_identical_with_its_optimiser_state(changes: dict[str, Any]) -> None:
    system = tiny(steps=3, batch_size=2, **changes)
    pairs = iter([(0, 1), (0, 1), (2, 1), (2, 1), (0, 2), (0, 2)] if "accumulate" in changes else
                 [(0, 1), (2, 1), (0, 2)])  # fmt: skip

    def batches(*_: object) -> Any:
        yield from (two_domains(*pair) for pair in pairs)

    at: list[dict[str, dict[str, Tensor]]] = []
    optimizer_states: list[dict[str, dict[str, Tensor]]] = []

    def note(trainer: Trainer) -> bool:
        at.append({name: of_domain(system, name) for name in SEASONS})
        names = {id(weight): key for key, weight in system.named_parameters()}
        optimizer_states.append(
            {
                f"{names[id(weight)]}.{name}": value.clone()
                for optimizer in trainer.optimizers.values()
                for weight, state in optimizer.state.items()
                for name, value in state.items()
            }  # type: ignore[arg-type]
        )
        return False

    start = {name: of_domain(system, name) for name in SEASONS}
    Trainer(system, batches, Placement(torch.device("cpu")), after_step=note).fit()
    for name, unmoved in (("winter", [start, *at]), ("summer", [start, at[0]]), ("autumn", at[:2]),
                          ("night", at[1:])):  # fmt: skip
        for state in unmoved[1:]:
            assert_same(state[name], unmoved[0][name])
    assert not torch.equal(*(next(iter(state["summer"].values())) for state in at[:2]))
    first, second, third = optimizer_states
    assert not [key for key in third if module_name("winter") in key]  # never drawn: nothing kept
    for before, after, name in ((first, second, "autumn"), (second, third, "night")):
        own = [key for key in before if module_name(name) in key]
        assert own
        assert all(torch.equal(before[key], after[key]) for key in own)


def test_every_domain_has_a_pool_of_its_own() -> None:
    system = tiny(pool_size=3)
    for pair in ((0, 1), (0, 2)):
        run_step(system, two_domains(*pair))
    sizes = [len(pool.images) for pool in system.pools.values()]  # type: ignore[arg-type]
    assert sizes == [3, 2, 2, 0]
    assert f"pools.{module_name('autumn')}._extra_state" in system.state_dict()


def test_the_latent_loss_grows_with_training() -> None:
    system = tiny(steps=4)
    last = []
    for step in range(3):
        system.clock.step = step
        G, _ = (update for update in system.training_step(two_domains(0, 1)))
        last.append(G.losses.get("latent", torch.tensor(0.0)).item())
    assert last[0] == 0 < last[1]
    assert last[2] == pytest.approx(2 * last[1], rel=1e-4)


def test_the_networks_of_every_domain_are_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    compiled: list[str] = []
    monkeypatch.setattr(torch.nn.Module, "compile", lambda network: compiled.append(type(network).__name__))
    compile_networks(tiny(num_shared=2))
    assert sorted(compiled) == sorted(["Encoder", "Decoder", "Discriminator"] * 4 + ["SharedBlocks"] * 2)


def test_a_batch_of_several_pairs_is_a_mistake() -> None:
    batch = two_domains(0, 1) | {"pair": torch.tensor([[0, 1], [0, 2]])}
    with pytest.raises(AssertionError, match="several pairs"):
        next(tiny().training_step(batch))


# -- translating -----------------------------------------------------------------------------


def outputs_of(system: ComboGAN) -> Outputs:
    return Outputs("ComboGAN", system.config, tasks(system))


def test_any_domain_to_any_other() -> None:
    system = tiny().eval()
    image = two_domains(0, 1)["A"]
    with torch.inference_mode():
        for source in SEASONS:
            for to in SEASONS:
                expected = system.decode(system.code_of(image, source), to)
                assert torch.equal(ask(system, image=image, to=to, source=source), expected)
    assert names_of(tasks(system)) == SEASONS
    assert {task.sources for task in tasks(system)} == {SEASONS}
    assert {task.requires for task in tasks(system)} == {frozenset({"source"})}


def test_the_source_must_be_told_unless_it_can_only_be_one() -> None:
    image = two_domains(0, 1)["A"]
    (spec,) = outputs_of(tiny()).plan(TranslateOptions(to="night"))
    with pytest.raises(UserError, match=r"which domain is it from.* autumn, night, summer or winter"):
        outputs_of(tiny()).infer_source(spec, ("elsewhere",))
    with pytest.raises(UserError, match=r"--from spring: unknown source 'spring'.*autumn"):
        resolve(tiny(), "night", "spring")
    pair = tiny(domains=("day", "night")).eval()
    assert resolve(pair).requires == frozenset()
    (spec,) = outputs_of(pair).plan(TranslateOptions(to="day"))
    assert outputs_of(pair).infer_source(spec, ("elsewhere",)).task.source is None
    assert outputs_of(pair).infer_source(spec, ("day",)).task.source == "day"  # the folder above is right
    with torch.inference_mode():
        assert torch.equal(ask(pair, image=image, to="day"), pair.decode(pair.code_of(image, "night"), "day"))


def test_a_shared_centre_tells_domains_apart_by_itself() -> None:
    system = tiny(num_shared=2).eval()
    name = module_name("autumn")
    for networks in (system.encoders, system.decoders):
        for other in SEASONS[1:]:
            networks[module_name(other)].load_state_dict(networks[name].state_dict())
    image = two_domains(0, 1)["A"]
    with torch.inference_mode():
        answers = [system.decode(system.code_of(image, "autumn"), to) for to in SEASONS]
    assert not any(torch.allclose(answers[0], other) for other in answers[1:])


@pytest.mark.parametrize(
    "names", [("3.5mm", "35mm"), ("train", "keys"), ("a%2Eb", "a.b"), ("été", "hiver x")]
)
def test_domains_may_be_called_anything(names: tuple[str, str]) -> None:
    system = tiny(domains=names).eval()
    assert len({module_name(name) for name in names}) == 2
    answer = ask(system, image=two_domains(0, 1)["A"], to=names[0], source=names[1])
    assert answer.shape == (2, 3, 32, 32)


@pytest.mark.parametrize("channels", [1, 4])
def test_channels_follow_the_data(channels: int) -> None:
    system = tiny(channels=(channels,))
    assert {(task.inputs["image"].channels, task.output.channels) for task in tasks(system)} == {
        (channels, channels)
    }
    run_step(system, two_domains(0, 1, channels))


def test_preview_and_scores_follow_the_pair() -> None:
    system, batch = tiny().eval(), two_domains(2, 0)
    columns = system.preview(batch)
    assert list(columns) == ["input", *(f"to {name}" for name in SEASONS), "and back"]
    assert {column.shape for column in columns.values()} == {(2, 3, 32, 32)}
    assert compare(system, batch) == {}
    assert list(samples(system, batch)) == ["to_autumn", "to_summer"]
    found = compare(system, batch | {"truth": torch.tensor([False, True])})
    assert list(found) == ["to_autumn", "to_summer"]
    answer, truth = found["to_autumn"]
    assert torch.equal(truth, batch["B"][1:])
    torch.testing.assert_close(answer, columns["to autumn"][1:], atol=1e-5, rtol=1e-5)


def test_settings_that_cannot_be() -> None:
    with pytest.raises(ValueError, match="two domains are called 'Night'"):
        settings(domains=("night", "Night"))
    with pytest.raises(ValueError, match="--num-shared 3 of only 2"):
        settings(num_shared=3)


def test_discriminators_may_have_another_norm_than_the_rest() -> None:
    system = tiny(norm="batch", discriminator_norm="none")
    with_norm = {
        name.split(".")[0] for name, module in system.named_modules() if isinstance(module, nn.BatchNorm2d)
    }
    assert with_norm == {"encoders", "decoders"}


@pytest.mark.parametrize("share", [0.0, 0.25])
def test_a_discriminator_may_have_to_reject_images_of_the_other_domain(share: float) -> None:
    def shown(domain: str) -> list[Tensor]:
        system = tiny(mismatch_share=share)
        seen: list[Tensor] = []
        D = system.discriminators[module_name(domain)]
        D.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0].detach()))
        run_step(system, two_domains(0, 1))
        return seen

    batch, others = two_domains(0, 1), 1 if share else 0
    for domain, other in ((SEASONS[0], batch["B"]), (SEASONS[1], batch["A"])):
        assert sum(torch.equal(images, other) for images in shown(domain)) == others
