"""The authors' checkpoints load, and hostile files do not."""

import os
import pickle
import zipfile
from collections import OrderedDict
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from i2icli.errors import UserError
from i2icli.originals import load_original
from i2icli.originals.checkpoint import Original
from i2icli.originals.reader import read_state
from i2icli.registry import system_type
from i2icli.system import System
from i2icli.systems.pix2pix.config import Pix2PixConfig
from tests.asking import ask
from tests.parity import cases
from tests.parity.cases import Case

LEGACY = {"_use_new_zipfile_serialization": False}


def saved(state: Any, path: Path, **options: Any) -> Path:
    torch.save(state, path, **options)
    return path


def built(original: Original, **changes: Any) -> System[Any]:
    """The system as the engine builds it: without memory first, then with the tensors themselves."""
    config = original.config.model_copy(update=changes)
    with torch.device("meta"):
        system = system_type(original.system)(config)
    state = {name.removeprefix("G."): tensor for name, tensor in original.tensors.items()}
    system.G.load_state_dict(state, strict=True, assign=True)
    return system.eval()


def answer(system: System[Any], case: Case) -> Tensor:
    with torch.inference_mode():
        return ask(system, image=case.given("x"))


GENERATORS = [name for start in ("resnet", "unet") for name in cases.names("pix2pix_cyclegan", start)]
FOUND = {
    "resnet6_batch_eval": {"generator": "resnet", "num_blocks": 6, "width": 4, "norm": "batch", "dropout": 0},
    "resnet6_instance_dropout_layout_eval": {"norm": "instance", "dropout": 0.5},
    "resnet6_instance_eval": {"norm": "instance", "dropout": 0},
    "resnet6_old_instance_stats": {"norm": "instance", "num_blocks": 6},
    "resnet9_instance_eval": {"num_blocks": 9},
    "unet32_batch_eval": {
        "generator": "unet",
        "depth": 5,
        "width": 3,
        "norm": "batch",
        "statistics": "image",
    },
    "unet32_gray_to_rgb_batch_eval": {"channels": (1, 2)},
    "unet32_instance_eval": {"norm": "instance", "depth": 5},
    "unet64_dropout_layout_eval": {"depth": 6, "width": 2, "dropout": 0},
}


@pytest.mark.parametrize("name", GENERATORS)
def test_a_reference_generator_loads_and_answers_the_same(name: str, tmp_path: Path) -> None:
    case = cases.read("pix2pix_cyclegan", name)
    original = load_original(saved(OrderedDict(case.state()), tmp_path / "latest_net_G.pth"))

    assert original.system == "pix2pix"
    for field, value in FOUND.get(name, {}).items():
        assert getattr(original.config, field) == value
    expected = case.expected("y" if case.has("y") else "")
    if case.mode == "eval":  # the cases were made with stored statistics and without noise
        system = built(original, statistics="running", dropout=0.0)
        cases.assert_images(answer(system, case), expected)


def test_by_default_batch_norm_uses_the_image_as_the_authors_test_program_does(tmp_path: Path) -> None:
    case = cases.read("pix2pix_cyclegan", "unet32_batch_train_nodropout")
    system = built(load_original(saved(case.state(), tmp_path / "latest_net_G.pth")))

    x = case.given("x")
    with torch.inference_mode():
        expected = torch.cat([system.G.train()(image[None]) for image in x])
        actual = ask(system.eval(), image=x)

    cases.assert_images(actual, expected)


@pytest.mark.parametrize("options", [{}, LEGACY])
@pytest.mark.parametrize("wrap", [lambda state: state, lambda state: {"state_dict": state, "epoch": 3}])
@pytest.mark.parametrize("prefix", ["", "module."])
def test_the_ways_in_which_weights_are_saved(options: Any, wrap: Any, prefix: str, tmp_path: Path) -> None:
    state = cases.read("pix2pix_cyclegan", "resnet6_instance_eval").state()
    wrapped = wrap({prefix + name: value for name, value in state.items()})

    original = load_original(saved(wrapped, tmp_path / "200_net_G.pth", **options))

    torch.testing.assert_close(original.tensors["G.stem.conv.weight"], state["model.1.weight"])


@pytest.mark.parametrize("name", ["state_dict", "generator"])
def test_networks_beside_the_wrapped_one_are_kept(name: str, tmp_path: Path) -> None:
    state = cases.read("pix2pix_cyclegan", "resnet6_instance_eval").state()
    beside = {"other": {"layer.weight": torch.ones(2, 2)}, "epoch": 3}
    path = saved({name: state} | beside, tmp_path / "200_net_G.pth")

    found = read_state(path)

    assert found.keys() == {f"{name}.{key}" for key in state} | {"other.layer.weight"}
    assert load_original(path).system == "pix2pix"  # no system asks for both, so the wrapped one counts


def test_files_of_old_versions_have_no_batch_counters(tmp_path: Path) -> None:
    state = cases.read("pix2pix_cyclegan", "unet32_batch_eval").state()
    old = {name: value for name, value in state.items() if not name.endswith("num_batches_tracked")}

    tensors = load_original(saved(old, tmp_path / "latest_net_G.pth")).tensors

    assert tensors["G.down.1.norm.num_batches_tracked"] == 0
    assert tensors["G.down.1.norm.num_batches_tracked"].dtype == torch.int64


def test_a_network_without_norm_gets_the_biases_it_was_saved_without(tmp_path: Path) -> None:
    state = cases.read("pix2pix_cyclegan", "resnet6_instance_eval").state()
    bare = {
        name: value for name, value in state.items() if name.endswith("weight") or name == "model.23.bias"
    }

    original = load_original(saved(bare, tmp_path / "latest_net_G.pth"))

    assert original.config.norm == "none"
    assert not original.tensors["G.blocks.3.second.conv.bias"].any()
    built(original)


def test_half_precision_files_become_float32(tmp_path: Path) -> None:
    state = cases.read("pix2pix_cyclegan", "resnet6_instance_eval").state()
    halves = {name: value.half() for name, value in state.items()}
    original = load_original(saved(halves, tmp_path / "latest_net_G.pth"))
    assert {tensor.dtype for tensor in original.tensors.values()} == {torch.float32}


@pytest.mark.parametrize(
    ("name", "hint"),
    [("latest_net_G.pth", None), ("latest_net_G_A.pth", "A to B"), ("5_net_G_B.pth", "B to A")],
)
def test_the_notes_say_what_the_file_cannot_tell(name: str, hint: str | None, tmp_path: Path) -> None:
    state = cases.read("pix2pix_cyclegan", "resnet6_instance_eval").state()
    note, *_ = load_original(saved(state, tmp_path / name)).notes
    assert "one direction" in note
    assert (hint in note) if hint else ("by its name" not in note)


def test_the_notes_say_that_a_unet_hides_its_dropout(tmp_path: Path) -> None:
    state = cases.read("pix2pix_cyclegan", "unet64_dropout_layout_eval").state()
    notes = load_original(saved(state, tmp_path / "latest_net_G.pth")).notes
    assert any("dropout" in note for note in notes)


OPTIONS = (
    "----------------- Options ---------------\n"
    "                {name}: {direction}\t[default: AtoB]\n"
    "               no_dropout: {no_dropout}                         \n"
    "----------------- End -------------------\n"
)


@pytest.mark.parametrize(
    ("no_dropout", "dropout"), [("False", 0.5), ("True", 0.0), ("__import__('os')", 0.0)]
)
@pytest.mark.parametrize(
    ("name", "direction", "way"),
    [
        ("direction", "AtoB", "from A to B"),
        ("direction", "BtoA", "from B to A"),
        ("which_direction", "BtoA", "from B to A"),
    ],
)
def test_options_beside_a_file_tell_direction_and_dropout(
    name: str, direction: str, way: str, no_dropout: str, dropout: float, tmp_path: Path
) -> None:
    state = cases.read("pix2pix_cyclegan", "unet64_dropout_layout_eval").state()
    text = OPTIONS.format(name=name, direction=direction, no_dropout=no_dropout)
    (tmp_path / "train_opt.txt").write_text(text)
    found = load_original(saved(state, tmp_path / "latest_net_G.pth"))
    assert isinstance(found.config, Pix2PixConfig)
    assert (found.config.direction, found.config.dropout) == (direction, dropout)
    assert found.notes[0] == f"by the options beside the file it translates {way}"
    known = no_dropout in ("True", "False")
    assert any("by the options beside the file the U-Net has" in note for note in found.notes) is known
    assert built(found).config == found.config


@pytest.mark.parametrize("direction", ["AtoB", "BtoA"])
def test_the_generator_that_leads_back_reads_the_other_domain(direction: str, tmp_path: Path) -> None:
    state = cases.read("pix2pix_cyclegan", "resnet6_instance_eval").state()
    (tmp_path / "train_opt.txt").write_text(
        OPTIONS.format(name="direction", direction=direction, no_dropout="True")
    )
    for name, same in (("latest_net_G_A.pth", True), ("latest_net_G_B.pth", False)):
        config = load_original(saved(state, tmp_path / name)).config
        assert isinstance(config, Pix2PixConfig)
        assert (config.direction == direction) is same


class Hostile:
    """Unpickling this would make a folder."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (f"mkdir {self.target}",)


def pickled_bare(hostile: Hostile, path: Path) -> None:
    path.write_bytes(pickle.dumps({"model.1.weight": hostile}))


def saved_by_torch(hostile: Hostile, path: Path) -> None:
    torch.save({"model.1.weight": hostile}, path)


def saved_by_old_torch(hostile: Hostile, path: Path) -> None:
    torch.save({"model.1.weight": hostile}, path, **LEGACY)


@pytest.mark.parametrize("write", [pickled_bare, saved_by_torch, saved_by_old_torch])
def test_a_hostile_pickle_is_refused_and_not_executed(write: Any, tmp_path: Path) -> None:
    path, target = tmp_path / "latest_net_G.pth", tmp_path / "broken-in"
    write(Hostile(target), path)

    with pytest.raises(UserError, match="read safely") as refused:
        load_original(path)

    assert not target.exists()
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("options", [{}, LEGACY])
@pytest.mark.parametrize("kept", [0, 10, 1000, 60000])
def test_a_truncated_file_is_refused(options: Any, kept: int, tmp_path: Path) -> None:
    state = cases.read("pix2pix_cyclegan", "resnet6_instance_eval").state()
    path = saved(state, tmp_path / "latest_net_G.pth", **options)
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(UserError) as refused:
        load_original(path)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    "content",
    [b"", b"hello", b"PK\x03\x04 not a zip", pickle.dumps([1, 2]), b"\x89PNG\r\n\x1a\n", b"\x00" * 4096],
    ids=["empty", "text", "half a zip", "pickled list", "picture", "zeros"],
)
def test_other_files_are_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "model.pth"
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"model\.pth"):
        load_original(path)


@pytest.mark.parametrize("value", [[1, 2], {"epoch": 3}, {}, torch.zeros(3), {1: torch.zeros(3)}])
def test_other_objects_are_refused(value: Any, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="holds no state dict"):
        load_original(saved(value, tmp_path / "model.pth"))


def test_compressed_records_are_refused(tmp_path: Path) -> None:
    state = cases.read("pix2pix_cyclegan", "resnet6_instance_eval").state()
    path = saved(state, tmp_path / "plain.pth")
    bomb = tmp_path / "bomb.pth"
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as target:
        for record in source.infolist():
            target.writestr(record.filename, source.read(record))
    with pytest.raises(UserError, match="compressed"):
        load_original(bomb)


def test_views_that_unfold_are_refused(tmp_path: Path) -> None:
    view = torch.zeros(1).expand(10**12)
    with pytest.raises(UserError, match="unfold"):
        load_original(saved({"model.1.weight": view}, tmp_path / "bomb.pth"))


def test_tensors_without_values_are_refused(tmp_path: Path) -> None:
    state = {"model.1.weight": torch.zeros(4, 3, 7, 7, device="meta")}
    with pytest.raises(UserError, match="holds no state dict"):
        load_original(saved(state, tmp_path / "empty.pth"))


@pytest.mark.parametrize("change", ["extra", "missing", "shape"])
def test_a_nearly_right_generator_is_not_taken_for_one(change: str, tmp_path: Path) -> None:
    state = cases.read("pix2pix_cyclegan", "resnet6_instance_eval").state()
    if change == "extra":
        state["model.4.filt"] = torch.zeros(1)
    elif change == "missing":
        del state["model.19.weight"]
    else:
        state["model.19.weight"] = torch.zeros(8, 5, 3, 3)
    with pytest.raises(UserError, match="no system here recognises"):
        load_original(saved(state, tmp_path / "latest_net_G.pth"))


def test_a_resnet_that_halves_more_often_is_not_taken_for_one(tmp_path: Path) -> None:
    state = {"model.1.weight": torch.zeros(2, 3, 7, 7)}  # as pix2pixHD numbers its layers
    state |= {f"model.{4 + 3 * i}.weight": torch.zeros(4 << i, 2 << i, 3, 3) for i in range(3)}
    state |= {f"model.13.conv_block.{i}.weight": torch.zeros(16, 16, 3, 3) for i in (1, 5)}
    with pytest.raises(UserError, match="no system here recognises"):
        load_original(saved(state, tmp_path / "latest_net_G.pth"))


@pytest.mark.parametrize("name", [*cases.names("pix2pix_cyclegan", "patchgan"), "pixelgan_batch"])
def test_a_discriminator_is_refused_by_its_name(name: str, tmp_path: Path) -> None:
    state = cases.read("pix2pix_cyclegan", name).state()
    with pytest.raises(UserError, match="discriminator"):
        load_original(saved(state, tmp_path / "latest_net_D.pth"))


def test_a_missing_file_and_a_wrong_suffix_say_so(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no such file"):
        load_original(tmp_path / "nothing.pth")
    (tmp_path / "model.onnx").touch()
    with pytest.raises(UserError, match=r"\.pth"):
        load_original(tmp_path / "model.onnx")
