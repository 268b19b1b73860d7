"""The classes of the label maps of a data set: as given, as listed near them, or as found in them."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from i2icli.classes import LabelSet, label_set
from i2icli.data.labels.found import found_classes, listed_classes
from i2icli.data.labels.names import data_set_of
from i2icli.data.labels.survey import CountedMap
from i2icli.data.labels.usage import class_lines, holds_unlabelled, spoilt_lines
from i2icli.image.finding import Collection


def labels_of(
    collection: Collection,
    top: Path,
    known: LabelSet | None,
    ignored: Sequence[str],
    train: Sequence[CountedMap],
    held_out: Sequence[CountedMap],
) -> tuple[LabelSet, dict[str, Any], list[str]]:
    """The classes, the settings that hold what was found of them, and lines for the report.

    top: the folder that was given, where a list of classes may lie; known: as given; ignored: ids or names
    of classes that mean unlabelled, where none are given. Raises UserError for maps that do not suit.
    """
    maps = [*train, *held_out]
    settings: dict[str, Any] = {}
    source = "as given"
    if known is None:
        listed = listed_classes(collection.folder, top, data_set_of(collection.images), maps, ignored)
        found, source = listed or (found_classes(maps, collection.folder, ignored), "found in the label maps")
        ignored = tuple(dict.fromkeys((*ignored, *found.ignore)))
        known = label_set(found.classes, ignored)
        settings |= {"classes": found.classes, "ignore": ignored}
        source = f"from {source}" if listed else source
    labels = replace(known, dont_care=holds_unlabelled(known, maps))
    settings["dont_care"] = labels.dont_care
    return labels, settings, class_lines(labels, source, train, held_out) + spoilt_lines(maps)
