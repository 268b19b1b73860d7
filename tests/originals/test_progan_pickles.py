"""Network pickles of Progressive GAN's own program are read, and nothing in them is run."""

import os
import pickle
import struct
import sys
import types
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn.functional import interpolate

from i2icli.errors import UserError
from i2icli.inference.translator import Translator
from i2icli.originals import load_original
from i2icli.originals.checkpoint import Original
from i2icli.originals.network_pickles import read_network_pickle
from i2icli.systems.progan.config import ProGANConfig
from i2icli.systems.progan.system import ProGAN
from tests.asking import ask
from tests.parity import cases
from tests.parity.cases import Case

SYSTEM = "progan"


@pytest.fixture(autouse=True)
def tfutil(monkeypatch: pytest.MonkeyPatch) -> types.ModuleType:
    """A module with a class Network as the paper's program pickles it; it must not be asked when reading."""
    module = types.ModuleType("tfutil")

    class Network:
        def __init__(self, state: dict[str, Any]) -> None:
            self.state = state

        def __getstate__(self) -> dict[str, Any]:
            return self.state

        def __setstate__(self, state: dict[str, Any]) -> None:
            raise AssertionError("the real class was used")

    Network.__module__, Network.__qualname__ = "tfutil", "Network"
    module.Network = Network  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "tfutil", module)
    return module


def network(case: Case, kind: str, lod: float = 0.0, **settings: Any) -> Any:
    """One of the program's networks with the weights of a case."""
    variables = [("lod", np.float32(lod))] + [(key, value.numpy()) for key, value in case.state().items()]
    state = {
        "version": 2,
        "name": kind,
        "static_kwargs": {"resolution": 16, "num_channels": 3, "fused_scale": True, "label_size": 0}
        | settings,
        "build_module_src": "import os; os.mkdir('hacked')",
        "build_func_name": f"{kind[0]}_paper",
        "variables": variables,
    }
    return sys.modules["tfutil"].Network(state)


def written(path: Path, content: Any, protocol: int = 4) -> Path:
    path.write_bytes(pickle.dumps(content, protocol))
    return path


def published(path: Path, fused: bool = True, **more: Any) -> Path:
    """(G, D, Gs) as in the program's files."""
    end = "" if fused else "_unfused"
    G = cases.read(SYSTEM, f"official_generator{end}")
    D = cases.read(SYSTEM, "official_discriminator" + ("" if fused else "_unfused_group16"))
    return written(path, (network(G, "G", **more), network(D, "D"), network(G, "Gs", **more)))


def built(original: Original) -> ProGAN:
    assert isinstance(original.config, ProGANConfig)
    system = ProGAN(original.config)
    system.load_state_dict(original.tensors, strict=True)
    return system.eval()


@pytest.mark.parametrize("fused", [True, False])
def test_a_published_file_gives_the_numbers_of_the_program(fused: bool, tmp_path: Path) -> None:
    original = load_original(published(tmp_path / "karras.pkl", fused))
    end = "" if fused else "_unfused"
    case = cases.read(SYSTEM, f"official_generator{end}")
    system = built(original)
    assert (system.config.fused_scale, system.config.stddev_group) == (fused, 4 if fused else 16)
    assert [stage.name for stage in system.config.stages()] == ["16 px"]
    with torch.inference_mode():
        images = ask(system, latent=case.given("latents"))
        judge = cases.read(SYSTEM, "official_discriminator" + ("" if fused else "_unfused_group16"))
        scores = system.D(judge.given("images"), 2)
    cases.assert_images(images, case.expected("lod_0.0").clamp(-1, 1))
    cases.assert_images(scores, judge.expected("lod_0.0"))


def test_resolutions_that_were_never_reached_are_left_out(tmp_path: Path) -> None:
    original = load_original(published(tmp_path / "young.pkl", lod=1.0))
    case = cases.read(SYSTEM, "official_generator")
    with torch.inference_mode():
        images = ask(built(original), latent=case.given("latents"))
    assert images.shape[-1] == 8
    cases.assert_images(
        interpolate(images, scale_factor=2, mode="nearest"), case.expected("lod_1.0").clamp(-1, 1)
    )


@pytest.mark.parametrize("lod", [0.3, 1.6])
def test_a_file_saved_in_the_middle_of_a_fade_generates_with_that_alpha(lod: float, tmp_path: Path) -> None:
    case = cases.read(SYSTEM, "official_generator")
    path = published(tmp_path / "fading.pkl", lod=lod)
    translator = Translator.load(path, "cpu", "fp32", "torch")
    with torch.inference_mode():
        images = ask(translator.backend.system, latent=case.given("latents"))
    assert images.shape[-1] == 16 >> int(lod)
    enlarged = interpolate(images, size=16, mode="nearest")
    cases.assert_images(enlarged, case.expected(f"lod_{lod}").clamp(-1, 1))
    (note,) = translator.notes
    shown = (
        f"while {16 >> int(lod)} px were faded in (alpha {1 - lod % 1:.2f}), and generates with that alpha"
    )
    assert note == f"it was saved {shown}"


@pytest.mark.parametrize("protocol", [2, 3, 4])
def test_every_protocol_that_writes_such_files_is_read(protocol: int, tmp_path: Path) -> None:
    case = cases.read(SYSTEM, "official_generator")
    path = written(tmp_path / "one.pkl", (network(case, "Gs"),), protocol)
    state = read_network_pickle(path)
    assert torch.equal(state["Gs.4x4/Dense/weight"], case.state()["4x4/Dense/weight"])
    assert state["Gs.lod"] == 0
    assert state["Gs.static_kwargs/resolution"] == 16


class Evil:
    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, ("hacked",)


def test_a_file_that_asks_for_anything_else_is_refused_and_nothing_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    case = cases.read(SYSTEM, "official_generator")
    for number, content in enumerate(((network(case, "G"), Evil()), network(case, "G", fused_scale=Evil()))):
        path = written(tmp_path / f"{number}.pkl", content)
        with pytest.raises(UserError, match=r"asks for (posix|nt)\.mkdir, which could run code") as caught:
            load_original(path)
        assert "\n" not in str(caught.value)
    load_original(published(tmp_path / "good.pkl"))
    assert not (tmp_path / "hacked").exists()


def changed(path: Path, change: Any) -> Path:
    """A published file, one of whose generators was tampered with."""
    case = cases.read(SYSTEM, "official_generator")
    tampered = network(case, "Gs")
    change(tampered.state)
    return written(path, (tampered,))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda state: state.update(variables="none"), "without variables"),
        (lambda state: state.update(variables=[("lod", "1")]), "'lod' is no array"),
        (lambda state: state.update(variables=[1, 2]), "no names"),
        (lambda state: state["variables"].append(("x", np.array(["a"]))), "not of numbers"),
        (lambda state: state["variables"].append(("x", np.array([{}]))), "array of an unknown kind"),
    ],
)
def test_what_is_no_network_is_refused_in_one_line(change: Any, said: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=said) as caught:
        load_original(changed(tmp_path / "bad.pkl", change))
    assert "\n" not in str(caught.value)


def _sharing(state: dict[str, Any]) -> bytes:
    """A file of many networks that all have one state."""
    networks = [network(cases.read(SYSTEM, "official_generator"), f"{number}") for number in range(100)]
    for each in networks:
        each.state = state
    return pickle.dumps(networks, 4)


def test_small_files_cannot_ask_for_memory(tmp_path: Path) -> None:
    case = cases.read(SYSTEM, "official_generator")
    whole = pickle.dumps((network(case, "Gs"),), 4)
    many = network(case, "Gs")
    array = np.zeros((100, 100), np.float32)
    many.state["variables"] = [(f"{number}", array) for number in range(1000)]
    halves = network(case, "Gs")
    halves.state["variables"] = [(f"{number}", array.astype(np.float16)) for number in range(9)] * 100
    settings = {f"{number}": 0.0 for number in range(2000)}
    text = b"a" * 10_000
    same = pickle.BINGET + b"\0" + pickle.BINGET + b"\1" + pickle.TUPLE1 + pickle.REDUCE  # encoded anew
    spelled = b"\x80\x02U\x06tfutil0c_codecs\nencode\nq\0X" + struct.pack("<I", len(text)) + text + b"q\1"
    far = pickle.LONG_BINPUT + struct.pack("<I", 2**31)
    attacks = {
        "inflated.pkl": (pickle.dumps((many,), 4), "more memory"),
        "halves.pkl": (pickle.dumps((halves,), 4), "more memory"),
        "spelled.pkl": (spelled + same * 1000 + b".", "more memory"),
        "layers.pkl": (pickle.dumps([network(case, f"{number}") for number in range(600)], 4), "more memory"),
        "shared.pkl": (_sharing({"variables": [("w", array)] * 2000}), "more memory"),
        "settings.pkl": (_sharing({"variables": [], "static_kwargs": settings}), "more memory"),
        "memo.pkl": (b"\x80\x04\x8c\x06tfutil" + far + b".", "more memory"),
        "cut.pkl": (whole[: len(whole) // 2], "damaged"),
        "long.pkl": (b"\x80\x04\x8c\x06tfutil\x8e" + struct.pack("<Q", 2**60) + b".", "damaged"),
        "nothing.pkl": (b"\x80\x04\x8c\x06tfutil.", "no networks"),
    }
    for name, (data, said) in attacks.items():
        (tmp_path / name).write_bytes(data)
        with pytest.raises(UserError, match=said):
            load_original(tmp_path / name)


def test_networks_of_other_kinds_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="built with tanh_at_end True; only those with False"):
        load_original(published(tmp_path / "tanh.pkl", tanh_at_end=True))
    judge = network(cases.read(SYSTEM, "official_discriminator"), "D")
    with pytest.raises(UserError, match="discriminator; give a file with its generator"):
        load_original(written(tmp_path / "d.pkl", judge))


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ({"lod": float("nan")}, "lod nan; expected a number from 0 to 2"),
        ({"lod": -5e7}, "lod -5e\\+07; expected a number from 0 to 2"),
        ({"lod": 3.0}, "lod 3; expected a number from 0 to 2"),
        ({"label_size": 2**30}, "label_size 1.07374e\\+09; expected a number from 0 to 10000"),
        ({"label_size": -1}, "label_size -1; expected"),
        ({"use_wscale": 7}, "use_wscale 7; expected a number from 0 to 1"),
    ],
)
def test_settings_that_no_network_has_are_refused(setting: Any, said: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=said):
        load_original(published(tmp_path / "odd.pkl", **setting))


@pytest.mark.parametrize("name", ["4x4/Dense/weight", "8x8/Conv0_up/weight", "ToRGB_lod0/weight"])
def test_weights_of_a_shape_that_no_layer_has_are_not_recognised(name: str, tmp_path: Path) -> None:
    def flatten(state: dict[str, Any]) -> None:
        state["variables"] = [
            (key, value.ravel() if key == name else value) for key, value in state["variables"]
        ]

    with pytest.raises(UserError, match="no system here recognises"):
        load_original(changed(tmp_path / "odd.pkl", flatten))


# -- the re-implementation -------------------------------------------------------------------------


def zoo(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, infix: bool = True, end: str = "alpha0", **more: Any
) -> Path:
    """A file of pytorch_GAN_zoo: the settings, an object of its own class, beside three networks."""
    for name in ("models", "models.utils", "models.utils.config"):
        monkeypatch.setitem(sys.modules, name, types.ModuleType(name))

    class BaseConfig:
        pass

    BaseConfig.__module__, BaseConfig.__qualname__ = "models.utils.config", "BaseConfig"
    sys.modules["models.utils.config"].BaseConfig = BaseConfig  # type: ignore[attr-defined]
    settings = BaseConfig()
    settings.__dict__ |= {"depthScale0": 8, "depthOtherScales": [8, 4], "alpha": 0, "leakyReluLeak": 0.2}
    settings.__dict__ |= more

    def state(name: str) -> dict[str, Any]:
        found = cases.read(SYSTEM, name).state()
        return found if infix else {key.replace(".module", ""): value for key, value in found.items()}

    G = state(f"zoo_generator_16px_{end}")
    content = {
        "config": settings,
        "netG": {key: torch.zeros_like(value) for key, value in G.items()},
        "netD": state(f"zoo_discriminator_16px_{end}"),
        "avgG": G,
    }
    torch.save(content, tmp_path / "zoo.pth")
    return tmp_path / "zoo.pth"


@pytest.mark.parametrize("infix", [True, False])
def test_a_file_of_the_re_implementation(
    infix: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    system = built(load_original(zoo(tmp_path, monkeypatch, infix)))
    case = cases.read(SYSTEM, "zoo_generator_16px_alpha0")
    judge = cases.read(SYSTEM, "zoo_discriminator_16px_alpha0")
    with torch.inference_mode():
        images = ask(system, latent=case.given("z"))
        scores = system.D(judge.given("x"), 2)
    cases.assert_images(images, case.expected().clamp(-1, 1))
    cases.assert_images(scores, judge.expected("score"))


def test_a_fade_of_the_re_implementation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = zoo(tmp_path, monkeypatch, end="alpha0p3", alpha=0.3)  # there it is the weight of what fades out
    translator = Translator.load(path, "cpu", "fp32", "torch")
    case = cases.read(SYSTEM, "zoo_generator_16px_alpha0p3")
    with torch.inference_mode():
        images = ask(translator.backend.system, latent=case.given("z"))
    cases.assert_images(images, case.expected().clamp(-1, 1))
    assert translator.notes == (
        "it was saved while 16 px were faded in (alpha 0.70), and generates with that alpha",
    )


@pytest.mark.parametrize("alpha", [-0.5, 2, float("nan")])
def test_an_impossible_fade_is_refused(alpha: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UserError, match=r"zoo.pth: its settings give alpha .*from 0 to 1"):
        load_original(zoo(tmp_path, monkeypatch, alpha=alpha))
