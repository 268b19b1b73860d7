"""Several answers per picture: targets, references, codes; and which domain a picture is from."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from i2icli.config import Config
from i2icli.errors import UserError
from i2icli.image import read_image
from i2icli.inference.pipeline import Writing
from i2icli.inference.reference_cache import ReferenceCache
from i2icli.inference.requests import Asked, infer_source, make_wishes
from i2icli.inference.translator import Translator
from i2icli.runtime.device import Placement
from i2icli.system import Request, System


class Painter(System[Config]):
    """Answers with one colour that tells what was asked: the target, the source, the look."""

    config_type = Config
    accepts = frozenset({"image", "to", "source", "reference", "latent"})
    sources_are_folders = True
    inference_modules = ()

    def targets(self):
        return ("red", "green", "Blue")

    def sources(self):
        return ("photo", "sketch")

    def needs(self, to=None):
        return frozenset({"source"}) if to == "red" else frozenset()

    def latent_size(self, to=None):
        return 0 if to == "green" else 2

    def translate(self, request: Request):
        if request.image.max() > 0.9:
            raise UserError("too bright for a painter")
        values = (
            self.targets().index(request.to) / 3,
            0.5 if request.source == "sketch" else 0.0,
            0.0 if request.latent is None else float(request.latent[0].sum().clamp(-1, 1)),
        )
        answer = torch.tensor(values).view(1, 3, 1, 1).expand_as(request.image)
        return (
            answer if request.reference is None else request.reference.mean((2, 3), keepdim=True) + 0 * answer
        )


@pytest.fixture
def system():
    return Painter(Config(crop_size=32))


@pytest.fixture
def translator(system, tmp_path):
    model = tmp_path / "model.bin"
    model.write_bytes(b"painter")
    return Translator(system, Placement(torch.device("cpu")), model)


def picture(path: Path, value: int = 100) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((20, 24, 3), value, np.uint8)).save(path)
    return path


def names(wishes):
    return [wish.name for wish in wishes]


def test_one_answer_needs_no_name(system):
    (wish,) = make_wishes(system, Asked())
    assert (wish.name, wish.to) == ("", "red")
    assert wish.latent.shape == (2,)


def test_every_target_every_reference_every_code(system, tmp_path):
    assert names(make_wishes(system, Asked(to="all"))) == ["red", "green", "Blue"]
    assert names(make_wishes(system, Asked(to="ALL", samples=1))) == ["red", "green", "Blue"]
    assert len(make_wishes(system, Asked(seed=2**63 - 1, samples=2))) == 2
    assert names(make_wishes(system, Asked(to="blue", samples=3))) == ["1", "2", "3"]
    for each in ("x/one.png", "x/two.png"):
        picture(tmp_path / each)
    asked = Asked(to="all", references=(tmp_path / "x",))
    assert names(make_wishes(system, asked))[:3] == ["red one", "red two", "green one"]
    assert names(make_wishes(system, Asked(interpolate=12)))[-1] == "12"
    assert names(make_wishes(system, Asked(to="all", samples=2))) == [
        "red 1",
        "red 2",
        "green",
        "Blue 1",
        "Blue 2",
    ]


def test_names_of_targets_cannot_lead_out_of_the_folder(system, monkeypatch):
    monkeypatch.setattr(Painter, "targets", lambda self: ("../../up", "..", "a/b", "a:b"))  # noqa: ARG005
    assert names(make_wishes(system, Asked(to="all"))) == ["_.._up", "_", "a_b", "a_b (2)"]


def test_names_stay_clear_of_the_sheets_and_of_each_other(system, monkeypatch):
    known = ("Compare", "x", "x (2)", "X")
    monkeypatch.setattr(Painter, "targets", lambda self: known)  # noqa: ARG005
    assert names(make_wishes(system, Asked(to="all"))) == ["Compare (2)", "x", "x _2_", "X (2)"]


@pytest.mark.parametrize(
    ("asked", "complaint"),
    [
        (
            Asked(to="pink"),
            "--to pink: unknown target 'pink'; this model knows: red, green, Blue; all means every one",
        ),
        (Asked(seed=-5), "--seed -5: expected a whole number from 0 to 9223372036854775807"),
        (Asked(seed=2**63), "--seed 9223372036854775808: expected"),
        (Asked(source="film"), "--from film: unknown source 'film'; this model knows: photo, sketch"),
        (Asked(references=("no.png",)), "--reference: cannot read no.png"),
        (Asked(to="green", samples=2), "green reads no latent code"),
        (Asked(samples=0), "--samples 0: expected 1 or more"),
        (Asked(interpolate=1), "--interpolate 1: expected 2 or more"),
        (Asked(latent="1,2,3"), "a code of 3 numbers; this model reads 2"),
        (Asked(latent="1,2", samples=2), "leave out --samples"),
        (Asked(truncate=0), "--truncate 0: expected a positive number"),
        (Asked(latent="1,2", interpolate=3), "give two or more"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(asked, complaint, system, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError) as refused:
        make_wishes(system, asked)
    assert complaint in str(refused.value)
    assert "\n" not in str(refused.value)


def test_options_a_system_does_not_read_are_refused(system, monkeypatch, tmp_path):
    monkeypatch.setattr(Painter, "accepts", frozenset({"image", "to"}))
    for asked, flag in (
        (Asked(source="photo"), "--from"),
        (Asked(truncate=0.5), "--truncate"),
        (Asked(references=(picture(tmp_path / "r.png"),)), "--reference"),
        (Asked(samples=2), "--samples"),
        (Asked(interpolate=2), "--interpolate"),
        (Asked(latent="1,2"), "--latent"),
    ):
        with pytest.raises(UserError, match=rf"Painter has no {flag}; it takes --to"):
            make_wishes(system, asked)


def test_a_needed_reference_is_asked_for(system, monkeypatch):
    monkeypatch.setattr(Painter, "needs", lambda self, to=None: frozenset({"reference"}))  # noqa: ARG005
    with pytest.raises(UserError, match="translating to red needs --reference"):
        make_wishes(system, Asked())


def test_the_folder_above_tells_the_source(system):
    (wish,) = make_wishes(system, Asked())
    assert infer_source(system, wish, ("deep", "Sketch", "photo")).source == "sketch"
    with pytest.raises(UserError, match="called photo or sketch; say --from"):
        infer_source(system, wish, ("else",))
    (given,) = make_wishes(system, Asked(source="PHOTO"))
    assert infer_source(system, given, ("sketch",)).source == "photo"


@pytest.mark.parametrize("folder", ["trainSketch", "test_sketch", "VAL-Sketch", "validation sketch"])
def test_the_split_may_stand_before_the_domain(folder, system):
    (wish,) = make_wishes(system, Asked())
    assert infer_source(system, wish, (folder,)).source == "sketch"
    with pytest.raises(UserError, match="say --from"):
        infer_source(system, wish, ("constrainSketch", "trainSketches"))


def test_the_folder_tells_the_source_where_it_is_not_needed_too(system):
    (wish,) = make_wishes(system, Asked(to="green"))
    assert infer_source(system, wish, ("Sketch",)).source == "sketch"
    assert infer_source(system, wish, ("else",)).source is None


def test_folders_say_nothing_where_sources_are_no_folders(system, monkeypatch):
    monkeypatch.setattr(Painter, "sources_are_folders", False)
    (wish,) = make_wishes(system, Asked(to="green"))
    assert infer_source(system, wish, ("Sketch",)).source is None


def test_several_answers_have_folders_and_a_sheet(translator, tmp_path):
    picture(tmp_path / "in" / "sketch" / "a.png")
    picture(tmp_path / "in" / "photo" / "b.png")
    run = translator.run([str(tmp_path / "in")], tmp_path / "out", Asked(to="all"))
    assert len(run) == 6
    assert {result.status for result in run} == {"done"}
    found = sorted(str(path.relative_to(tmp_path / "out")) for path in (tmp_path / "out").rglob("*.png"))
    assert found == ["Blue/photo/b.png", "Blue/sketch/a.png", "compare/0001.png", *found[3:]]
    red = {
        kind: np.asarray(Image.open(tmp_path / "out" / "red" / kind))[0, 0, 1]
        for kind in ("sketch/a.png", "photo/b.png")
    }
    assert red["sketch/a.png"] > red["photo/b.png"]  # each source was found for itself
    again = translator.run([str(tmp_path / "in")], tmp_path / "out", Asked(to="all"))
    assert {result.status for result in again} == {"there"}


def test_a_target_called_like_the_folder_of_sheets(translator, tmp_path, monkeypatch):
    monkeypatch.setattr(Painter, "targets", lambda self: ("red", "compare"))  # noqa: ARG005
    image = str(picture(tmp_path / "photo" / "a.png"))
    results = list(translator.run([image], tmp_path / "out", Asked(to="all")))
    assert [result.target.parent.name for result in results] == ["red", "compare (2)"]
    assert (tmp_path / "out" / "compare" / "0001.png").exists()


def test_files_of_the_user_are_no_sheets(translator, tmp_path):
    mine = picture(tmp_path / "out" / "compare" / "0001.png", 7)
    before = mine.read_bytes()
    image = str(picture(tmp_path / "photo" / "a.png"))
    for _ in range(2):  # nor does the second run take it for its own
        with pytest.raises(
            UserError, match=r"0001\.png exists and was not made with this model.*--overwrite"
        ):
            translator.run([image], tmp_path / "out", Asked(to="all"))
    assert mine.read_bytes() == before
    list(translator.run([image], tmp_path / "out", Asked(to="all"), Writing(overwrite=True)))
    assert mine.read_bytes() != before
    again = translator.run([image], tmp_path / "out", Asked(to="all"))  # now it is ours
    assert {result.status for result in again} == {"there"}


def test_one_refused_picture_does_not_spoil_its_batch(translator, tmp_path):
    for name, value in (("a", 100), ("b", 255), ("c", 90)):
        picture(tmp_path / "photo" / f"{name}.png", value)
    run = translator.run([str(tmp_path / "photo")], tmp_path / "out", writing=Writing(batch_size=3))
    results = {Path(result.source).stem: result for result in run}
    assert [results[name].status for name in "abc"] == ["done", "failed", "done"]
    assert results["b"].error == "too bright for a painter"


def test_a_reference_of_another_size_reaches_the_system(translator, tmp_path):
    look = picture(tmp_path / "look.png", 200)
    (result,) = translator.run(
        [str(picture(tmp_path / "photo" / "a.png"))], tmp_path / "out", Asked(references=(look,))
    )
    assert result.status == "done"
    assert np.asarray(Image.open(result.target)).mean() == pytest.approx(200, abs=1)


def test_a_reference_reaches_the_system_as_it_is(translator, tmp_path, monkeypatch):
    sizes = []
    monkeypatch.setattr(Painter, "multiple_of", lambda self: 16)  # noqa: ARG005
    monkeypatch.setattr(Painter, "check_reference", lambda self, image, to: sizes.append((image.shape, to)))  # noqa: ARG005
    Image.fromarray(np.zeros((5, 7, 3), np.uint8)).save(tmp_path / "look.png")
    translator.wishes(Asked(to="all", references=(tmp_path / "look.png",)))
    assert sizes == [((1, 3, 5, 7), to) for to in ("red", "green", "Blue")]


def test_a_reference_that_will_not_do_is_refused_at_once_by_name(translator, tmp_path, monkeypatch):
    def check(self, image, to):  # noqa: ARG001
        if image.mean() < 0:
            raise UserError("too dark a look")

    monkeypatch.setattr(Painter, "check_reference", check)
    looks = picture(tmp_path / "looks" / "a.png", 200), picture(tmp_path / "looks" / "b.png", 20)
    with pytest.raises(UserError, match=r"--reference \S*b\.png: too dark a look"):
        translator.run([str(looks[0])], tmp_path / "out", Asked(to="Blue", references=looks))
    assert not (tmp_path / "out").exists()


def test_every_reference_is_read_once(translator, tmp_path, monkeypatch):
    read = []
    monkeypatch.setattr(
        "i2icli.inference.reference_cache.read_image", lambda path: read.append(path) or read_image(path)
    )
    for number in range(6):
        picture(tmp_path / "looks" / f"{number}.png", 30 * number)
        picture(tmp_path / "photo" / f"{number}.png", 30 * number)
    asked = Asked(to="Blue", references=(tmp_path / "looks",))
    results = list(translator.run([str(tmp_path / "photo")], tmp_path / "out", asked))
    assert len(results) == 36
    assert sorted(path.stem for path in read) == list("012345")


def test_references_that_are_kept_are_bounded(tmp_path):
    paths = [picture(tmp_path / f"{number}.png", 30 * number) for number in range(3)]
    looks = ReferenceCache(Placement(torch.device("cpu")), most_bytes=2 * 3 * 20 * 24 * 4)
    for path in (*paths, paths[1]):
        assert looks.get(path, 3).shape == (1, 3, 20, 24)
    assert [path for path, _ in looks.kept] == [paths[2], paths[1]]
    looks = ReferenceCache(Placement(torch.device("cpu")), most_bytes=0)
    for path in paths:
        looks.get(path, 1)
    assert list(looks.kept) == [(paths[2], 1)]


def test_another_seed_needs_another_folder(translator, tmp_path):
    image = str(picture(tmp_path / "photo" / "a.png"))
    list(translator.run([image], tmp_path / "out", Asked(samples=2)))
    with pytest.raises(UserError, match="made with another --seed"):
        translator.run([image], tmp_path / "out", Asked(samples=2, seed=1))


def test_targets_that_read_no_reference_get_one_answer_without(system, tmp_path, monkeypatch):
    monkeypatch.setattr(
        Painter,
        "reads",
        lambda self, to=None: self.accepts - {"reference"} if to == "green" else self.accepts,
    )
    looks = tuple(picture(tmp_path / f"{name}.png") for name in ("one", "two"))
    wishes = make_wishes(system, Asked(to="all", references=looks))
    assert [(wish.name, wish.reference) for wish in wishes if wish.to == "green"] == [("green", None)]
    assert len(wishes) == 5
    with pytest.raises(UserError, match="translating to green reads no --reference"):
        make_wishes(system, Asked(to="green", references=looks))


def test_another_picture_of_the_same_name_is_another_reference(translator, tmp_path):
    image = str(picture(tmp_path / "photo" / "a.png"))
    look = picture(tmp_path / "look.png", 200)
    list(translator.run([image], tmp_path / "out", Asked(references=(look,))))
    picture(look, 30)
    with pytest.raises(UserError, match="made with another --reference"):
        translator.run([image], tmp_path / "out", Asked(references=(look,)))
