"""ComboGAN: checkpoints of the authors are found, put together and refused by name."""

import tracemalloc
from pathlib import Path
from typing import Any

import pytest
import torch

from i2icli.errors import UserError
from i2icli.inference.translator import Translator
from i2icli.originals import load_original
from i2icli.task import names_of
from tests.asking import ask
from tests.parity import cases


def write_original(folder: Path, name: str) -> Path:
    """The parts of a reference generator as the authors' program writes them."""
    case = cases.read("combogan", name)
    number = 0
    while state := case.state(f"G{number}"):
        torch.save(state, folder / f"200_net_G{number}.pth")
        number += 1
    return folder


@pytest.mark.parametrize(
    ("name", "domains", "norm"),
    [
        ("generator_3domains", 3, "instance"),
        ("generator_2domains_shared", 2, "instance"),
        ("generator_2domains_batch", 2, "batch"),
    ],
)
@pytest.mark.parametrize("given", ["first", "last"])
def test_any_part_of_an_original_leads_to_the_whole(
    name: str, domains: int, norm: str, given: str, tmp_path: Path
) -> None:
    write_original(tmp_path, name)
    files = sorted(tmp_path.iterdir())
    original = load_original(files[0] if given == "first" else files[-1])
    assert original.system == "combogan"
    assert names_of(original.config.tasks(original.config.stages()[0])) == tuple(map(str, range(domains)))
    assert "do not name the domains" in original.notes[0]
    assert len(original.notes) == 1 + (norm == "batch")
    case = cases.read("combogan", name)
    system = Translator.load(files[0], precision="fp32", runtime="torch").backend.system
    assert system.config.norm == norm
    if norm != "batch":  # the reference case uses stored statistics, the program those of the image
        answer = ask(system, image=case.given(), source="0", to="1")
        cases.assert_images(answer, case.expected("0_to_1"))


def test_incomplete_originals_are_refused_by_name(tmp_path: Path) -> None:
    write_original(tmp_path, "generator_3domains")
    (tmp_path / "200_net_G2.pth").rename(tmp_path / "elsewhere.pth")
    with pytest.raises(UserError, match=r"200_net_G2\.pth is missing"):
        load_original(tmp_path / "200_net_G0.pth")
    with pytest.raises(UserError, match=r"its name does not lead to the others"):
        load_original(tmp_path / "elsewhere.pth")
    (tmp_path / "elsewhere.pth").rename(tmp_path / "200_net_G2.pth")
    (tmp_path / "200_net_G5.pth").unlink()
    with pytest.raises(UserError, match=r"not one model \(G0: encoder.*G4: decoder\)"):
        load_original(tmp_path / "200_net_G0.pth")
    torch.save(cases.read("combogan", "discriminator_n4").state("D0"), tmp_path / "200_net_D0.pth")
    with pytest.raises(UserError, match="this is a discriminator"):
        load_original(tmp_path / "200_net_D0.pth")


def test_a_huge_number_in_a_name_costs_nothing(tmp_path: Path) -> None:
    write_original(tmp_path, "generator_3domains")
    (tmp_path / "200_net_G0.pth").rename(tmp_path / "200_net_G1000000.pth")
    tracemalloc.start()
    try:
        with pytest.raises(UserError, match=r"200_net_G0\.pth is missing"):
            load_original(tmp_path / "200_net_G1.pth")
        assert tracemalloc.get_traced_memory()[1] < 20_000_000
    finally:
        tracemalloc.stop()


def test_parts_of_different_models_are_refused(tmp_path: Path) -> None:
    write_original(tmp_path, "generator_3domains")
    other = cases.read("combogan", "generator_2domains_batch").state("G1")
    torch.save(other, tmp_path / "200_net_G1.pth")
    with pytest.raises(UserError, match="G1 beside it is not of the size"):
        load_original(tmp_path / "200_net_G0.pth")


@pytest.mark.parametrize(
    ("part", "changes"),
    [
        (0, {"model.1.weight": None}),
        (0, {"model.1.weight": torch.zeros(())}),
        (0, {"model.1.weight": torch.zeros(5)}),
        (0, {"model.1.weight": torch.zeros(5000, 3, 1, 1)}),
        (0, {"model.1.weight": torch.zeros(8, 0, 7, 7)}),
        (0, {"model.1.weight": torch.zeros(0, 3, 7, 7)}),
        (0, {f"model.{place}.conv_block.1.weight": torch.zeros(1) for place in range(10, 130)}),
        (1, {"model.10.conv_block.1.weight": torch.zeros(())}),
        (2, {f"model.{place}.conv_block.1.weight": torch.zeros(1) for place in range(130)}),
        (2, {"model..conv_block..weight": torch.zeros(1)}),
    ],
)
def test_files_with_impossible_shapes_are_refused(part: int, changes: Any, tmp_path: Path) -> None:
    write_original(tmp_path, "generator_2domains_batch")
    path = tmp_path / f"200_net_G{part}.pth"
    state = torch.load(path) | changes
    torch.save({key: value for key, value in state.items() if value is not None}, path)
    for number in range(4):
        with pytest.raises(UserError):
            load_original(tmp_path / f"200_net_G{number}.pth")
