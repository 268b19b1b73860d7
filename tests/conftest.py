"""What all tests share: toy folders, built once per process, and one thread for each of several processes."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from i2icli.demo.toy.digits import write_digits
from i2icli.demo.toy.domains import write_domains
from i2icli.demo.toy.label_scenes import write_label_scenes
from i2icli.demo.toy.landscapes import write_landscapes
from i2icli.demo.toy.makeup import write_makeup
from i2icli.demo.toy.scenes import write_paired, write_unpaired
from i2icli.demo.toy.sprites import write_sprites
from i2icli.demo.toy.styles import write_styles
from i2icli.training import run_data
from tests.data.kinds.clip_files import write_clips


@pytest.fixture(scope="session", autouse=True)
def _one_thread_per_process():
    """Several test processes with a team of threads each would only stand in each other's way."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def _idle_machine():
    """What else the machine does shall change no output."""
    with pytest.MonkeyPatch.context() as patched:  # of its own: it ends after those of the tests
        patched.setattr(os, "getloadavg", lambda: (0.0, 0.0, 0.0))
        yield


@pytest.fixture(scope="session", autouse=True)
def _few_batches_for_statistics():
    """Batch norm's statistics are as repeatable on fewer batches, and tests are faster."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(run_data, "CALIBRATION", 4)
        yield


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)


@pytest.fixture(scope="session", autouse=True)
def _home_of_its_own(tmp_path_factory: pytest.TempPathFactory):
    """Nothing that i2icli keeps for its user is read or written; processes that are started inherit it."""
    os.environ["I2I_HOME"] = str(tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="session")
def toy_pairs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """train/A train/B (8 pairs), test/A test/B (4) of 32 px: label maps and photos. Not to be written to."""
    folder = tmp_path_factory.mktemp("toy-pairs")
    write_paired(folder, train=8, test=4, size=32)
    return folder


@pytest.fixture(scope="session")
def toy_collections(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """trainA trainB (8 each), testA testB (4 scenes in both looks) of 32 px. Not to be written to."""
    folder = tmp_path_factory.mktemp("toy-collections")
    write_unpaired(folder, train=8, test=4, size=32)
    return folder


@pytest.fixture(scope="session")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The folder that suits a system: seven training and two test examples of 40 px. Not to be written to."""
    writers = {
        "pix2pix": write_paired,
        "pix2pixhd": write_label_scenes,
        "cyclegan": write_unpaired,
        "augmented_cyclegan": write_styles,
        "combogan": write_domains,
        "spade": write_label_scenes,
        "stargan": write_domains,
        "dtn": write_digits,
        "lapgan": write_landscapes,
        "progan": write_sprites,
        "spectral_dcgan": write_sprites,
        "paired_cyclegan": write_makeup,
        "vid2vid": write_clips,
    }
    folders: dict[str, Path] = {}

    def folder(system: str) -> Path:
        if system not in folders:
            folders[system] = tmp_path_factory.mktemp("toy") / system
            writers[system](folders[system], train=7, test=2, size=40)
        return folders[system]

    return folder
