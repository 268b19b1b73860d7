"""Label maps beside their photos, in one folder or tree of folders, with the same names."""

from pathlib import Path

from i2icli.data.labels.names import (
    Role,
    instance_files,
    label_files,
    says_label,
    says_other,
    scene_stem,
    split_in,
)
from i2icli.data.labels.parts import LabelLayout, Part
from i2icli.data.split_names import TRAIN, VALIDATION_SPLITS
from i2icli.image.finding import Collection, collect


def one_tree(folder: Path) -> LabelLayout | None:
    """Label maps beside their photos, with the same names: 1.png and 1.jpg, or 1_mask.png and 1.png.

    None if fewer than half of the images are parts of such pairs.
    """
    scenes: dict[tuple[Path, str], list[Path]] = {}
    for file in collect(folder).images:
        scenes.setdefault((file.parent, scene_stem(file.stem).casefold()), []).append(file)
    files: dict[str, dict[Role, list[Path]]] = {}
    for members in scenes.values():
        split = split_in(members[0].relative_to(folder))
        own = files.setdefault(split, {"labels": [], "images": [], "instances": []})
        for role, file in roles_of(members).items():
            own[role].append(file)
    parts = {split: _part(folder, own) for split, own in files.items() if own["labels"]}
    train = parts.get(TRAIN) or parts.get("")
    if train is None or 2 * sum(len(part.labels.images) for part in parts.values()) < len(scenes):
        return None
    return LabelLayout(train, next((parts[split] for split in VALIDATION_SPLITS if split in parts), None))


def roles_of(members: list[Path]) -> dict[Role, Path]:
    """Which of some files of one scene are its label map, its photo and its instance map; or nothing."""
    both = [file for file in members if not says_other(file)]
    maps = [file for file in both if says_label(file)]
    maps = maps or [file for file in both if file.suffix.lower() == ".png"]
    photos = [file for file in both if file not in maps]
    if not maps or len(photos) != 1:
        return {}
    found: dict[Role, Path] = {"labels": label_files(maps)[0], "images": photos[0]}
    instances = instance_files(members)
    return found | ({"instances": instances[0]} if instances else {})


def _part(folder: Path, files: dict[Role, list[Path]]) -> Part:
    labels, images, instances = (
        Collection(folder, tuple(files[role]), ()) for role in ("labels", "images", "instances")
    )
    return Part(labels, images, instances if instances.images else None)
