"""A home of their own for tests of pulled models, and a server to pull from."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from i2icli.downloads import download
from tests.downloads.server import Server, serving


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where models are pulled to; the working folder is another one."""
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    monkeypatch.setenv("I2I_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("HF_TOKEN", raising=False)
    monkeypatch.setattr(download, "RETRY_AFTER_S", (0.0,))
    return tmp_path / "home"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A server that is the hub, too."""
    with serving() as served:
        monkeypatch.setenv("HF_ENDPOINT", served.url)
        yield served
