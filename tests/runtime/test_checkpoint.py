"""Model files: other types of numbers, weights that are not finite, and claims beyond all bounds."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from i2icli import registry
from i2icli.errors import UserError
from i2icli.runtime.checkpoint import load_model, write_model
from tests.asking import ask
from tests.tiny import tiny_config

IMAGE = torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(3)) * 2 - 1


@pytest.fixture
def model(tmp_path: Path) -> Path:
    system = registry.system_type("cyclegan")(tiny_config("cyclegan"))
    networks = {name: system.get_submodule(name) for name in system.inference_modules}
    write_model(tmp_path / "model.safetensors", system, "cyclegan", networks)
    return tmp_path / "model.safetensors"


def rewritten(path: Path, change: Callable[[str, Tensor], Tensor], **settings: Any) -> Path:
    """The same file with other tensors, or a description changed in some entries."""
    with safe_open(path, "pt") as file:
        description = json.loads(file.metadata()["i2icli"])
        tensors = {name: change(name, file.get_tensor(name)) for name in file.keys()}  # noqa: SIM118
    description |= settings
    save_file(tensors, path, metadata={"i2icli": json.dumps(description)})
    return path


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_weights_of_another_precision_are_converted(dtype: torch.dtype, model: Path) -> None:
    expected = ask(load_model(model), image=IMAGE, to="B")
    system = load_model(rewritten(model, lambda _, value: value.to(dtype)))
    assert {weight.dtype for weight in system.G_AB.parameters()} == {torch.float32}
    torch.testing.assert_close(ask(system, image=IMAGE, to="B"), expected, atol=0.02, rtol=0.02)


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf")])
def test_weights_that_are_not_finite_are_refused_by_name(bad: float, model: Path) -> None:
    def spoil(name: str, value: Tensor) -> Tensor:
        if name == "G_BA.head.bias":
            value[1] = bad
        return value

    with pytest.raises(UserError, match=r"G_BA\.head\.bias holds values that are no finite numbers"):
        load_model(rewritten(model, spoil))


def test_a_tensor_of_another_shape_is_named(model: Path) -> None:
    with pytest.raises(UserError, match=r"\(head\.bias is of another shape\)"):
        load_model(rewritten(model, lambda name, value: value[:1] if name == "G_AB.head.bias" else value))


@pytest.mark.parametrize(
    ("system", "config", "said"),
    [
        ("combogan", {"domains": [str(n) for n in range(10_000)]}, "domains = 10,000 entries.*at most 64"),
        ("progan", {"widths": [4] * 100_000}, "widths = 100,000 entries.*at most 64"),
        ("spade", {"classes": [f"{n} {n}" for n in range(20_000)]}, "more than 10,000 classes"),
        ("spade", {"classes": "/etc/hostname"}, "classes are no list"),
        ("cyclegan", {"width": 10**4000}, "width = a huge number"),
        ("cyclegan", {"wings" * 1000: 1}, "wings.*extra inputs"),
    ],
)
def test_settings_beyond_all_bounds_are_refused_in_one_short_line(
    system: str, config: Any, said: str, model: Path
) -> None:
    with pytest.raises(UserError, match=said) as refused:
        load_model(rewritten(model, lambda _, value: value, system=system, config=config))
    assert len(str(refused.value).replace(str(model.parent), "")) <= 500


@pytest.mark.parametrize("text", ["[" * 50_000 + "]" * 50_000, '{"step": ' + "9" * 9000 + "}", "null"])
def test_descriptions_that_nest_or_count_without_end(text: str, model: Path) -> None:
    save_file({"G.a": torch.zeros(1)}, model, metadata={"i2icli": text})
    with pytest.raises(UserError, match="description of itself is damaged"):
        load_model(model)


def test_a_header_without_end_is_not_read(model: Path) -> None:
    with model.open("wb") as file:
        file.write((50_000_000).to_bytes(8, "little"))
        file.truncate(60_000_000)
    with pytest.raises(UserError, match="its header has 50,000,000 bytes"):
        load_model(model)
