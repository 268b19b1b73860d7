"""Systems that need no picture: samples, films between them, pictures projected into the latent space."""

import imageio_ffmpeg
import numpy as np
import pytest
import torch
from PIL import Image

from i2icli.config import Config
from i2icli.errors import UserError
from i2icli.inference.options import TranslateOptions
from i2icli.inference.translator import Translator
from i2icli.runtime.device import Placement
from i2icli.runtime.torch_backend import TorchBackend
from i2icli.system import System
from i2icli.task import Port, Task
from tests.asking import ask

SIDE = 24


class BlobsConfig(Config):
    """Two sizes of blobs."""

    def tasks(self, stage):  # noqa: ARG002
        reads, output = frozenset({"latent", "to"}), Port(3, fixed=(SIDE, SIDE))
        return tuple(Task(name, {}, output, reads, latent_size=4) for name in ("small", "large/../x"))


class Blobs(System[BlobsConfig]):
    """A code of four numbers is the colour and the place of a soft blob; labels make it large or small."""

    inference_modules = ()

    def forward(self, task, inputs, memory=None):  # noqa: ARG002
        codes = inputs["latent"][:, :, None, None]  # (B, 4, 1, 1)
        line = torch.linspace(-1.5, 1.5, SIDE)
        scale = 1 if task.name == "small" else 3
        distance = (line - codes[:, 3:]).square() + line[:, None].square()
        return torch.tanh(codes[:, :3]) * torch.exp(-distance / scale), {}  # (B, 3, H, W)


@pytest.fixture
def translator(tmp_path):
    model = tmp_path / "model.bin"
    model.write_bytes(b"blobs")
    return Translator(TorchBackend(Blobs(BlobsConfig(crop_size=32)), Placement(torch.device("cpu"))), model)


def test_samples_follow_from_the_seed_and_stand_on_sheets(translator, tmp_path):
    run = translator.sample(tmp_path / "a", TranslateOptions(samples=10, seed=3))
    assert len(run) == 10
    assert [result.target.name for result in run] == [f"{number:04}.png" for number in range(1, 11)]
    assert (tmp_path / "a" / "compare" / "0001.png").exists()
    list(translator.sample(tmp_path / "b", TranslateOptions(samples=2, seed=3, batch_size=2)))
    list(translator.sample(tmp_path / "c", TranslateOptions(samples=2, seed=4)))
    first, same, other = (np.asarray(Image.open(tmp_path / each / "0002.png")) for each in "abc")
    assert first.shape == (SIDE, SIDE, 3)
    assert np.array_equal(first, same)
    assert not np.array_equal(first, other)


def test_files_of_the_user_are_no_sheets_of_samples(translator, tmp_path):
    (tmp_path / "photo.png").write_bytes(b"mine")
    for folder in (
        tmp_path / "a" / "compare",
        tmp_path / "c" / "compare",
        tmp_path / "b" / "small" / "compare",
    ):
        folder.mkdir(parents=True)
        (folder / "0001.png").write_bytes(b"mine")
    for call in (
        lambda: translator.sample(tmp_path / "a", TranslateOptions(samples=2)),
        lambda: translator.sample(tmp_path / "b", TranslateOptions(to="all", samples=2)),
        lambda: translator.run([str(tmp_path / "photo.png")], tmp_path / "c"),
    ):
        with pytest.raises(UserError, match=r"0001\.png exists and was not made with this model"):
            call()
    assert (tmp_path / "a" / "compare" / "0001.png").read_bytes() == b"mine"


def test_every_label_has_a_folder_that_cannot_lead_elsewhere(translator, tmp_path):
    results = list(translator.sample(tmp_path / "out", TranslateOptions(to="all", samples=1)))
    assert [result.target.parent.name for result in results] == ["small", "large_.._x"]


def test_a_film_has_the_asked_frames_and_the_rest_stands(translator, tmp_path):
    (result,) = translator.sample(tmp_path / "out", TranslateOptions(samples=3, interpolate=5))
    assert result.status == "done"
    assert imageio_ffmpeg.count_frames_and_secs(str(result.target))[0] == 9
    (again,) = translator.sample(tmp_path / "out", TranslateOptions(samples=3, interpolate=5))
    assert again.status == "there"


def test_truncated_codes_stay_within_their_bounds(translator):
    options = TranslateOptions(samples=500, truncate=0.5)
    (specs,) = translator.sample(translator.model.parent / "out", options).wanted
    codes = torch.tensor([spec.latent for spec in specs])
    assert codes.abs().max() <= 0.5
    assert codes.std() > 0.2


def test_a_picture_is_projected_to_the_nearest_the_system_can_make(translator, tmp_path):
    code = torch.tensor([[0.9, -0.4, 0.2, 0.8]])
    wanted = ask(translator.backend.system, latent=code, to="small")[0].permute(1, 2, 0).numpy()
    large = Image.fromarray(((wanted + 1) * 127.5).round().astype(np.uint8)).resize((96, 48))
    large.save(tmp_path / "blob.png")
    (tmp_path / "torn.png").write_bytes(b"no picture")
    run = translator.run([str(tmp_path / "blob.png"), str(tmp_path / "torn.png")], tmp_path / "out")
    done, failed = run
    assert (done.status, failed.status, len(run)) == ("done", "failed", 2)
    made = np.asarray(Image.open(done.target)).astype(float)
    assert made.shape == (48, 96, 3)
    assert np.abs(made - np.asarray(large)).mean() < 4
    assert np.allclose(np.load(done.target.with_suffix(".npy")), code, atol=0.1)
    assert {result.status for result in translator.run([str(tmp_path / "blob.png")], tmp_path / "out")} == {
        "there"
    }


@pytest.mark.parametrize(
    ("asked", "complaint"),
    [
        (TranslateOptions(to="medium"), "unknown target 'medium'"),
        (TranslateOptions(size=(8, 8)), "no --reference, --from or --size"),
        (TranslateOptions(source="x"), "has no --from"),
        (TranslateOptions(latent="1,2"), "a code of 2 numbers; this model reads 4"),
    ],
)
def test_what_cannot_be_sampled_is_said(asked, complaint, translator, tmp_path):
    with pytest.raises(UserError, match=complaint):
        translator.sample(tmp_path / "out", asked)


def test_projecting_takes_no_codes(translator, tmp_path):
    with pytest.raises(UserError, match="leave out INPUTS to draw samples"):
        translator.run([str(tmp_path)], tmp_path / "out", TranslateOptions(samples=3))


def test_a_system_that_needs_images_says_so(translator, tmp_path):
    translator.tasks = (Task(None, {"image": Port()}, Port()),)
    with pytest.raises(UserError, match="Blobs translates images, but no input images are given"):
        translator.sample(tmp_path / "out")
