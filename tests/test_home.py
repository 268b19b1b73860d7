"""Where i2icli keeps what is no run of a user's."""

from pathlib import Path

import pytest

from i2icli.home import cache_home, data_home


def test_one_variable_names_the_place_of_everything(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("I2I_HOME", str(tmp_path))
    assert data_home() == cache_home() == tmp_path


@pytest.mark.parametrize(
    ("home", "variable", "usual"),
    [(data_home, "XDG_DATA_HOME", ".local/share/i2icli"), (cache_home, "XDG_CACHE_HOME", ".cache/i2icli")],
)
def test_else_it_is_where_the_system_has_it(home, variable, usual, monkeypatch, tmp_path) -> None:
    monkeypatch.delenv("I2I_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv(variable, str(tmp_path / "elsewhere"))
    assert home() == tmp_path / "elsewhere" / "i2icli"
    monkeypatch.setenv(variable, "relative")
    assert home() == tmp_path / usual
