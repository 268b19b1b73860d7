"""What is pulled is found by its name, from the command line and from Python; what is no model is not."""

import hashlib
import io
import json
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch

from i2icli.__main__ import main
from i2icli.downloads.download import Lines
from i2icli.errors import UserError
from i2icli.home import data_home
from i2icli.hub import catalogue, sources
from i2icli.hub.catalogue import Listed
from i2icli.hub.pull import Result, pull
from i2icli.hub.store import check_name, pulled, safe_name
from i2icli.registry import system_type
from i2icli.runs import find_model
from i2icli.runtime.checkpoint import write_model
from tests.downloads.server import Asked, Server
from tests.tiny import tiny_config

Capture = pytest.CaptureFixture[str]


def model_bytes() -> bytes:
    """A tiny model file of ours."""
    config = tiny_config("pix2pix")
    system = system_type("pix2pix")(config)
    path = Path("written.safetensors")
    write_model(path, system, "pix2pix", {"G": system.get_submodule("G")})
    try:
        return path.read_bytes()
    finally:
        path.unlink()


def original_bytes() -> bytes:
    """A generator as the classic repository saves it."""
    width = 4
    state = {
        "model.1.weight": torch.randn(width, 3, 7, 7),
        "model.1.bias": torch.zeros(width),
        "model.4.weight": torch.randn(2 * width, width, 3, 3),
        "model.4.bias": torch.zeros(2 * width),
        "model.7.weight": torch.randn(4 * width, 2 * width, 3, 3),
        "model.7.bias": torch.zeros(4 * width),
    }
    for layer in (1, 5):
        state[f"model.10.conv_block.{layer}.weight"] = torch.randn(4 * width, 4 * width, 3, 3)
        state[f"model.10.conv_block.{layer}.bias"] = torch.zeros(4 * width)
    for layer, channels in ((11, 4), (14, 2)):
        state[f"model.{layer}.weight"] = torch.randn(channels * width, channels * width // 2, 3, 3)
        state[f"model.{layer}.bias"] = torch.zeros(channels * width // 2)
    state |= {"model.18.weight": torch.randn(3, width, 7, 7), "model.18.bias": torch.zeros(3)}
    return saved(state)


def saved(state: object) -> bytes:
    buffer = io.BytesIO()
    torch.save(state, buffer)
    return buffer.getvalue()


def serve(data: bytes) -> Callable[[Asked], None]:
    return lambda asked: asked.ranged(data, f'"{hashlib.sha256(data).hexdigest()[:8]}"')


def get(what: str, **options: object) -> Result:
    return pull(what, Lines(lambda _: None), **options)  # type: ignore[arg-type]


def files(folder: Path) -> list[str]:
    """Every file below a folder but locks, sorted."""
    found = (path for path in folder.rglob("*") if path.is_file() and path.suffix != ".lock")
    return sorted(path.relative_to(folder).as_posix() for path in found)


# -- the ways ----------------------------------------------------------------------------------


def test_a_model_from_an_address_is_found_by_its_name(server: Server) -> None:
    data = model_bytes()
    server.answer = serve(data)
    found = get(f"{server.url}/files/zebras.safetensors?version=2").pulled
    assert (found.name, found.system, found.size, found.checked) == ("zebras", "pix2pix", len(data), None)
    assert found.sha256 == hashlib.sha256(data).hexdigest()
    assert find_model("zebras") == found.path == data_home() / "models" / "zebras" / "zebras.safetensors"
    assert find_model(found.source) == found.path
    assert files(data_home()) == ["models/zebras/pulled.json", "models/zebras/zebras.safetensors"]
    assert get(found.source).was_here
    assert len(server.asked) == 1
    (found.path.parent / "notes").mkdir()
    (found.path.parent / "licence.txt").write_text("kept by a user")
    assert not get(found.source, again=True).was_here
    assert len(server.asked) == 2
    assert {"models/zebras/licence.txt", "models/zebras/pulled.json"} <= set(files(data_home()))
    assert (found.path.parent / "notes").is_dir()


def test_an_original_checkpoint_translates_by_its_name(server: Server, capsys: Capture) -> None:
    from PIL import Image

    server.answer = serve(original_bytes())
    Image.new("RGB", (16, 16), "red").save("photo.png")
    assert main(["pull", f"{server.url}/latest_net_G.pth", "--name", "zebras"]) == 0
    shown = capsys.readouterr().out
    assert "zebras is here: pix2pix" in shown
    assert "recorded; nobody has said what it should be" in shown
    assert main(["translate", "photo.png", "--model", "zebras", "--out", "out"]) == 0
    assert Path("out/photo.png").is_file()
    assert main(["info", "zebras"]) == 0

    import i2icli

    assert i2icli.load("zebras").translate("photo.png").size == (16, 16)


@pytest.mark.parametrize("address", ["half.onnx", "download"])
def test_an_exported_graph_translates_by_its_name(address: str, server: Server, capsys: Capture) -> None:
    from PIL import Image

    from i2icli.image import read_image
    from tests.graphs.files import halving

    server.answer = serve(halving(Path("written.onnx")).read_bytes())
    Image.new("RGB", (16, 20), (255, 255, 255)).save("photo.png")
    assert main(["pull", f"{server.url}/{address}", "--name", "halves"]) == 0
    assert "halves is here: cyclegan" in capsys.readouterr().out
    assert find_model("halves").suffix == ".onnx"
    assert main(["translate", "photo.png", "--model", "halves", "--out", "out"]) == 0
    assert set(read_image("out/photo.png").pixels.flat) == {191}


def test_a_graph_of_others_or_in_two_files_is_refused(server: Server, capsys: Capture) -> None:
    from tests.graphs.files import graph, node, write

    other = graph(None, [node("Abs", "a", "b")], inputs={"a": (1,)}, outputs={"b": (1,)})
    server.answer = serve(write(Path("other.onnx"), other).read_bytes())
    assert main(["pull", f"{server.url}/other.onnx"]) == 1
    assert "other.onnx" in capsys.readouterr().err
    server.answer = serve(b'<?xml version="1.0"?>\n<net name="Model0" version="11"></net>')
    assert main(["pull", f"{server.url}/half.xml"]) == 1
    assert "an OpenVINO graph is two files" in capsys.readouterr().err
    assert pulled() == []


def test_several_that_pull_the_same_download_it_once(server: Server) -> None:
    data = model_bytes()
    server.answer = serve(data)
    with ThreadPoolExecutor(3) as threads:
        found = list(threads.map(get, [f"{server.url}/zebras.safetensors"] * 3))
    assert [each.was_here for each in found].count(False) == 1
    assert len(server.asked) == 1
    assert find_model("zebras").read_bytes() == data


def test_a_run_and_a_file_come_before_what_was_pulled(server: Server) -> None:
    server.answer = serve(model_bytes())
    get(f"{server.url}/zebras.safetensors")
    Path("runs/zebras").mkdir(parents=True)
    Path("runs/zebras/model.safetensors").touch()
    assert find_model("zebras") == Path("runs/zebras/model.safetensors")


def test_a_published_model_is_pulled_by_its_name(
    server: Server, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    data = original_bytes()
    listed = Listed(
        name="pix2pix-shoes",
        system="pix2pix",
        task="edges to shoes",
        source="https://example.com",
        licence="MIT",
        url=f"{server.url}/edges2shoes.pth",
        size=len(data),
        sha256=hashlib.sha256(data).hexdigest()[:8],
    )
    monkeypatch.setattr(sources, "catalogue", lambda: {listed.name: listed})
    monkeypatch.setattr(catalogue, "catalogue", lambda: {listed.name: listed})
    with pytest.raises(UserError, match="not here yet; get it with: i2i pull pix2pix-shoes"):
        find_model("pix2pix-shoes")
    server.answer = serve(data)
    found = get("pix2pix-shoes").pulled
    assert (found.checked, found.licence, found.file) == ("the catalogue", "MIT", "edges2shoes.pth")
    assert main(["models", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert [each["name"] for each in shown["published"]] == ["pix2pix-shoes"]
    assert shown["pulled"][0]["path"] == str(found.path)
    server.answer = serve(model_bytes())
    with pytest.raises(UserError, match="not the file that its name promises"):
        get("pix2pix-shoes", again=True)
    assert find_model("pix2pix-shoes") == found.path, "the old one stays"


def test_a_digest_that_the_user_gives_is_checked(server: Server) -> None:
    data = model_bytes()
    server.answer = serve(data)
    digest = hashlib.sha256(data).hexdigest()
    with pytest.raises(UserError, match="not 00000000"):
        get(f"{server.url}/a.safetensors", sha256="00000000")
    assert get(f"{server.url}/a.safetensors", sha256=digest.upper()).pulled.checked == "--sha256"
    with pytest.raises(UserError, match=r"its SHA-256 is .*, not 00000000; --again"):
        get(f"{server.url}/a.safetensors", sha256="00000000")
    with pytest.raises(UserError, match="expected 8 to 64 hexadecimal digits"):
        get(f"{server.url}/b.safetensors", sha256="xyz")


# -- the hub -----------------------------------------------------------------------------------


def hub(
    held: dict[str, bytes], *, token: str | None = None, digest: str | None = None
) -> Callable[[Asked], None]:
    """A hub with one repository, alice/zebras, whose large files are elsewhere."""

    def answer(asked: Asked) -> None:
        if token and asked.headers.get("authorization") != f"Bearer {token}":
            return asked.send(401)
        if asked.path == "/api/models/alice/zebras/revision/main":
            siblings = [{"rfilename": name} for name in held]
            return asked.send(200, {}, json.dumps({"siblings": siblings}).encode())
        name = asked.path.removeprefix("/alice/zebras/resolve/main/")
        if name not in held:
            return asked.send(404)
        head = asked.handler.command == "HEAD"
        sha = digest or hashlib.sha256(held[name]).hexdigest()
        return asked.send(
            200,
            {"X-Linked-Etag": f'"{sha}"', "Content-Length": str(len(held[name]))},
            b"" if head else held[name],
        )

    return answer


def test_a_repository_is_pulled_and_checked_by_the_hub_s_digest(server: Server) -> None:
    server.answer = hub({"model.safetensors": model_bytes(), "README.md": b""})
    found = get("hf://alice/zebras").pulled
    assert (found.name, found.checked, found.file) == ("zebras", "the hub", "model.safetensors")
    assert find_model("hf://alice/zebras") == find_model("zebras") == found.path
    server.answer = hub({"model.safetensors": model_bytes()}, digest="0" * 64)
    with pytest.raises(UserError, match="not the file that its name promises"):
        get("hf://alice/zebras", again=True)


def test_another_file_of_a_repository_is_named_or_the_only_one(server: Server) -> None:
    held = {"nets/latest_net_G.pth": original_bytes(), "README.md": b""}
    server.answer = hub(held)
    assert get("hf://alice/zebras").pulled.name == "zebras"
    assert get("hf://alice/zebras/nets/latest_net_G.pth").pulled.name == "latest_net_G"
    server.answer = hub({**held, "other.pth": b""})
    with pytest.raises(
        UserError, match=r"no model\.safetensors in it; it holds nets/latest_net_G\.pth, other\.pth: name one"
    ):
        get("hf://alice/zebras", again=True)
    with pytest.raises(UserError, match=r"more\.pth is not there, or not for everyone: HF_TOKEN"):
        get("hf://alice/zebras/more.pth")


def test_a_private_repository_needs_the_token(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    server.answer = hub({"model.safetensors": model_bytes()}, token="secret")
    with pytest.raises(UserError, match="HF_TOKEN in the environment"):
        get("hf://alice/zebras")
    monkeypatch.setenv("HF_TOKEN", "secret")
    get("hf://alice/zebras")
    kept = (data_home() / "models" / "zebras" / "pulled.json").read_text()
    assert "secret" not in kept


@pytest.mark.parametrize("text", ["hf://", "hf://alice", "hf://../etc", "hf://a/b/../../c.pth", "hf://a/b c"])
def test_repositories_that_are_none(text: str) -> None:
    with pytest.raises(UserError, match="expected hf://owner/name"):
        get(text)


# -- what is no model --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("file", "data", "words"),
    [
        ("page.pth", b"<!doctype html><title>Sign in", "a web page came, not a model; open the address in a"),
        ("uc", b"<html>", "a web page came"),
        ("cut.safetensors", b"\x10\x00\x00\x00\x00\x00\x00\x00{", "not a readable .safetensors file"),
        ("other.pth", saved({"a": torch.zeros(1)}), "1 tensor .* that no system here recognises"),
        (
            "evil.pth",
            b"cos\nsystem\n(S'touch executed'\ntR.",
            "not a file of weights that can be read safely",
        ),
        ("empty.pth", b"", "not a file of weights"),
        ("noise", bytes(range(256)), "not a file of weights"),
        ("a.zip", b"PK\x05\x06" + bytes(18), "the archive holds no model"),
    ],
)
def test_other_files_are_kept_aside(file: str, data: bytes, words: str, server: Server) -> None:
    server.answer = serve(data)
    with pytest.raises(UserError, match=rf"{words}.*\(kept as ") as error:
        get(f"{server.url}/{file}", name="it")
    assert "\n" not in str(error.value)
    assert pulled() == []
    assert [name.split("/")[0] for name in files(data_home())] == ["refused"]
    assert not Path("executed").exists()
    with pytest.raises(UserError, match="no model 'it'"):
        find_model("it")


def test_a_file_without_suffix_is_known_by_its_first_bytes(server: Server) -> None:
    server.answer = serve(model_bytes())
    assert get(f"{server.url}/download?id=1").pulled.file == "download.safetensors"
    server.answer = serve(original_bytes())
    assert get(f"{server.url}/uc?id=1").pulled.file == "uc.pth"


def zipped(**held: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in held.items():
            archive.writestr(name.replace("_dot_", ".").replace("_up_", "../"), data)
    return buffer.getvalue()


def test_the_model_is_taken_out_of_an_archive(server: Server) -> None:
    data = original_bytes()
    discriminator = saved({"main.0.weight": torch.zeros(4, 3, 4, 4), "conv1.weight": torch.zeros(1, 4, 3, 3)})
    server.answer = serve(
        zipped(**{"200000-G_dot_ckpt": data, "200000-D_dot_ckpt": discriminator, "a_dot_txt": b""})
    )
    found = get(f"{server.url}/celeba.zip?dl=1").pulled
    assert (found.name, found.file, found.size) == ("celeba", "200000-G.ckpt", len(data))
    assert found.sha256 == hashlib.sha256(data).hexdigest()
    assert files(data_home()) == ["models/celeba/200000-G.ckpt", "models/celeba/pulled.json"]


def test_archives_reach_nothing_outside_and_do_not_explode(server: Server) -> None:
    server.answer = serve(zipped(_up__up__up__up_G_dot_pth=original_bytes()))
    found = get(f"{server.url}/out.zip").pulled
    assert found.path.parent == data_home() / "models" / "out"
    server.answer = serve(zipped(G_dot_pth=bytes(10_000_000)))
    with pytest.raises(UserError, match="unfolds to 10 MB, which weights do not"):
        get(f"{server.url}/bomb.zip")
    server.answer = serve(zipped(a_dot_pth=original_bytes(), b_dot_pth=original_bytes()))
    with pytest.raises(UserError, match=r"several models \(a\.pth, b\.pth\)"):
        get(f"{server.url}/two.zip")
    assert not list(data_home().rglob("unpacked"))


# -- names -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("zebras", "zebras"),
        ("../../etc/passwd", "etc-passwd"),
        (".hidden", "hidden"),
        ("a b\nc", "a-b-c"),
        ("cyclegan", "cyclegan-model"),
        ("x" * 300, "x" * 100),
    ],
)
def test_names_are_made_safe(text: str, name: str) -> None:
    assert safe_name(text) == name
    check_name(name)


@pytest.mark.parametrize("name", ["../x", "a/b", "", ".", "..", "a\\b", "x" * 101, "pix2pix", "-x", "a."])
def test_names_that_are_refused(name: str, server: Server) -> None:
    server.answer = serve(b"")
    with pytest.raises(UserError):
        get(f"{server.url}/a.pth", name=name or "\n")
    assert not data_home().exists() or files(data_home()) == []


def test_a_name_of_another_model_is_not_taken_over(server: Server) -> None:
    server.answer = serve(model_bytes())
    get(f"{server.url}/a/zebras.safetensors")
    with pytest.raises(UserError, match="is called zebras already; choose another --name"):
        get(f"{server.url}/b/zebras.safetensors")
    assert get(f"{server.url}/b/zebras.safetensors", name="others").pulled.name == "others"
    assert [each.name for each in pulled()] == ["others", "zebras"]


def test_a_damaged_record_hides_nothing_else(server: Server) -> None:
    server.answer = serve(model_bytes())
    get(f"{server.url}/a.safetensors")
    get(f"{server.url}/b.safetensors")
    record = data_home() / "models" / "a" / "pulled.json"
    record.write_text(record.read_text().replace('"a.safetensors"', '"../b/b.safetensors"'))
    assert [each.name for each in pulled()] == ["b"], "a record names no file elsewhere"
    record.write_text("{")
    assert [each.name for each in pulled()] == ["b"]
    assert not get(f"{server.url}/a.safetensors").was_here


def test_what_is_not_here_says_how_to_get_it() -> None:
    with pytest.raises(UserError, match="get it with: i2i pull hf://alice/zebras"):
        find_model("hf://alice/zebras")
    with pytest.raises(UserError, match="get it with: i2i pull cyclegan-horse2zebra"):
        find_model("cyclegan-horse2zebra")
    with pytest.raises(UserError, match=r"its host gives it to browsers alone; download .* --model FILE"):
        get("spade-coco")
    with pytest.raises(UserError, match="did you mean spade-coco"):
        get("spade-cocoo")


def test_the_catalogue_is_whole() -> None:
    listed = catalogue.catalogue()
    assert len(listed) > 30
    for each in listed.values():
        assert each.source.startswith("https://")
        assert (each.url or each.page or "").startswith(("https://", "http://efrosgans.eecs.berkeley.edu/"))
        check_name(each.name)
        assert not each.tried or each.sha256, "a file that was opened has a known digest"


def test_models_lists_them(capsys: Capture) -> None:
    assert main(["models", "spade"]) == 0
    shown = capsys.readouterr().out
    assert "spade-coco" in shown
    assert "cyclegan" not in shown
    assert "not tried" in shown
    assert "CC-BY-NC-SA-4.0" in shown
