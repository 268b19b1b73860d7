"""What the splits of a data set are called, in every spelling: training_set/, Test-2017/, trainA/, a_val/."""

import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from i2icli.errors import UserError
from i2icli.image.finding import subfolders

TRAIN = "train"
VALIDATION_SPLITS = ("val", "test")  # not trained on, in order of preference

WORDS: Mapping[str, tuple[str, ...]] = {  # the usual ones first
    TRAIN: ("train", "training", "trn", "trainval"),
    "val": ("val", "valid", "validate", "validation", "dev", "development", "holdout", "heldout"),
    "test": ("test", "testing", "tst", "eval", "evaluation"),
}
_FILLERS = ("set", "sets", "data", "dataset", "split", "subset", "part", "fold", "folder")

_SPLIT_OF = {word: split for split, words in WORDS.items() for word in words}
_GLUED = re.compile(
    rf"({'|'.join(sorted(_SPLIT_OF, key=len, reverse=True))})({'|'.join(_FILLERS)})?([a-rt-z]?)"
)
_BETWEEN = re.compile(
    rf"(?<=[\W\d_])({'|'.join(sorted(_SPLIT_OF, key=len, reverse=True))})[\W\d_]+", re.IGNORECASE
)
_EITHER_CASE = re.compile(r"(?<=[a-z])(?=[A-Z])")
_TOKEN = re.compile(r"[^\W\d_]+")


class SplitName(NamedTuple):
    """What the name of a folder tells."""

    split: str  # train, val or test; empty: it is that of no split
    side: str  # what else it says, in lower case: a of trainA, horse of horse_test; empty: nothing
    number: str = ""  # 2017 of train2017
    between: bool = False  # the split is neither first nor last: street_train_day


def split_name(name: str) -> SplitName:
    """The split that the name of a folder tells, first or last in it, else between other words."""
    filled = [word for word in _words(name) if word not in _FILLERS]
    last = len(filled) - 1
    for place in dict.fromkeys((0, last, *range(1, last))) if filled else ():
        if filled[place] in _SPLIT_OF:
            rest = filled[:place] + filled[place + 1 :]
            numbers = " ".join(re.findall(r"\d+", name))
            return SplitName(_SPLIT_OF[filled[place]], " ".join(rest), numbers, 0 < place < last)
    return SplitName("", "", "")


def is_split(name: str) -> bool:
    """Whether a folder of that name is a split, or a side of one as in trainA; horse_test alone is none."""
    found = split_name(name)
    return bool(found.split) and len(found.side) < 2


def split_folders(folder: Path) -> dict[str, Path]:
    """The folders in a folder, as `image.finding.subfolders`, but those of splits under one spelling.

    That is train, val and test, or with a side "train a", "test horse". Several of one split (train0,
    train1) have their numbers as sides; of other spellings of one split the usual one counts. A split between
    other words is one where there is another split of the same words. Raises UserError for two that are to
    be trained on, and as `subfolders`.
    """
    inside = subfolders(folder)
    told = {name: split_name(path.name) for name, path in inside.items()}
    both = Counter(side for _, side in {(each.split, each.side) for each in told.values()})
    told = {name: each for name, each in told.items() if not each.between or both[each.side] > 1}
    sides = {each.side for each in told.values() if each.split == TRAIN}
    told = {
        name: each for name, each in told.items() if each.split and (len(each.side) < 2 or each.side in sides)
    }
    if len(sides) == 1 and {each.side for each in told.values()} == sides and len(min(sides)) > 1:
        told = {name: each._replace(side="") for name, each in told.items()}  # train_images/ test_images/
    count = Counter((each.split, each.side) for each in told.values())
    numbered = {each.split for each in told.values() if count[each.split, each.side] > 1 and each.number}
    found: dict[str, Path] = {}
    for name in sorted(told, key=lambda name: _usual(name, told[name].split)):
        each = told[name]
        side = f"{each.side} {each.number}".strip() if each.split in numbered else each.side
        key = f"{each.split} {side}".strip()
        if key in found and each.split == TRAIN:
            raise UserError(
                f"{folder}: found {found[key].name}/ and {inside[name].name}/, both to train on; "
                "merge them, or rename one"
            )
        found.setdefault(key, inside[name])
    rest = {name: path for name, path in inside.items() if name not in told}
    return found | {name: path for name, path in rest.items() if name not in found}


def sides_of(inside: Mapping[str, Path], split: str) -> dict[str, Path]:
    """Of some `split_folders` those of a split with a side that is no number: horse of train_horse."""
    sides = {
        key.removeprefix(f"{split} "): path for key, path in inside.items() if key.startswith(f"{split} ")
    }
    return {side: path for side, path in sides.items() if side and not side[-1].isdecimal()}


def beside(folder: Path, split: str) -> Path | None:
    """The folder of another split beside one to train on: .../train/x -> .../val/x, .../trainA -> .../valA.

    None if no part of the path is called so, or there is no such folder.
    """
    for index in reversed(range(len(folder.parts))):
        own = split_name(folder.parts[index])
        parent = Path(*folder.parts[:index])
        if own.split != TRAIN or not parent.is_dir():
            continue
        near = [(split_name(path.name), path) for path in subfolders(parent).values()]
        same = [(each, path) for each, path in near if (each.split, each.side) == (split, own.side)]
        same.sort(key=lambda each: (each[0].number != own.number, _usual(each[1].name.casefold(), split)))
        found = (path.joinpath(*folder.parts[index + 1 :]) for _, path in same)
        if (there := next((path for path in found if path.is_dir()), None)) is not None:
            return there
    return None


def side_of(name: str) -> str:
    """What the name of a folder tells beside its split: A of trainA, 0 of train0, a_b of a_train_b.

    All of it if nothing.
    """
    told = split_name(name)
    words = (told.side or told.number).split()
    if not told.split or not words:
        return name
    if told.between:
        return _BETWEEN.sub("", name, count=1)
    found = re.findall(r"[\W\d_]*".join(map(re.escape, words)), name, re.IGNORECASE)
    first = _SPLIT_OF.get(next(iter(_words(name)))) is not None  # whether the split comes first
    return str(found[-1 if first else 0]) if found else name


def _words(name: str) -> list[str]:
    """The words of a name in lower case, without numbers."""
    tokens = _TOKEN.findall(_EITHER_CASE.sub(" ", name))
    return [word for token in tokens for word in _unglued(token.casefold())]


def _unglued(word: str) -> list[str]:
    """ "testset" -> "test", "set"; "traina" -> "train", "a"; other words as they are."""
    if word in _SPLIT_OF:
        return [word]
    match = _GLUED.fullmatch(word)
    return [part for part in match.groups() if part] if match else [word]


def _usual(name: str, split: str) -> int:
    """The lower, the more usual a spelling is."""
    words = WORDS[split]
    return next((place for place, word in enumerate(words) if name == word), len(words))
