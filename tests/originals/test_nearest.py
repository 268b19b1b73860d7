"""What was recognised says why; what was not says what it resembles, and where it differs."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from i2icli.__main__ import main
from i2icli.errors import UserError
from i2icli.originals import load_original
from i2icli.originals.nearest import nearest
from i2icli.registry import SYSTEMS
from tests.parity import cases

State = dict[str, Tensor]

KINDS = {
    "pix2pix, a ResNet of 6 blocks": ("pix2pix_cyclegan", "resnet6_instance_eval", None),
    "pix2pix, a U-Net of 6 down-samplings": ("pix2pix_cyclegan", "unet64_dropout_layout_eval", None),
    "spade, a generator of 7 blocks": ("spade", "generator_normal_spectral_instance_wide", None),
    "pix2pixhd, a generator of 3 down-samplings": ("pix2pixhd", "global_instance", None),
    "vid2vid, a generator of 4 blocks": ("vid2vid", "composite_batch_train_rawonly_down2", None),
    "stargan, a generator of 2 blocks": ("stargan", "generator_eval", None),
    "combogan, one of its encoders": ("combogan", "generator_3domains", "G0"),
    "combogan, one of its decoders": ("combogan", "generator_3domains", "G4"),
    "dtn, g alone": ("dtn", "generator", None),
    "dtn, f alone": ("dtn", "content_extractor", None),
    "progan, the authors' generator of 16 px": ("progan", "official_generator", None),
    "progan, pytorch_GAN_zoo's generator of 16 px": ("progan", "zoo_generator_16px_alpha1", None),
    "lapgan, a generator of one level": ("lapgan", "generator_16px", None),
}


def damaged(state: State) -> State:
    """Without its last bias, and with another one in the way."""
    names = [name for name in state if name.endswith("bias")]
    return {name: value for name, value in state.items() if name != names[-1]} | {"odd.one": torch.ones(2)}


def test_nothing_resembles_nothing() -> None:
    assert (
        nearest({"encoder.layer.0.attention.query.weight": torch.zeros(8, 8), "pooler": torch.ones(3)})
        is None
    )


@pytest.mark.parametrize("said", KINDS)
def test_an_unknown_file_gets_the_nearest_network(said: str) -> None:
    system, name, part = KINDS[said]
    found = nearest(damaged(cases.read(system, name).state(part)))
    assert found is not None
    assert f"nearest to {said}" in str(found)
    assert 0 < len(found.differences) <= 3


def unknown(change: Any, path: Path) -> str:
    state = cases.read("pix2pix_cyclegan", "resnet6_instance_eval").state()
    change(state)
    torch.save(state, path)
    with pytest.raises(UserError) as refused:
        load_original(path)
    return str(refused.value)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            lambda state: state.update({"model.19.weight": torch.zeros(8, 5, 3, 3)}),
            "(35 of 36 tensors agree); first differences: model.19.weight is 8x5x3x3 instead of 8x4x3x3",
        ),
        (lambda state: state.pop("model.16.weight"), "model.16.weight (16x8x3x3) is missing"),
        (
            lambda state: state.update({"model.4.filt\x1b[31m\n": torch.zeros(1)}),
            r"model.4.filt\x1b[31m\n is not expected",
        ),
    ],
)
def test_the_first_differences_are_named_in_one_short_line(change: Any, said: str, tmp_path: Path) -> None:
    message = unknown(change, tmp_path / "latest_net_G.pth")
    assert said in message
    assert "no system here recognises; nearest to pix2pix, a ResNet of 6 blocks" in message
    assert message.isprintable()
    assert len(message) <= 500


def test_the_network_that_is_nearest_is_named_among_several(tmp_path: Path) -> None:
    state = damaged(cases.read("pix2pix_cyclegan", "resnet6_instance_eval").state())
    torch.save({"netG": state, "netX": {"a.b": torch.ones(1), "a.c": torch.ones(1)}}, tmp_path / "all.pth")
    with pytest.raises(UserError, match="netG of it is nearest to pix2pix, a ResNet of 6 blocks"):
        load_original(tmp_path / "all.pth")


def test_info_says_why_it_thinks_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "latest_net_G.pth"
    torch.save(cases.read("pix2pix_cyclegan", "resnet9_instance_eval").state(), path)
    reason = (
        "model.1.weight of 7x7 to 4 channels, 9 residual blocks (model.10.conv_block.1.weight ...), "
        "model.26.weight, and no weights in its norms"
    )

    assert main(["info", str(path)]) == 0
    assert reason in " ".join(capsys.readouterr().out.split())
    assert main(["info", str(path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["recognised_by"] == reason


def test_info_on_an_unknown_file_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    torch.save(damaged(cases.read("lapgan", "generator_16px").state()), tmp_path / "G.pth")
    assert main(["info", str(tmp_path / "G.pth")]) == 2
    error = capsys.readouterr().err
    assert "nearest to lapgan, a generator of one level" in error
    assert error.count("\n") == 1


# -- the page --------------------------------------------------------------------------------------

PAGE = Path(__file__).parents[2] / "docs" / "checkpoints.md"


def rows() -> dict[str, str]:
    """The table's rows by system; the second row of a system is added to its first."""
    found: dict[str, str] = {}
    name = ""
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        if match := re.match(r"\| (?:\[(\w+)\]\(systems/\w+\.md\))? ?\|", line):
            name = match[1] or name
            found[name] = found.get(name, "") + line
    return found


def test_the_page_has_a_row_for_every_system_and_only_cases_that_exist() -> None:
    assert rows().keys() == SYSTEMS.keys()
    for name, row in rows().items():
        named = [
            case for case in re.findall(r"`(\w+/\w+)`", row) if (cases.ROOT / case.split("/")[0]).is_dir()
        ]
        assert bool(named) == (SYSTEMS[name].original is not None), name
        assert [case for case in named if not (cases.ROOT / f"{case}.safetensors").is_file()] == []
