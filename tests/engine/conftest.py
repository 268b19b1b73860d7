"""Toy folders for the engine's tests, written once."""

import pytest

from i2icli.data.toy import write_paired, write_unpaired

WRITERS = {"pix2pix": write_paired, "cyclegan": write_unpaired}


@pytest.fixture(scope="session")
def toy(tmp_path_factory):
    """The folder with seven training examples that suits a system."""
    folders = {}

    def folder(name):
        if name not in folders:
            folders[name] = tmp_path_factory.mktemp("toy") / name
            WRITERS[name](folders[name], train=7, test=2, size=40)
        return folders[name]

    return folder
