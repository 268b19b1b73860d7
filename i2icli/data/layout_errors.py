"""What is refused of a user's folders: domains that are missing, too many, or none."""

from collections.abc import Callable, Sequence
from pathlib import Path

from i2icli.data.left_out import left_out
from i2icli.data.split_names import TRAIN, WORDS, split_folders
from i2icli.errors import UserError
from i2icli.image.finding import collect, holds_images, holds_images_below, listing

PAIRED_EXAMPLE = (
    "A/ and B/ with the same file names, or train/ (and val/) with pairs side by side in one image"
)
UNPAIRED_EXAMPLE = "trainA/ and trainB/ (and testA/ and testB/), or A/ and B/"


def refuse_overlapping(folders: Sequence[Path], expected: str) -> None:
    """Raise UserError if one of several folders is given twice or lies inside another."""
    real = [folder.resolve() for folder in folders]
    for index, folder in enumerate(real):
        for other in range(index):
            if folder == real[other]:
                raise UserError(f"{folders[index]} is given twice; expected {expected}")
            if folder in real[other].parents or real[other] in folder.parents:
                raise UserError(
                    f"{folders[other]} and {folders[index]}: one lies inside the other; expected {expected}"
                )


def refuse_single_domain(folder: Path, inside: dict[str, Path]) -> None:
    """Raise UserError where A has no B, or B no A; inside: its `split_folders`."""
    for prefix in (f"{TRAIN} ", ""):
        for here, missing in (("a", "b"), ("b", "a")):
            if prefix + here in inside and prefix + missing not in inside:
                present = inside[prefix + here].name
                place = [index for index, letter in enumerate(present) if letter.casefold() == here]
                place = place[-1:] if present.casefold().endswith(here) else place[:1]
                letter = missing.upper() if present[place[0]].isupper() else missing
                wanted = present[: place[0]] + letter + present[place[0] + 1 :]
                raise UserError(
                    f"{folder}: found {present}/ but no {wanted}/; expected both, "
                    f"such as {present}/ and {wanted}/ side by side"
                )


def refuse_repeated(a: Path, b: Path, *, together: Callable[[Path, Path], bool] | None = None) -> None:
    """Raise UserError for two folders that hold the same folders: parts of a data set, not its domains.

    together: whether two of the folders in one of them belong together, if that decides.
    """
    if holds_images(a) or holds_images(b):
        return
    inside, other = split_folders(a), split_folders(b)
    same = [name for name in inside if name in other and name not in WORDS]
    if len(same) < 2 or (together and (len(same) > 2 or not together(*(inside[name] for name in same)))):
        return
    first, second = (inside[name] for name in same[:2])
    raise UserError(
        f"{a.parent}: {a.name}/ and {b.name}/ hold the same folders ({first.name}/, {second.name}/), so they "
        f"are parts of one data set: merge them, or give one of them; as two domains give {a} {b}"
    )


def many_domains(folder: Path, found: Sequence[Path], *, pairs: bool = False) -> UserError:
    """For more than two folders of images where two are needed; pairs: each may hold those of a scene."""
    inside = [{path.name for path in collect(each).images} for each in found[:3]]
    if pairs and len(inside[0]) == 2 and all(names == inside[0] for names in inside):
        a, b = sorted(inside[0])
        return UserError(
            f"{folder}: found {len(found)} folders with {a} and {b} each; if these are pairs, add "
            f"--pair '{{}}/{a}:{{}}/{b}'"
        )
    return UserError(
        f"{folder}: found {len(found)} folders of images ({listing(folder)}); "
        f"name the two to use, such as {found[0]} {found[1]}"
    )


def not_two_collections(folder: Path, inside: dict[str, Path]) -> UserError:
    """For one collection where two are needed."""
    train = inside.get(TRAIN)
    where = f"in {train.name}/" if train is not None and not holds_images(folder) else "directly in it"
    return UserError(
        f"{folder}: found one collection of images ({where}), but two are needed; "
        f"expected {UNPAIRED_EXAMPLE}, or two folders given one after the other; "
        "for pairs side by side in one image train pix2pix"
    )


def not_recognised(folder: Path, inside: dict[str, Path], example: str) -> UserError:
    """For anything else; example: what was expected."""
    if any(holds_images_below(path) for path in inside.values()):
        return UserError(f"{folder}: found {listing(folder)}; expected {example}")
    inside_it = collect(folder)
    first = f", e.g. {inside_it.others[0].name}" if inside_it.others else ""
    others = left_out([inside_it])
    found = f"found {others}{first}" if others else "it is empty"
    return UserError(f"{folder}: no images in this folder ({found}); expected {example}")
