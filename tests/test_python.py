"""i2icli from Python: what it shows, gives back and raises."""

import os
import signal

import numpy as np
import pytest
from PIL import Image

import i2icli
from i2icli.errors import for_python, print_number
from i2icli.report.spectra import Spectrum
from tests.tiny import TINY

STEPS = 3


@pytest.fixture
def settings(tmp_path):
    return TINY["pix2pix"] | {"steps": STEPS, "crop_size": 32, "load_size": 32, "out": tmp_path / "run"}


def test_progress_is_shown_unless_it_is_asked_to_be_quiet(toy_pairs, settings, capsys):
    assert i2icli.train("Pix2Pix", toy_pairs, **settings).finished
    shown = capsys.readouterr()
    assert "validation at step" in shown.err
    assert shown.out == ""
    again = settings | {"out": settings["out"].with_name("quiet")}
    assert i2icli.train("pix2pix", toy_pairs, quiet=True, **again).finished
    assert capsys.readouterr() == ("", "")


def test_an_interruption_is_raised_once_the_run_is_saved(toy_pairs, settings):
    class Stopping(i2icli.NoCallbacks):
        def progress(self, progress):
            if progress.step == 1:
                os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        i2icli.train("pix2pix", toy_pairs, callbacks=Stopping(), **settings)
    assert i2icli.info(settings["out"]).step == 1
    assert i2icli.train("pix2pix", toy_pairs, quiet=True, **settings).step == STEPS


def test_models_say_what_they_are(toy_pairs, settings):
    i2icli.train("pix2pix", toy_pairs, quiet=True, **settings)
    model = i2icli.load(settings["out"], runtime="torch")
    assert repr(model) == f"<Translator Pix2Pix, {settings['out'] / 'model.safetensors'}>"
    found = i2icli.info(settings["out"])
    assert (found.system, found.step) == ("pix2pix", STEPS)


def test_an_image_is_judged(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (128, 128, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    assert i2icli.detect(tmp_path / "a.png").verdict in ("real", "uncertain")
    with pytest.raises(i2icli.UserError, match="no such file"):
        i2icli.detect(tmp_path / "b.png")


def test_a_chart_replaces_nothing_unasked(tmp_path):
    Image.fromarray(np.arange(768, dtype=np.uint8).reshape(16, 16, 3)).save(tmp_path / "a.png")
    before = (tmp_path / "a.png").read_bytes()
    for out, reason in (("a.png", "exists already"), ("b.bmp", "expected a name that ends in")):
        with pytest.raises(i2icli.UserError, match=reason):
            i2icli.spectrum(tmp_path / "a.png", out=tmp_path / out)
    assert [each.name for each in tmp_path.iterdir()] == ["a.png"]
    assert (tmp_path / "a.png").read_bytes() == before
    i2icli.spectrum(tmp_path / "a.png", out=tmp_path / "a.png", overwrite=True)
    assert (tmp_path / "a.png").read_bytes() != before


def test_spectra_say_of_what_they_are():
    found = Spectrum("photos", ((16, 16), (16, 32)), np.zeros((3, 300)), ("c.png: broken",))
    assert repr(found) == "<Spectrum photos: 3 images of 16 px, 32x16 px, 1 skipped, 300 values>"


def test_no_images_have_no_spectrum():
    with pytest.raises(i2icli.UserError, match=r"^no images given$"):
        i2icli.spectrum([])


def test_mistakes_are_named_with_what_was_meant():
    with pytest.raises(i2icli.UserError, match="did you mean steps"):
        i2icli.train("cyclegan", "data", stepss=3)
    with pytest.raises(i2icli.UserError, match="no setting foo; i2i train cyclegan --help shows all"):
        i2icli.train("cyclegan", "data", foo=3)
    with pytest.raises(i2icli.UserError, match=r"unknown system 'cycelgan'.*did you mean cyclegan\?"):
        i2icli.train("cycelgan", "data")


def test_errors_and_notes_spell_options_as_python_has_them(toy_pairs, settings, capsys, monkeypatch):
    monkeypatch.setattr("i2icli.training.default_recipe._has_gpu", lambda: False)
    with pytest.raises(i2icli.UserError, match=r"; choose a larger `crop_size` or networks with"):
        i2icli.train("pix2pix", toy_pairs, **settings | {"crop_size": 2})
    i2icli.train("pix2pix", toy_pairs, **settings)
    assert "no GPU found, but with `width`, `discriminator_width`, " in capsys.readouterr().err
    with pytest.raises(i2icli.UserError, match=r"; `steps` must be at least that"):
        i2icli.train("pix2pix", toy_pairs, quiet=True, **settings | {"steps": 1})
    model = i2icli.load(settings["out"], runtime="torch")
    with pytest.raises(i2icli.UserError, match=r"Pix2Pix has no `reference`"):
        model.translate(np.zeros((32, 32, 3), np.uint8), reference="a.png")
    with pytest.raises(i2icli.UserError, match=r"^`start` 3 is not before `end` 2"):
        model.video("a.mp4", start=3, end=2)


def test_commands_in_a_line_stay_as_they_are():
    line = "--no-flip: give --from, or: i2i grow DATA --from runs/x; not in runs/--x with --size 2"
    assert for_python(line) == (
        "`flip=False`: give `source`, or: i2i grow DATA --from runs/x; not in runs/--x with `size` 2"
    )


def test_notebooks_show_an_error_as_one_line():
    assert i2icli.UserError("nothing there")._render_traceback_() == ["error: nothing there"]


@pytest.mark.parametrize(
    ("value", "text"),
    [(1530.4, "1,530"), (18832.7, "18,833"), (0.053, "0.053"), (1.0, "1"), (0.0, "0"), (-12.34, "-12.3")],
)
def test_measured_numbers_have_no_exponents(value, text):
    assert print_number(value) == text
    assert print_number(float("nan")) == "-"
    assert print_number(123456.78, 4) == "123,457"


def test_a_runtime_that_there_is_not_is_refused():
    with pytest.raises(i2icli.UserError, match=r"runtime tensorrt: expected one of auto, torch"):
        i2icli.load("anything", runtime="tensorrt")


def test_what_loads_when_it_is_asked_for_is_completed_too():
    assert set(i2icli.__all__) <= set(dir(i2icli))
