"""Runs followed by services: what they are sent, and what happens where they fail."""

import sys
from types import SimpleNamespace

import pytest

from i2icli.config import RunOptions
from i2icli.errors import UserError
from i2icli.training.callbacks import NoCallbacks
from i2icli.training.run import train
from tests.tiny import tiny_config

ENDED = {"wandb": 0, "mlflow": "FINISHED"}
FAILED = {"wandb": 1, "mlflow": "FAILED"}


class Service:
    """A stand-in for wandb and for mlflow that notes what it is sent."""

    def __init__(self):
        self.started, self.scalars, self.sheets, self.ended = [], {}, [], []
        self.id, self.info = "id1", SimpleNamespace(run_id="id1")
        self.Image = str
        self.refuses = False
        self.fails = False

    def init(self, **given):
        self.started.append(given)
        return self

    def log(self, values, step):
        sheet = values.pop("samples", None)
        self.sheets += [sheet] if sheet else []
        self.log_metrics(values, step)

    def set_experiment(self, name):
        assert name == "i2icli"

    def start_run(self, **given):
        self.started.append(given)
        return self

    def log_params(self, settings):
        self.started[-1]["config"] = settings
        if self.refuses:
            raise ValueError("too many settings")

    def log_metrics(self, values, step):
        if self.fails:
            raise OSError("no route to host")
        self.scalars.setdefault(step, {}).update(values)

    def log_artifact(self, path, folder):
        assert folder == "samples"
        self.sheets.append(path)

    def end_run(self, status):
        self.ended.append(status)

    def finish(self, exit_code):
        self.ended.append(exit_code)


@pytest.fixture(params=["wandb", "mlflow"])
def option(request):
    return request.param


@pytest.fixture
def service(option, monkeypatch):
    service = Service()
    monkeypatch.setitem(sys.modules, option, service)
    return service


def run(toy, folder, option, steps=2, callbacks=None):
    options = RunOptions(out=folder, log_every=1, validate_every=2, **{option: True})
    return train("pix2pix", [toy("pix2pix")], tiny_config("pix2pix", steps=steps), options, callbacks)


def test_a_service_gets_settings_scalars_and_sheets_and_goes_on_when_the_run_does(
    toy, tmp_path, option, service
):
    run(toy, tmp_path / "mine", option)
    assert service.started[0]["config"]["system"] == "pix2pix"
    assert service.started[0]["name" if option == "wandb" else "run_name"] == "mine"
    assert {"G/l1", "D/gan"} <= service.scalars[1].keys()
    assert "validation/psnr" in service.scalars[2]
    assert [path[-10:] for path in service.sheets] == ["000001.png", "000002.png"]
    assert service.ended == [ENDED[option]]
    run(toy, tmp_path / "mine", option, steps=3)
    assert service.started[1]["id" if option == "wandb" else "run_id"] == "id1"
    assert set(service.scalars) == {1, 2, 3}


def test_a_service_that_fails_does_not_end_the_run(toy, tmp_path, option, service):
    service.fails, warnings = True, []
    callbacks = NoCallbacks()
    callbacks.warn = warnings.append
    assert run(toy, tmp_path / "run", option, callbacks=callbacks).finished
    assert warnings == [f"--{option} failed (no route to host); the run goes on without it"]
    assert service.ended == [FAILED[option]]  # not left open, as if the run were going on


@pytest.mark.parametrize("error", [RuntimeError("broken"), KeyboardInterrupt()])
def test_a_training_that_fails_ends_as_failed(toy, tmp_path, option, service, error, monkeypatch):
    def fail(*_):
        raise error

    monkeypatch.setattr("i2icli.training.monitor.Monitor.after_step", fail)
    with pytest.raises(type(error)):
        run(toy, tmp_path / "run", option)
    assert service.ended == [FAILED[option]]


@pytest.mark.parametrize("option", ["mlflow"])
def test_a_run_whose_settings_are_refused_is_not_left_open(toy, tmp_path, option, service):
    service.refuses, warnings = True, []
    callbacks = NoCallbacks()
    callbacks.warn = warnings.append
    assert run(toy, tmp_path / "run", option, callbacks=callbacks).finished
    assert warnings == ["--mlflow failed (too many settings); the run goes on without it"]
    assert service.ended == ["FAILED"]


def test_a_missing_package_is_named_before_anything_is_done(toy, tmp_path, option, monkeypatch):
    monkeypatch.setitem(sys.modules, option, None)
    with pytest.raises(UserError, match=rf"--{option} needs a package: pip install 'i2icli\[{option}\]'"):
        run(toy, tmp_path / "run", option)
    assert not (tmp_path / "run").exists()


def test_what_the_environment_names_counts(toy, tmp_path, option, service, monkeypatch):
    named = {"WANDB_PROJECT": "faces", "WANDB_NAME": "first", "MLFLOW_EXPERIMENT_NAME": "faces"}
    for name, value in named.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(service, "set_experiment", lambda name: pytest.fail(f"not {name}"))
    run(toy, tmp_path / "mine", option, steps=1)
    if option == "wandb":
        assert (service.started[0]["project"], service.started[0]["name"]) == ("faces", "first")
