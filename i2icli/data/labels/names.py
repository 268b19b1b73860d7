"""What folders and files of label data are called: roles, splits, endings, data sets."""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

from i2icli.data.split_names import WORDS, is_split, split_name

Role = Literal["labels", "images", "instances"]

_ROLES: dict[Role, tuple[str, ...]] = {  # without spaces, hyphens, underscores; the likeliest first
    "labels": (
        *("labels", "label", "labelmaps", "labelmap", "masks", "mask", "annotations", "annotation", "annot"),
        *("segmentationclass", "segmentations", "segmentation", "segs", "seg", "semantic", "gtfine", "gt"),
        *("groundtruth", "stuffthingmaps", "stuffthingmapstrainval2017", "labeledapprovedfull", "gtcoarse"),
    ),
    "images": (
        *("images", "image", "imgs", "img", "photos", "photo", "pictures", "rgb", "jpegimages"),
        *("leftimg8bit", "701stillsrawfull"),
    ),
    "instances": (
        *("instances", "instance", "insts", "inst", "instancemaps", "segmentationobject"),
        "annotationsinstance",
    ),
}

_KINDS = "labelIds|labelTrainIds|instanceIds|instanceTrainIds|color"
_ENDING = re.compile(
    rf"((_gtFine|_gtCoarse)?_({_KINDS})|_leftImg8bit|_(labels?|masks?|seg|segmentation|gt|(?-i:L))"
    r"|_(instances?|inst)|_(images?|img|photo))$",
    re.IGNORECASE,
)
_NOT_LABELS = re.compile(
    r".*(_(instanceIds|instanceTrainIds|color|instances?|inst)|_parts_\d+)", re.IGNORECASE
)
_IDS = ("_labelids", "_labeltrainids")  # endings of files of ids, where there are others beside them
_INSTANCES = re.compile(r".*_(instanceIds|instances?|inst)", re.IGNORECASE)
_LABEL_ENDING = re.compile(
    r".*_(labelIds|labelTrainIds|labels?|masks?|seg|segmentation|gt|(?-i:L))", re.IGNORECASE
)

_DATA_SETS = (  # what the label maps of a data set are called
    ("cityscapes", r"_(gtFine|gtCoarse)_(labelIds|color)"),
    ("cityscapes-train", r"_labelTrainIds"),
    ("ade20k", r"/ADE_(train|val)_\d{8}"),
    ("camvid", r"/(0001TP|0006R0|0016E5|Seq05VD)_f?\d+_L"),
    ("coco-stuff", r"/(stuffthingmaps\w*/(train|val)2017|(train|val)_label)/(COCO_(train|val)2014_)?\d{12}"),
    ("facades", r"/cmp_[bx]\d{4}"),
)


def parts_of(name: str) -> tuple[str, Role | None]:
    """The split ("" for none) and the role that the name of a folder tells: train_label, labels, val2017."""
    word = re.sub(r"[ _-]", "", name.casefold())
    if role := _role_of(word):
        return "", role
    split, side, *_ = split_name(name)
    if split and not side:
        return split, None
    if split and (told := _role_of(side.replace(" ", ""))):
        return split, told
    for split, spellings in WORDS.items():
        for spelling in sorted(spellings, key=len, reverse=True):
            rest = word.removeprefix(spelling) if word.startswith(spelling) else word.removesuffix(spelling)
            if rest != word and (told := _role_of(rest)):
                return split, told
    return "", None


def preference(folder: Path, role: Role) -> int:
    """The lower, the likelier a folder holds what its role says: labels/ before annotations/."""
    word = re.sub(r"[ _-]", "", folder.name.casefold())
    return _ROLES[role].index(word) if word in _ROLES[role] else 0


def split_in(path: Path) -> str:
    """The split that the name of a file or of a folder above it tells: ADE_train_1.png, training/; or ""."""
    for part in (path.stem, *path.parts[:-1][::-1]):
        words = re.split(r"[ _-]", part.casefold())
        for split, spellings in WORDS.items():
            if not set(words).isdisjoint(spellings):
                return split
        if part != path.stem and is_split(part):
            return split_name(part).split
    return ""


def scene_stem(stem: str) -> str:
    """What the names of a label map, its photo and its instance map share: "bonn_1" of bonn_1_labelIds."""
    ending = _ENDING.search(stem)
    return stem[: ending.start()] if ending and ending.start() else stem


def label_files(files: Iterable[Path]) -> tuple[Path, ...]:
    """Of the images in a folder of label maps, the maps: not the instance maps and previews beside them."""
    every = tuple(files)
    for ending in _IDS:
        exact = tuple(file for file in every if file.stem.casefold().endswith(ending))
        if exact:
            return exact
    return tuple(file for file in every if not says_other(file)) or every


def instance_files(files: Iterable[Path]) -> tuple[Path, ...]:
    """Of the images in a folder, those whose names say that they are instance maps."""
    return tuple(file for file in files if _INSTANCES.fullmatch(file.stem))


def says_other(file: Path) -> bool:
    """Whether a file is neither a label map nor a photo, by its name: an instance map, a preview."""
    return _NOT_LABELS.fullmatch(file.stem) is not None


def says_label(file: Path) -> bool:
    """Whether the name of a file says that it is a label map."""
    return _LABEL_ENDING.fullmatch(file.stem) is not None


def data_set_of(files: Iterable[Path]) -> str | None:
    """The known data set whose label maps these are, by their names; None for others."""
    paths = [file.absolute().with_suffix("").as_posix() for file in files]
    known = (name for name, end in _DATA_SETS if paths and all(re.search(end + "$", path) for path in paths))
    return next(known, None)


def _role_of(word: str) -> Role | None:
    return next((role for role, words in _ROLES.items() if word in words), None)
