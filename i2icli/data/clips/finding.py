"""Finding clips: folders of frames or videos on both sides, label maps beside frames, or plain videos."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from i2icli.data.clips.footage import FRAMES, INSTANCES, LABELS, SOURCE, Footage
from i2icli.data.clips.matching import clips_in, matched
from i2icli.data.clips.sides import Film, FrameFiles, Side
from i2icli.data.images import scan_headers
from i2icli.data.labels.layouts import recognise_labels
from i2icli.data.labels.names import parts_of
from i2icli.data.labels.parts import Part
from i2icli.data.layout_errors import refuse_overlapping
from i2icli.data.layouts import recognise, validation_folder
from i2icli.data.options import DataOptions
from i2icli.data.split_names import TRAIN, split_folders
from i2icli.errors import UserError, several
from i2icli.image import FileItem
from i2icli.image.finding import Collection, check_folder, collect, listing, subfolders
from i2icli.image.pillow_files import is_moving_gif
from i2icli.video.probing import probe

VIDEO_SUFFIXES = frozenset(
    "." + word
    for word in "mp4 m4v mov mkv webm avi ts mts m2ts mpg mpeg wmv flv ogv gif".split()  # noqa: SIM905
)
CLIPS_EXAMPLE = (
    "A/ and B/ with folders of frames (A/clip/0001.png, B/clip/0001.png) or with videos of one name, labels/ "
    "and images/ with folders of frames, or a plain video with --condition edges (or hed, face)"
)


@dataclass
class Found:
    """The clips of a user's folders."""

    train: list[Footage]
    validation: list[Footage]
    lines: list[str]  # for the report
    labels: Part | None = None  # where the label maps lie, if these are what is translated
    folders: list[Path] = field(default_factory=list)


def find_clips(paths: Sequence[Path], how: DataOptions, *, plain: bool) -> Found:
    """The clips of folders or videos.

    how: files are read; plain: what is translated is computed from the frames, so no folders are for it.
    Raises UserError, one line: what was found, what is missing, what works.
    """
    for path in paths:
        if not is_video(path):
            check_folder(path)
    if plain:
        return _plain(paths, how)
    films = [path for path in paths if is_video(path)]
    if films and not (len(paths) == len(films) == 2):
        raise UserError(
            f"{films[0]}: a plain video, with nothing it is translated from; add --condition edges (or hed, "
            "face), or give A/ and B/ with videos of one name"
        )
    if films:
        return Found([_films(films[1].stem, {SOURCE: films[0], FRAMES: films[1]})], [], [])
    return _labelled(paths, how) if _names_labels(paths) else _both_sides(paths, how)


def is_video(path: Path) -> bool:
    """Whether a path is a video file, by its name."""
    return path.suffix.lower() in VIDEO_SUFFIXES and not path.is_dir()


# -- plain videos and frames -----------------------------------------------------------------


def _plain(paths: Sequence[Path], how: DataOptions) -> Found:
    refuse_overlapping(paths, "different videos or folders")
    found = Found([], [], [])
    for path in paths:
        splits = {} if is_video(path) else split_folders(path)
        _refuse_two_sides(path, splits)
        held_out = validation_folder(splits)
        train = splits.get(TRAIN)
        found.train += _plain_clips(train or path, how, found.lines)
        if train is not None and held_out is not None:
            found.validation += _plain_clips(held_out, how, found.lines)
    if not found.train:
        raise UserError(
            f"{paths[0]}: no clips; found {listing(paths[0])}; expected videos or folders of frames"
        )
    return found


def _plain_clips(path: Path, how: DataOptions, lines: list[str]) -> list[Footage]:
    if is_video(path):
        return [_films(path.stem, {FRAMES: path})]
    files = _collected(path)
    films = [_films(film.stem, {FRAMES: film}) for film in _videos(files)]
    clips = clips_in(files)
    return films + [
        footage
        for name, frames in clips.items()
        for footage in _frames(name or path.name, {FRAMES: list(frames.values())}, how, lines)
    ]


def _refuse_two_sides(path: Path, splits: dict[str, Path]) -> None:
    if any({f"{split}a", f"{split}b"} <= splits.keys() for split in ("", f"{TRAIN} ")):
        raise UserError(
            f"{path}: found {listing(path)}; with --condition what is translated is computed from plain "
            "videos: give the folder of these alone, or leave --condition out"
        )


# -- two sides -------------------------------------------------------------------------------


def _both_sides(paths: Sequence[Path], how: DataOptions) -> Found:
    try:
        layout = recognise(paths, pairs=True)
    except UserError:
        layout = None
    if layout is None or layout.side_by_side:
        raise UserError(f"{paths[0]}: found {listing(paths[0])}; expected {CLIPS_EXAMPLE}")
    lines = [f"clips: source in {layout.train[0]}, frames in {layout.train[1]}"]
    train = _pairs_of(layout.train, how, lines)
    validation = _pairs_of(layout.validation, how, lines) if layout.validation else []
    return Found(train, validation, lines)


def _pairs_of(folders: tuple[Path, ...], how: DataOptions, lines: list[str]) -> list[Footage]:
    source, frames = map(_collected, folders)
    films = _videos(source), _videos(frames)
    if all(films):
        return _pairs_of_films(folders, *films, lines)
    clips = {str(each.folder): clips_in(each) for each in (source, frames)}
    empty = next((folder for folder, each in clips.items() if not each), None)
    if empty is not None:
        raise UserError(f"{empty}: no clips; found {listing(Path(empty))}; expected {CLIPS_EXAMPLE}")
    pairs, alone = matched(clips)
    lines += alone
    return [
        footage
        for name, files in pairs.items()
        for footage in _frames(
            name or frames.folder.name,
            dict(zip((SOURCE, FRAMES), files.values(), strict=True)),
            how,
            lines,
        )
    ]


def _pairs_of_films(
    folders: tuple[Path, ...], source: list[Path], frames: list[Path], lines: list[str]
) -> list[Footage]:
    named = [{film.stem.casefold(): film for film in films} for films in (source, frames)]
    common = [stem for stem in named[1] if stem in named[0]]
    if not common:
        raise UserError(
            f"{folders[0]} and {folders[1]}: no videos of one name (e.g. {source[0].name} and "
            f"{frames[0].name}); a clip needs the same in both, such as A/clip.mp4 and B/clip.mp4"
        )
    alone = [film.name for side in named for stem, film in side.items() if stem not in common]
    lines += (
        [f"skipped videos without a counterpart of the same name: {', '.join(alone[:3])}"] if alone else []
    )
    return [_films(named[1][stem].stem, {SOURCE: named[0][stem], FRAMES: named[1][stem]}) for stem in common]


# -- label maps ------------------------------------------------------------------------------


def _names_labels(paths: Sequence[Path]) -> bool:
    """Whether the names of folders say that there are label maps."""
    if len(paths) > 1:
        return any(parts_of(path.name)[1] == "labels" for path in paths)
    inside = split_folders(paths[0])
    below = subfolders(inside[TRAIN]) if TRAIN in inside else {}
    return any(parts_of(path.name)[1] == "labels" for path in [*inside.values(), *below.values()])


def _labelled(paths: Sequence[Path], how: DataOptions) -> Found:
    layout = recognise_labels(paths)
    if layout.train.label_half is not None:
        raise UserError(f"{paths[0]}: found {listing(paths[0])}; expected {CLIPS_EXAMPLE}")
    lines = [f"clips: {layout.train}"]
    train = _labelled_clips(layout.train, how, lines)
    validation = _labelled_clips(layout.validation, how, lines) if layout.validation else []
    return Found(train, validation, lines, layout.train, list(paths))


def _labelled_clips(part: Part, how: DataOptions, lines: list[str]) -> list[Footage]:
    sides = {LABELS: part.labels, FRAMES: part.images}
    sides |= {INSTANCES: part.instances} if part.instances is not None else {}
    names = {f"{side} ({each.folder})": side for side, each in sides.items()}
    optional = [name for name, side in names.items() if side == INSTANCES]
    found, alone = matched({name: clips_in(sides[side]) for name, side in names.items()}, optional)
    lines += alone
    own = part.images.folder.name
    return [
        footage
        for clip, files in found.items()
        for footage in _frames(clip or own, {names[name]: f for name, f in files.items()}, how, lines)
    ]


def with_instances(found: Found, wanted: bool | None) -> tuple[Found, list[str]]:
    """The clips without instance maps where these are not wanted, or not everywhere.

    wanted: as asked for; None: if all clips have them. Raises UserError if they are wanted and missing.
    """
    clips = found.train + found.validation
    without = [clip for clip in clips if INSTANCES not in clip.sides]
    if found.labels is None or len(without) == len(clips):
        if wanted:
            raise UserError(
                f"--instances: clip {clips[0].name} has no instance maps; expected a folder instances/ with "
                "the same names; or leave the option out"
            )
        return found, []
    if wanted is not False and not without:
        return found, []
    if wanted:
        raise UserError(
            f"--instances: clip {without[0].name} has no instance maps; add them, or leave it out"
        )
    lines = [f"instance maps are not read: clip {without[0].name} has none"] if without else []
    for part in (found.train, found.validation):
        part[:] = [Footage(clip.name, _without_instances(clip)) for clip in part]
    return found, lines


def _without_instances(clip: Footage) -> dict[str, Side]:
    return {name: side for name, side in clip.sides.items() if name != INSTANCES}


# -- footage ---------------------------------------------------------------------------------


def _frames(name: str, files: dict[str, list[Path]], how: DataOptions, lines: list[str]) -> list[Footage]:
    """The footage of a clip of files, without frames of which a side is broken; none if all are."""
    good: list[dict[str, FileItem]] = []
    read = {
        side: scan_headers(paths, strict=how.strict, reading=how.reading) for side, paths in files.items()
    }
    known = {side: {item.path: item for item in items} for side, (items, _) in read.items()}
    for paths in zip(*files.values(), strict=True):
        frame = {side: known[side].get(path) for side, path in zip(files, paths, strict=True)}
        whole = {side: item for side, item in frame.items() if item is not None}
        if len(whole) == len(frame):
            good.append(whole)
    broken = [why for _, each in read.values() for why in each]
    if broken:
        lines.append(f"skipped broken frames of {name}: {several(broken)}")
    if not good:
        return []
    _refuse_sizes(name, [frame[FRAMES] for frame in good])
    sides: dict[str, Side] = {
        side: FrameFiles(str(paths[0].parent), [frame[side] for frame in good])
        for side, paths in files.items()
    }
    return [Footage(name, sides)]


def _films(name: str, paths: dict[str, Path]) -> Footage:
    return Footage(name, {side: Film(probe(path)) for side, path in paths.items()})


def _collected(folder: Path) -> Collection:
    """The files below a folder; a GIF that moves is no image."""
    files = collect(folder)
    moving = {path for path in files.images if is_moving_gif(path)}
    images = tuple(path for path in files.images if path not in moving)
    return replace(files, images=images, others=(*files.others, *sorted(moving)))


def _videos(files: Collection) -> list[Path]:
    return [path for path in files.others if is_video(path)]


def _refuse_sizes(name: str, frames: Sequence[FileItem]) -> None:
    """Raise UserError if the frames of a clip differ in size."""
    first = frames[0].size
    other = next((frame for frame in frames if frame.size != first), None)
    if other is not None:
        raise UserError(
            f"clip {name}: {frames[0].path.name} has {first[1]}x{first[0]} pixels, {other.path.name} "
            f"{other.size[1]}x{other.size[0]}; the frames of a clip need one size"
        )
