"""The model card: what a model is, what it learned from, how well it does, how to use it. As Markdown."""

import re
from collections.abc import Iterator

import yaml

from i2icli.errors import UserError, print_number, readable
from i2icli.fields import flag, show
from i2icli.hub.published import Counts, Published
from i2icli.report.titles import TITLES
from i2icli.task import Port
from i2icli.written import counted

SHEET = "samples.png"
MOST_TARGETS = 50  # that are listed
_LICENCE = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+-]{0,60}")
_PER_IMAGE = {
    "psnr": "over the range of the pixel values, mean of the images",
    "ssim": "window of 11 px, mean of the images",
    "miou": "classes found in generated photos by a segmentation network trained on the same data",
    "pixel_accuracy": "found by the same network",
}


def check_licence(licence: str | None) -> str | None:
    """The identifier of a licence as model hubs have it, such as mit or cc-by-4.0. Raises UserError."""
    if licence is not None and not _LICENCE.fullmatch(licence):
        raise UserError(f"--licence {licence!r}: expected an identifier such as mit, cc-by-4.0 or other")
    return licence.lower() if licence else None


def card(
    model: Published, *, licence: str | None = None, name: str | None = None, sheet: bool = False
) -> str:
    """The card of a model. name: "owner/name" on the hub; sheet: whether a sample sheet lies beside it."""
    sections = [
        _title(model, name),
        _shown(model) if sheet else "",
        _section("Use", _use(model, name)),
        _section("Data", _data(model)),
        _section("Scores", _scores(model)),
        _section("Settings", _settings(model)),
        _section("Licence", _licence(licence)),
    ]
    return f"---\n{_front(model, licence)}---\n\n" + "\n\n".join(filter(None, sections)) + "\n"


def _front(model: Published, licence: str | None) -> str:
    generates = all(task.generates for task in model.tasks)
    pipeline = "unconditional-image-generation" if generates else "image-to-image"
    values = {
        "license": licence,
        "library_name": "i2icli",
        "pipeline_tag": pipeline,
        "tags": ["i2icli", "gan", model.metadata.system, pipeline],
    }
    text = yaml.safe_dump({key: value for key, value in values.items() if value}, sort_keys=False)
    return str(text)


def _section(title: str, lines: Iterator[str]) -> str:
    return "\n".join([f"## {title}", "", *lines])


def _title(model: Published, name: str | None) -> str:
    entry, system = model.entry, model.metadata.system
    title = name.split("/")[-1] if name else system
    return (
        f"# {title}\n\nA model of `{system}` ({_text(entry.paper)}, <{entry.url}>), which learns to "
        f"{entry.summary}. Trained by i2icli {_text(model.metadata.version)} for {_steps(model)}."
    )


def _shown(model: Published) -> str:
    """The sample sheet, with its step where that is not the step of the weights."""
    image, step, of_weights = f"![samples]({SHEET})", model.sheet_step, model.metadata.step
    if step == of_weights:
        return image
    return f"{image}\n\nSamples at step {step:,}; the published weights are those of step {of_weights:,}."


def _steps(model: Published) -> str:
    done, steps = model.metadata.step, model.config.steps
    stage = "" if model.metadata.stage == "main" else f", stage {_text(model.metadata.stage)}"
    return (f"{done:,} of {counted(steps, 'step')}" if steps else counted(done, "step")) + stage


def _use(model: Published, name: str | None) -> Iterator[str]:
    known = name.split("/")[-1] if name else "model.safetensors"
    yield f"With i2icli {_text(model.metadata.version)} or later:"
    yield ""
    yield "```"
    if name:
        yield f"i2i pull hf://{name}"
    generates = all(task.generates for task in model.tasks)
    needed = "".join(f" --{each} ..." for each in ("reference",) if each in model.tasks[0].requires)
    if generates:
        yield f"i2i translate --model {known} --count 16 --out samples"
    elif any(task.memory for task in model.tasks):
        yield f"i2i video VIDEO --model {known}"
    else:
        yield f"i2i translate PHOTOS --model {known}{needed} --out results"
    yield "```"
    yield ""
    targets = [task.name for task in model.tasks if task.name]
    if targets:
        more = f", and {len(targets) - MOST_TARGETS} more" if len(targets) > MOST_TARGETS else ""
        yield f"Targets (`--to`): {', '.join(map(_text, targets[:MOST_TARGETS]))}{more}."
    inputs = [_input(name, port) for name, port in model.tasks[0].inputs.items()]
    yield f"Input: {', '.join(inputs) or f'a latent code of {model.tasks[0].latent_size} numbers'}."


def _input(name: str, port: Port) -> str:
    if port.kind == "labels":
        return f"label map of {counted(len(port.labels.classes) if port.labels else port.channels, 'class')}"
    return "instance map" if port.kind == "instances" else f"{name} of {counted(port.channels, 'channel')}"


def _data(model: Published) -> Iterator[str]:
    counts, config = model.counts, model.config
    if counts is None:
        yield "- how many examples it learned from was not recorded"
    else:
        held = f", {counts.validation:,} for validation, {_origin(counts)}" if counts.validation else ""
        yield f"- {counted(counts.training, 'example')} to learn from{held}"
        yield "- an example is what a step reads: an image, a pair, an image of each collection, or a clip"
    height, width = config.crop_size
    flipped = ", half of them flipped" if config.flip else ""
    yield f"- trained at {width}x{height} px (`--preprocess {config.preprocess}`){flipped}"
    if config.channels:
        yield f"- channels: {show(config.channels)}"
    if config.types:
        yield f"- number types: {show(config.types)}"


def _scores(model: Published) -> Iterator[str]:
    if not model.scores:
        yield "None were measured."
        return
    yield "| Score | Value | How |"
    yield "|---|---|---|"
    for name, value in model.scores.items():
        kind, _, of = name.partition("/")
        title = TITLES.get(kind, kind.replace("_", " ")) + (f", {of}" if of else "")
        yield f"| {_text(title)} | {print_number(value, 4)} | {_PER_IMAGE.get(kind, 'mean')} |"
    yield ""
    yield _protocol(model)


def _protocol(model: Published) -> str:
    """What the scores were measured on."""
    counts = model.counts
    if counts is None:
        where = "on the validation split, whose size was not recorded"
    elif not counts.validation:
        where = f"on {counts.scored:,} of the training examples, as there was no validation split"
    else:
        of = "" if counts.scored == counts.validation else f" of {counts.validation:,}"
        where = f"on {counts.scored:,}{of} validation examples, {_origin(counts)}"
    height, width = model.config.crop_size
    when = f"at step {model.scores_step:,}"
    if model.scores_step != model.metadata.step:
        when += f"; the published weights are those of step {model.metadata.step:,}"
    averaged = ", with averaged weights" if model.config.ema else ""
    return (
        f"Measured by i2icli in training {where}, prepared for {width}x{height} px without augmentation"
        f"{averaged}, {when}. Compare them only with scores by the same protocol."
    )


def _origin(counts: Counts) -> str:
    return "split off from the data and not trained on" if counts.split_off else "from a folder of their own"


def _settings(model: Published) -> Iterator[str]:
    """Those that differ from the defaults, as options."""
    defaults = type(model.config)().model_dump(mode="json")
    values = model.config.model_dump(mode="json", exclude=set(model.config.found_only))
    changed = {name: value for name, value in values.items() if value != defaults[name] and value is not None}
    yield "Those that differ from the defaults; `recipe.toml` beside this card has all."
    yield ""
    yield "```"
    for name, value in changed.items():
        yield f"{flag(name)} {readable(show(value))}".replace("`", "'")
    if not changed:
        yield "none"
    yield "```"


def _licence(licence: str | None) -> Iterator[str]:
    yield f"`{licence}`" if licence else "None was given: ask the owner before you use this model."


def _text(text: str) -> str:
    """A text that Markdown and HTML leave as it is."""
    return re.sub(r"([\\`*_{}\[\]<>#|!])", r"\\\1", readable(text))
