"""Images through pipes: what stands on standard input is recognised; one result can go to standard output."""

import io
import json
import sys

import numpy as np
import pytest
from PIL import Image

from i2icli.__main__ import main
from i2icli.cli.piping import image_as_file
from i2icli.image import read_image
from i2icli.inference.record import ADVICE
from i2icli.registry import system_type
from i2icli.runtime.checkpoint import write_model
from tests.tiny import tiny_config


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "model.safetensors"
    system = system_type("pix2pix")(tiny_config("pix2pix")).eval()
    write_model(path, system, "pix2pix", {"G": system.G})
    return str(path)


def image(format="PNG", size=(40, 36)):
    data = io.BytesIO()
    pixels = np.random.default_rng(0).integers(0, 256, (size[1], size[0], 3), np.uint8)
    Image.fromarray(pixels).save(data, format)
    return data.getvalue()


class Terminal(io.TextIOWrapper):
    def isatty(self):
        return True


@pytest.fixture
def i2i(monkeypatch, tmp_path):
    """Run a command with bytes on standard input: exit code, bytes on stdout, text on stderr."""
    monkeypatch.chdir(tmp_path)

    def run(*words, stdin=b"", terminal=False):
        out, err = io.BytesIO(), io.StringIO()
        kind = Terminal if terminal else io.TextIOWrapper
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BufferedReader(io.BytesIO(stdin))))
        monkeypatch.setattr(sys, "stdout", kind(out, write_through=True))
        monkeypatch.setattr(sys, "stderr", err)
        return main([*words, "--device", "cpu"] if words[0] == "translate" else words), out.getvalue(), err

    return run


@pytest.mark.parametrize(
    ("format", "start"), [("PNG", b"\x89PNG"), ("JPEG", b"\xff\xd8\xff"), ("PPM", b"P6")]
)
def test_an_image_comes_in_and_its_result_goes_out_in_the_same_format(i2i, model, format, start, tmp_path):
    code, out, err = i2i("translate", "-", "--model", model, stdin=image(format))
    assert (code, out[: len(start)]) == (0, start)
    assert read_image(out).pixels.shape[:2] == (36, 40)
    assert list(tmp_path.iterdir()) == []
    assert "i2i-" not in err.getvalue(), "temporary files are named"


def test_a_file_goes_to_standard_output_and_a_piped_image_into_a_folder(i2i, model, tmp_path):
    (tmp_path / "a.png").write_bytes(image())
    assert i2i("translate", "a.png", "--model", model, "--out", "-")[1].startswith(b"\x89PNG")
    assert i2i("translate", "-", "--model", model, "--out", "made", stdin=image("JPEG"))[0] == 0
    assert (tmp_path / "made" / "stdin.jpg").is_file()


def test_temporary_files_are_named_in_no_line_and_results_of_other_images_stay(i2i, model, tmp_path):
    large = image(size=(400, 360))  # of which there is a note
    words = ["translate", "-", "--model", model, "--out", "made", "--json"]
    code, out, err = i2i(*words, stdin=large)
    assert (code, json.loads(out)["source"]) == (0, "stdin")
    assert "note: stdin is translated at 400x360 px" in err.getvalue()
    made = (tmp_path / "made/stdin.png").read_bytes()
    code, out, err = i2i(*words, stdin=image())
    assert code == 1
    assert json.loads(out)["error"].endswith("is the result of another image, stdin; " + ADVICE)
    assert "i2i-" not in err.getvalue()
    assert (tmp_path / "made/stdin.png").read_bytes() == made


class Halting(io.RawIOBase):
    """A pipe into which a program writes a few bytes, and later the rest."""

    def __init__(self, *parts):
        self.parts = [*parts]

    def readable(self):
        return True

    def readinto(self, buffer):
        part = self.parts.pop(0) if self.parts else b""
        part, rest = part[: len(buffer)], part[len(buffer) :]
        self.parts[:0] = [rest] if rest else []
        buffer[: len(part)] = part
        return len(part)


@pytest.mark.parametrize("given", [image(), "BMW.png\r\nä\u2028.png\n".encode()])
def test_what_arrives_in_pieces_is_the_same(given, monkeypatch):
    stream = io.BufferedReader(Halting(given[:8], given[8:9], given[9:]))
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(stream))
    with image_as_file(["a.png", "-"]) as (words, file):
        if file is None:
            assert words == ["a.png", "BMW.png", "ä\u2028.png"]
        else:
            assert (words, file.read_bytes()) == (["a.png", str(file)], given)


def test_an_empty_list_generates_nothing(i2i, model):
    code, out, err = i2i("translate", "-", "--model", model)
    assert (code, out) == (2, b"")
    assert "the list of inputs is empty" in err.getvalue()


def test_a_list_stays_a_list(i2i, model, tmp_path):
    (tmp_path / "BMW.png").write_bytes(image())  # as the bytes of a BMP file begin
    code, out, _ = i2i("translate", "-", "--model", model, stdin=b"BMW.png\n")
    assert (code, out) == (0, b"")
    assert (tmp_path / "translated" / "BMW.png").is_file()


def test_what_cannot_go_through_a_pipe_is_refused_in_a_line(i2i, model, tmp_path):
    (tmp_path / "a.png").write_bytes(image())
    (tmp_path / "b.png").write_bytes(image())
    for words, given, expected in (
        (["a.png", "b.png", "--out", "-"], {}, "takes one result, here are 2"),
        (["-"], {"stdin": image(), "terminal": True}, "would go to the terminal"),
        (["-"], {"stdin": b"\0\1\2\3"}, "cannot read stdin: not an image"),
        (["-", "--json"], {"stdin": image()}, "--json and an image both go to standard output"),
    ):
        code, out, err = i2i("translate", *words, "--model", model, **given)
        assert (code, out) == (2, b"")
        assert expected in err.getvalue()
        assert err.getvalue().count("\n") == 1


def test_a_broken_image_fails_by_the_name_of_the_stream(i2i, model):
    code, out, err = i2i("translate", "-", "--model", model, stdin=image()[:200])
    assert (code, out) == (1, b"")
    assert "failed: cannot read stdin" in err.getvalue()
    assert "/" not in err.getvalue().split("failed:")[1].splitlines()[0]


def test_a_piped_image_is_judged(i2i, tmp_path):
    code, out, err = i2i("detect-fake", "-", "--plot", "plots", stdin=image(size=(128, 128)))
    assert code in (0, 4), err.getvalue()
    assert b"stdin" in out
    assert len(list((tmp_path / "plots").iterdir())) == 1
