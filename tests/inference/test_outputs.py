"""Several outputs per image: targets, references, codes; and which domain an image is from."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from i2icli.config import Config
from i2icli.errors import UserError, about, one_of
from i2icli.image import kinds
from i2icli.image.items import FileItem
from i2icli.inference.options import TranslateOptions
from i2icli.inference.outputs import Outputs
from i2icli.inference.reference_cache import ReferenceCache
from i2icli.inference.translator import Translator
from i2icli.runtime.device import Placement
from i2icli.runtime.torch_backend import TorchBackend
from i2icli.system import System
from i2icli.systems.paired_cyclegan import config as paired_cyclegan
from i2icli.task import Port, Task

TARGETS = ("red", "green", "Blue")


class PainterConfig(Config):
    """Which targets there are, and which options they read."""

    names: tuple[str, ...] = TARGETS
    options: frozenset[str] = frozenset({"to", "source", "reference", "latent"})
    required: frozenset[str] = frozenset({"source"})  # by the first target
    sources: tuple[str, ...] = ("photo", "sketch")
    plain: tuple[str, ...] = ()  # targets that read no reference
    padded: int = 1

    def tasks(self, stage):  # noqa: ARG002
        image = Port(3, multiple=self.padded, minimum=1)
        return tuple(
            Task(
                name,
                {"image": image},
                image,
                reads=self.options - ({"reference"} if name in self.plain else frozenset()),
                requires=self.required if number == 0 else frozenset(),
                sources=self.sources,
                latent_size=0 if name == "green" else 2,
                reference=Port(3),
                condition_per_input=True,
            )
            for number, name in enumerate(self.names)
        )

    def resolve(self, tasks, to, source=None):
        if source is not None:
            with about(f"--from {source}"):
                source = one_of(source, self.sources, "source")
        return super().resolve(tasks, to, source)

    def conditions(self, task, request):
        image, reference = request.inputs.get("image"), request.reference
        if image is not None and image.max() > 0.9:
            raise UserError("too bright for a painter")
        if reference is not None and reference.mean() < -0.9:
            raise UserError("too dark a style")
        values = (
            self.names.index(task.name) / 3,
            0.5 if task.source == "sketch" else 0.0,
            0.0 if request.latent is None else float(request.latent[0].sum().clip(-1, 1)),
        )
        for name, style in request.style.items():
            with about(f"--style {name}={style}"):
                values = (float(style),) * 3 if one_of(name, ("hat",), "class") else values
        colour = np.array(values, np.float32).reshape(1, 3, 1, 1)
        return {"colour": colour if reference is None else reference.mean((2, 3), keepdims=True)}


class Painter(System[PainterConfig]):
    """Gives one colour that tells what was asked: the target, the source, the style."""

    inference_modules = ()

    def forward(self, task, inputs, memory=None):  # noqa: ARG002
        return inputs["colour"].expand_as(inputs["image"]), {}


def painter(**settings) -> Painter:
    return Painter(PainterConfig(crop_size=32, **settings))


def outputs(system: Painter) -> Outputs:
    return Outputs("Painter", system.config, system.config.tasks(system.clock.stage))


def plan(system: Painter, **options):
    return outputs(system).plan(TranslateOptions.of(options))


@pytest.fixture
def system():
    return painter()


@pytest.fixture
def load(tmp_path):
    """A translator with a painter of some settings."""

    def loaded(**settings) -> Translator:
        model = tmp_path / "model.bin"
        model.write_bytes(b"painter")
        return Translator(TorchBackend(painter(**settings), Placement(torch.device("cpu"))), model)

    return loaded


@pytest.fixture
def translator(load):
    return load()


def picture(path: Path, value: int = 100) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((20, 24, 3), value, np.uint8)).save(path)
    return path


def names(specs):
    return [spec.name for spec in specs]


def test_one_answer_needs_no_name(system):
    (spec,) = plan(system)
    assert (spec.name, spec.task.name) == ("", "red")
    assert len(spec.latent) == 2


def test_every_target_every_reference_every_code(system, tmp_path):
    assert names(plan(system, to="all")) == ["red", "green", "Blue"]
    assert names(plan(system, to="ALL", samples=1)) == ["red", "green", "Blue"]
    assert len(plan(system, seed=2**63 - 1, samples=2)) == 2
    assert names(plan(system, to="blue", samples=3)) == ["1", "2", "3"]
    for each in ("x/one.png", "x/two.png"):
        picture(tmp_path / each)
    found = plan(system, to="all", reference=tmp_path / "x")
    assert names(found)[:3] == ["red one", "red two", "green one"]
    assert names(plan(system, interpolate=12))[-1] == "12"
    assert names(plan(system, to="all", samples=2)) == [
        "red 1",
        "red 2",
        "green",
        "Blue 1",
        "Blue 2",
    ]


def test_names_of_targets_cannot_lead_out_of_the_folder():
    system = painter(names=("../../up", "..", "a/b", "a:b"))
    assert names(plan(system, to="all")) == ["_.._up", "_", "a_b", "a_b (2)"]


def test_names_stay_clear_of_the_sheets_and_of_each_other():
    system = painter(names=("Compare", "x", "x (2)", "X"))
    assert names(plan(system, to="all")) == ["Compare (2)", "x", "x _2_", "X (2)"]


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (
            {"to": "pink"},
            "--to pink: unknown target 'pink'; this model knows: red, green, Blue; all means every one",
        ),
        ({"seed": -5}, "seed -5: expected a whole number, at least 0, at most 9223372036854775807"),
        ({"seed": 2**63}, "seed 9223372036854775808: expected"),
        ({"source": "film"}, "--from film: unknown source 'film'; this model knows: photo, sketch"),
        ({"reference": "no.png"}, "--reference: cannot read no.png"),
        ({"to": "green", "samples": 2}, "green reads no latent code"),
        ({"samples": 0}, "samples 0: expected a whole number, at least 1"),
        ({"interpolate": 1}, "interpolate 1: expected a whole number, at least 2"),
        ({"latent": "1,2,3"}, "a code of 3 numbers; this model reads 2"),
        ({"latent": "1,2", "samples": 2}, "leave out --samples"),
        ({"truncate": 0}, "truncate 0: expected a number, more than 0"),
        ({"latent": "1,2", "interpolate": 3}, "give two or more"),
        ({"sample": 2}, "there is no setting sample; did you mean samples?"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(options, complaint, system, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError) as refused:
        plan(system, **options)
    assert complaint in str(refused.value)
    assert "\n" not in str(refused.value)


def test_options_a_system_does_not_read_are_refused(tmp_path):
    system = painter(options=frozenset({"to"}))
    for options, flag in (
        ({"source": "photo"}, "--from"),
        ({"truncate": 0.5}, "--truncate"),
        ({"reference": picture(tmp_path / "r.png")}, "--reference"),
        ({"samples": 2}, "--samples"),
        ({"interpolate": 2}, "--interpolate"),
        ({"latent": "1,2"}, "--latent"),
        ({"style": "hat=1"}, "--style"),
        ({"instances": "."}, "--instances"),
    ):
        with pytest.raises(UserError, match=rf"Painter has no {flag}; it takes --to"):
            plan(system, **options)


def test_a_needed_reference_is_asked_for():
    system = painter(required=frozenset({"reference"}))
    with pytest.raises(UserError, match="translating to red needs --reference"):
        plan(system)


def test_the_folder_above_tells_the_source(system):
    (spec,) = plan(system)
    assert outputs(system).infer_source(spec, ("deep", "Sketch", "photo")).task.source == "sketch"
    with pytest.raises(UserError, match="called photo or sketch; give --from"):
        outputs(system).infer_source(spec, ("else",))
    (given,) = plan(system, source="PHOTO")
    assert outputs(system).infer_source(given, ("sketch",)).task.source == "photo"


@pytest.mark.parametrize("folder", ["trainSketch", "test_sketch", "VAL-Sketch", "validation sketch"])
def test_the_split_may_stand_before_the_domain(folder, system):
    (spec,) = plan(system)
    assert outputs(system).infer_source(spec, (folder,)).task.source == "sketch"
    with pytest.raises(UserError, match="give --from"):
        outputs(system).infer_source(spec, ("constrainSketch", "trainSketches"))


def test_the_folder_tells_the_source_where_it_is_not_needed_too(system):
    (spec,) = plan(system, to="green")
    assert outputs(system).infer_source(spec, ("Sketch",)).task.source == "sketch"
    assert outputs(system).infer_source(spec, ("else",)).task.source is None


def test_folders_say_nothing_where_no_sources_are_named():
    system = painter(sources=())
    (spec,) = plan(system, to="green")
    assert outputs(system).infer_source(spec, ("Sketch",)).task.source is None


def test_several_answers_have_folders_and_a_sheet(translator, tmp_path):
    picture(tmp_path / "in" / "sketch" / "a.png")
    picture(tmp_path / "in" / "photo" / "b.png")
    run = translator.run([str(tmp_path / "in")], tmp_path / "out", TranslateOptions(to="all"))
    assert len(run) == 6
    assert {result.status for result in run} == {"done"}
    found = sorted(str(path.relative_to(tmp_path / "out")) for path in (tmp_path / "out").rglob("*.png"))
    assert found == ["Blue/photo/b.png", "Blue/sketch/a.png", "compare/0001.png", *found[3:]]
    red = {
        kind: np.asarray(Image.open(tmp_path / "out" / "red" / kind))[0, 0, 1]
        for kind in ("sketch/a.png", "photo/b.png")
    }
    assert red["sketch/a.png"] > red["photo/b.png"]  # each source was found for itself
    again = translator.run([str(tmp_path / "in")], tmp_path / "out", TranslateOptions(to="all"))
    assert {result.status for result in again} == {"there"}


def test_a_target_called_like_the_folder_of_sheets(load, tmp_path):
    translator = load(names=("red", "compare"))
    image = str(picture(tmp_path / "photo" / "a.png"))
    results = list(translator.run([image], tmp_path / "out", TranslateOptions(to="all")))
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
            translator.run([image], tmp_path / "out", TranslateOptions(to="all"))
    assert mine.read_bytes() == before
    list(translator.run([image], tmp_path / "out", TranslateOptions(to="all", overwrite=True)))
    assert mine.read_bytes() != before
    again = translator.run([image], tmp_path / "out", TranslateOptions(to="all"))  # now it is ours
    assert {result.status for result in again} == {"there"}


def test_one_refused_picture_does_not_spoil_its_batch(translator, tmp_path):
    for name, value in (("a", 100), ("b", 255), ("c", 90)):
        picture(tmp_path / "photo" / f"{name}.png", value)
    run = translator.run([str(tmp_path / "photo")], tmp_path / "out", TranslateOptions(batch_size=3))
    results = {Path(result.source).stem: result for result in run}
    assert [results[name].status for name in "abc"] == ["done", "failed", "done"]
    assert results["b"].error == "too bright for a painter"


def test_a_reference_of_another_size_reaches_the_system(translator, tmp_path):
    look = picture(tmp_path / "look.png", 200)
    (result,) = translator.run(
        [str(picture(tmp_path / "photo" / "a.png"))], tmp_path / "out", TranslateOptions(reference=(look,))
    )
    assert result.status == "done"
    assert np.asarray(Image.open(result.target)).mean() == pytest.approx(200, abs=1)


def test_a_reference_reaches_the_system_as_it_is(load, tmp_path, monkeypatch):
    sizes = []
    check = PainterConfig.conditions
    monkeypatch.setattr(
        PainterConfig,
        "conditions",
        lambda self, task, request: (
            sizes.append((request.reference.shape, task.name)) or check(self, task, request)
        ),
    )
    Image.fromarray(np.zeros((5, 7, 3), np.uint8) + 99).save(tmp_path / "style.png")
    load(padded=16).specs(TranslateOptions(to="all", reference=tmp_path / "style.png"))
    assert sizes == [((1, 3, 5, 7), to) for to in ("red", "green", "Blue")]


def test_an_unusable_reference_is_refused_at_once_by_name(translator, tmp_path):
    styles = picture(tmp_path / "styles" / "a.png", 200), picture(tmp_path / "styles" / "b.png", 2)
    with pytest.raises(UserError, match=r"--reference \S*b\.png: too dark a style"):
        translator.run([str(styles[0])], tmp_path / "out", TranslateOptions(to="Blue", reference=styles))
    assert not (tmp_path / "out").exists()


def test_what_is_no_file_is_named_once(translator, tmp_path):
    photo = picture(tmp_path / "a.png")
    for reference, complaint in (
        (b"hello", "^cannot read reference 1: [^1]*$"),
        (np.zeros((4, 4, 3), np.uint8), "^reference 1: too dark a style$"),
    ):
        with pytest.raises(UserError, match=complaint):
            translator.translate(photo, to="Blue", reference=reference)


def test_styles_are_for_those_that_read_them(load, tmp_path):
    painting = load(options=frozenset({"to", "style"}), required=frozenset())
    photo = picture(tmp_path / "a.png")
    first, second, third = (
        np.asarray(painting.translate(photo, **style))
        for style in ({"style": {"hat": "0.5"}}, {"style": ["hat=0.1", "hat=0.5"]}, {})
    )
    assert np.array_equal(first, second)
    assert not np.array_equal(first, third)
    asked = TranslateOptions(style={"hat": 0.5})
    (spec,) = painting.specs(asked)
    assert spec.style == (("hat", "0.5"),)
    assert len({spec, *painting.specs(asked)}) == 1  # equal, and hashable
    list(painting.run([str(photo)], tmp_path / "out", asked))
    with pytest.raises(UserError, match="made with another --style"):
        painting.run([str(photo)], tmp_path / "out", TranslateOptions(style="hat=0.1"))


@pytest.mark.parametrize(
    ("style", "complaint"),
    [
        ("coat=1", "^`style` coat=1: unknown class 'coat'; this model knows: hat$"),
        ("hat", "^style hat: expected a name and a style like car=3$"),
        (["hat=1", "=2"], "^style hat=1,=2: expected a name"),
        ({"hat": ""}, "expected a name"),
    ],
)
def test_styles_that_a_model_does_not_know_are_refused_at_once(style, complaint, load, tmp_path):
    painting = load(options=frozenset({"to", "style"}), required=frozenset())
    with pytest.raises(UserError, match=complaint):
        painting.translate(tmp_path / "none.png", style=style)


def test_every_reference_is_read_once(translator, tmp_path, monkeypatch):
    read = []
    decode = kinds.decode
    monkeypatch.setattr(
        "i2icli.inference.reference_cache.kinds.decode",
        lambda item, port: (
            (read.append(Path(item.name)) if "styles" in item.name else None) or decode(item, port)
        ),
    )
    for number in range(6):
        picture(tmp_path / "styles" / f"{number}.png", 30 * number + 40)
        picture(tmp_path / "photo" / f"{number}.png", 30 * number)
    options = TranslateOptions(to="Blue", reference=tmp_path / "styles")
    results = list(translator.run([str(tmp_path / "photo")], tmp_path / "out", options))
    assert len(results) == 36
    assert sorted(path.stem for path in read) == list("012345")


def test_references_that_are_kept_are_bounded(tmp_path):
    items = [FileItem(picture(tmp_path / f"{number}.png", 30 * number)) for number in range(3)]
    colour, grey = Port(3), Port(1)
    cache = ReferenceCache(most_bytes=2 * 3 * 20 * 24 * 4)
    for item in (*items, items[1]):
        assert cache.image(item, colour).shape == (1, 3, 20, 24)
    assert [item for item, _ in cache.kept] == [items[2], items[1]]
    cache = ReferenceCache(most_bytes=0)
    for item in items:
        cache.image(item, grey)
    assert list(cache.kept) == [(items[2], grey)]


def test_references_may_be_bytes_and_arrays(translator, tmp_path):
    path = picture(tmp_path / "style.png", 200)
    image = np.zeros((8, 8, 3), np.uint8)
    for reference in (path, path.read_bytes(), np.asarray(Image.open(path))):
        made = translator.translate(image, to="Blue", reference=reference)
        assert made.mean() == pytest.approx(200, abs=1)


def test_another_seed_needs_another_folder(translator, tmp_path):
    image = str(picture(tmp_path / "photo" / "a.png"))
    list(translator.run([image], tmp_path / "out", TranslateOptions(samples=2)))
    with pytest.raises(UserError, match="made with another --seed"):
        translator.run([image], tmp_path / "out", TranslateOptions(samples=2, seed=1))


def test_targets_that_read_no_reference_get_one_output_without(tmp_path):
    system = painter(plain=("green",))
    looks = tuple(picture(tmp_path / f"{name}.png") for name in ("one", "two"))
    specs = plan(system, to="all", reference=looks)
    assert [(spec.name, spec.reference) for spec in specs if spec.task.name == "green"] == [("green", None)]
    assert len(specs) == 5
    with pytest.raises(UserError, match="translating to green reads no --reference"):
        plan(system, to="green", reference=looks)


def test_another_picture_of_the_same_name_is_another_reference(translator, tmp_path):
    image = str(picture(tmp_path / "photo" / "a.png"))
    look = picture(tmp_path / "look.png", 200)
    list(translator.run([image], tmp_path / "out", TranslateOptions(reference=(look,))))
    picture(look, 30)
    with pytest.raises(UserError, match="made with another --reference"):
        translator.run([image], tmp_path / "out", TranslateOptions(reference=(look,)))


def test_a_target_is_interpreted_once_for_all_images(translator, tmp_path, monkeypatch):
    asked, resolve = [], PainterConfig.resolve
    monkeypatch.setattr(
        PainterConfig,
        "resolve",
        lambda self, tasks, to, source=None: asked.append(to) or resolve(self, tasks, to, source),
    )
    for name in "abc":
        picture(tmp_path / "photo" / f"{name}.png")
    options = TranslateOptions(to="Blue")
    assert len(list(translator.run([str(tmp_path / "photo")], tmp_path / "out", options))) == 3
    assert asked == ["Blue"]


def test_the_options_have_a_schema_that_a_server_can_publish():
    schema = TranslateOptions.model_json_schema()
    assert schema["properties"].keys() == TranslateOptions.model_fields.keys()
    assert schema["properties"]["samples"]["anyOf"][0] == {"minimum": 1, "type": "integer"}
    assert all("description" in field for field in schema["properties"].values())


@pytest.mark.parametrize("kind", ["array", "file"])
def test_references_are_read_as_asked(tmp_path: Path, kind: str) -> None:
    array = np.zeros((3, 32, 32), np.uint8)
    np.save(tmp_path / "x.npy", array)
    given = array if kind == "array" else tmp_path / "x.npy"
    config = paired_cyclegan.PairedCycleGANConfig()
    outputs = Outputs("it", config, config.tasks(None))
    with pytest.raises(UserError, match="--channels-first"):
        outputs.plan(TranslateOptions(reference=(given,)))
    (spec, *_) = outputs.plan(TranslateOptions(reference=(given,), channels_first=True))
    assert spec.reference is not None
    assert spec.reference.header().size == (32, 32)
