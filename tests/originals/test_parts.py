"""Trainings start from the authors' files, one network to a file, or several in one."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from i2icli.errors import UserError
from i2icli.runs import find_model
from i2icli.runtime.checkpoint import write_model
from i2icli.training.init_from import load_init_weights
from i2icli.training.run import build_system
from tests.originals.references import NumberedResnet, shaken
from tests.tiny import tiny_config

SETTINGS = {
    "width": 4,
    "num_blocks": 2,
    "discriminator_width": 4,
    "num_layers": 2,
    "domains": ("day", "night"),
}


def patch_discriminator(channels: int = 3, width: int = 4, num_layers: int = 2) -> nn.Module:
    """As the authors build one: convolutions at 0, 2, 5, 8 ... of a row."""
    layers: list[nn.Module] = [nn.Conv2d(channels, width, 4, 2, 1), nn.LeakyReLU(0.2)]
    widths = [width * min(2**layer, 8) for layer in range(num_layers + 1)]
    for number, (before, after) in enumerate(pairwise(widths), 1):
        stride = 1 if number == num_layers else 2
        layers += [nn.Conv2d(before, after, 4, stride, 1), nn.InstanceNorm2d(after), nn.LeakyReLU(0.2)]
    row = nn.Module()
    row.model = nn.Sequential(*layers, nn.Conv2d(widths[-1], 1, 4, 1, 1))
    return row


def states() -> dict[str, dict[str, Tensor]]:
    """The four networks of the authors' CycleGAN, each with weights of its own."""
    G = [shaken(NumberedResnet(), seed).state_dict() for seed in (1, 2)]
    D = [shaken(patch_discriminator(), seed).state_dict() for seed in (3, 4)]
    return {"G_A": G[0], "G_B": G[1], "D_A": D[0], "D_B": D[1]}


def write(folder: Path, epoch: str = "latest", **networks: dict[str, Tensor]) -> Path:
    folder.mkdir(exist_ok=True)
    for name, state in networks.items():
        torch.save(state, folder / f"{epoch}_net_{name}.pth")
    return folder


def cyclegan(**changes: Any) -> Any:
    return build_system("cyclegan", tiny_config("cyclegan", **(SETTINGS | changes)))


OURS = {"G_A": "G_AB", "G_B": "G_BA", "D_A": "D_B", "D_B": "D_A"}
"""Their discriminators are called after the generator that they judge, ours after the domain."""


def first(system: Any, theirs: str) -> Tensor:
    return next(system.get_submodule(OURS[theirs]).parameters())


def first_of(state: dict[str, Tensor]) -> Tensor:
    return next(value for value in state.values() if value.ndim == 4)


@pytest.mark.parametrize("theirs", [*OURS, "all"])
def test_cyclegan_starts_from_one_file_or_from_all(theirs: str, tmp_path: Path) -> None:
    networks = states()
    folder, system = write(tmp_path / "authors", **networks), cyclegan()
    before = {name: first(system, name).clone() for name in OURS}
    source = folder if theirs == "all" else folder / f"latest_net_{theirs}.pth"

    loaded, line = load_init_weights(system, str(source))

    taken = set(OURS) if theirs == "all" else {theirs}
    about = {"G_A": "day to night", "G_B": "night to day", "D_A": "judges night", "D_B": "judges day"}
    for name in OURS:
        expected = first_of(networks[name]) if name in taken else before[name]
        assert torch.equal(first(system, name), expected)
        before_scratch, _, after = line.partition("; loaded ")[0].partition("took ")[2].partition(";")
        assert (f"{name} ({about[name]})" in before_scratch) == (name in taken)
        assert (f"{name} ({about[name]})" in after) == (name not in taken)
    assert {name.partition(".")[0] for name in loaded} == {OURS[name] for name in taken}
    assert ("start from scratch" in line) == (theirs != "all")
    assert ("takes all" in line) == (theirs != "all")


def test_of_several_epochs_the_latest_counts_and_without_one_the_highest(tmp_path: Path) -> None:
    old, new = states(), {"G_A": shaken(NumberedResnet(), 9).state_dict()}
    folder = write(tmp_path / "authors", "90", **old)
    write(folder, "110", **new)
    system = cyclegan()
    load_init_weights(system, str(folder))
    assert torch.equal(first(system, "G_A"), first_of(new["G_A"]))
    write(folder, G_A=old["G_A"])
    load_init_weights(system, str(folder))
    assert torch.equal(first(system, "G_A"), first_of(old["G_A"]))


def test_networks_of_other_sizes_are_refused_with_the_settings_that_fit(tmp_path: Path) -> None:
    folder = write(tmp_path / "authors", **states())
    with pytest.raises(UserError, match=r"G_A \(day to night\) does not fit.*--num-blocks 2 --width 4$"):
        load_init_weights(cyclegan(width=2, num_blocks=1), str(folder))
    system = cyclegan(discriminator_width=8)  # generators are what counts
    _, line = load_init_weights(system, str(folder))
    assert "D_A (judges night), which does not fit (1 of 8 weights match)" in line
    with pytest.raises(UserError, match=r"D_A \(judges night\) does not fit.*--discriminator-width 4"):
        load_init_weights(system, str(folder / "latest_net_D_A.pth"))


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
@pytest.mark.parametrize("network", ["G_A", "D_B"])
def test_weights_that_are_not_finite_are_refused_by_name(value: float, network: str, tmp_path: Path) -> None:
    networks = states()
    first_of(networks[network])[0, 0, 0, 0] = value
    folder, system = write(tmp_path / "authors", **networks), cyclegan()
    with pytest.raises(UserError, match=rf"{OURS[network]}\.stem\..*no finite numbers"):
        load_init_weights(system, str(folder))


def test_one_file_may_hold_generators_and_discriminators(tmp_path: Path) -> None:
    networks = states()
    torch.save({"netG": networks["G_A"], "netD": patch_discriminator(6).state_dict()}, tmp_path / "a.pth")
    pix2pix = {"generator": "resnet", "width": 4, "num_blocks": 2, "norm": "instance"}
    system = build_system("pix2pix", tiny_config("pix2pix", **pix2pix, discriminator_width=4, num_layers=2))
    _, line = load_init_weights(system, str(tmp_path / "a.pth"))
    assert "took G and D; " in line
    assert torch.equal(system.G.stem.conv.weight, first_of(networks["G_A"]))
    # where generators are called after both domains, discriminators are called after their own
    other = {"netG_A2B": "G_A", "netG_B2A": "G_B", "netD_B": "D_A", "netD_A": "D_B"}
    torch.save({name: networks[theirs] for name, theirs in other.items()}, tmp_path / "b.pth")
    system = cyclegan()
    load_init_weights(system, str(tmp_path / "b.pth"))
    for name in OURS:
        assert torch.equal(first(system, name), first_of(networks[name]))


def test_a_folder_is_taken_as_its_generator(tmp_path: Path) -> None:
    folder = tmp_path / "authors"
    write(folder, "5", G=states()["G_A"], D=states()["D_A"])
    write(folder, "20", G=states()["G_A"], D=states()["D_A"])
    (folder / "train_opt.txt").write_text("netG: resnet_6blocks\n")
    assert find_model(str(folder)) == folder / "20_net_G.pth"
    write(folder, G=states()["G_A"])
    assert find_model(str(folder)) == folder / "latest_net_G.pth"
    write(folder, G_B=states()["G_B"])
    with pytest.raises(
        UserError, match=r"several models \(latest_net_G.pth, latest_net_G_B.pth\); .*such as"
    ):
        find_model(str(folder))


@pytest.mark.parametrize(
    ("names", "model"),
    [
        (["10000-G.ckpt", "10000-D.ckpt", "200000-G.ckpt", "200000-D.ckpt"], "200000-G.ckpt"),
        (["iter_500_net_G.pth", "iter_1500_net_G.pth"], "iter_1500_net_G.pth"),
        (["200_net_G0.pth", "200_net_G1.pth", "200_net_D0.pth"], "200_net_G0.pth"),
        (["generator_9.pth", "generator_12.pth", "discriminator_12.pth"], "generator_12.pth"),
        (["horse2zebra.pth", "opt.txt"], "horse2zebra.pth"),
        (["resume.pt", "net.pth"], "net.pth"),
    ],
)
def test_the_newest_generator_is_found_by_its_name(names: list[str], model: str, tmp_path: Path) -> None:
    for name in names:
        (tmp_path / name).write_bytes(b"")
    assert find_model(str(tmp_path)) == tmp_path / model


def test_where_no_state_can_be_read_the_model_beside_it_is_a_start(tmp_path: Path) -> None:
    system, lines = cyclegan(), []
    networks = {name: system.get_submodule(name) for name in system.inference_modules}
    write_model(tmp_path / "model.safetensors", system, "cyclegan", networks)
    (tmp_path / "resume.pt").write_bytes(b"damaged")
    loaded, _ = load_init_weights(cyclegan(seed=1), str(tmp_path), lines.append)
    assert {name.partition(".")[0] for name in loaded} == {"G_AB", "G_BA"}
    (line,) = lines
    assert line.endswith("is damaged: only what model.safetensors holds is loaded, no discriminators")


def pix2pix() -> Any:
    settings = {"width": 4, "generator": "resnet", "num_blocks": 2, "norm": "instance", "dropout": 0}
    return build_system("pix2pix", tiny_config("pix2pix", **settings))


def test_of_two_files_that_one_network_could_start_from_none_is_taken_unasked(tmp_path: Path) -> None:
    folder = write(tmp_path / "both", G_A=states()["G_A"], G_B=states()["G_B"])
    first = folder / "latest_net_G_A.pth"
    with pytest.raises(UserError) as refused:
        load_init_weights(pix2pix(), str(folder))
    several = f"{folder} holds several G (latest_net_G_A.pth, latest_net_G_B.pth)"
    assert str(refused.value) == f"{several}; name one of them, such as {first}"
    load_init_weights(pix2pix(), str(first))


def test_of_two_networks_in_one_file_the_one_that_is_taken_is_named(tmp_path: Path) -> None:
    torch.save({"forth": states()["G_A"], "back": states()["G_B"]}, tmp_path / "two.pth")
    _, line = load_init_weights(pix2pix(), str(tmp_path / "two.pth"))
    assert "took G (forth, the first of 2 in the file)" in line
