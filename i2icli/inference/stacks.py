"""Inputs that are several images, as a model was trained on them: found beside the first, and stacked."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from i2icli.errors import UserError
from i2icli.image.items import FileItem, Item
from i2icli.image.stacked import StackedItem
from i2icli.inference.other_inputs import OtherInputs
from i2icli.task import Port


class Stacks:
    """Finds the images that belong to a first one: in sibling folders called as those of the training
    (rgb/x.png, depth/x.png), or in folders that are given in the order of the training.
    """

    def __init__(self, port: Port, given: Sequence[Path]) -> None:
        """port: of the first input. Raises UserError for folders that are not there or too many."""
        self.port = port
        self.names = tuple(part.name for part in port.parts)
        others = self.names[1:]
        if given and not others:
            raise UserError("--inputs: this model reads one image")
        if given and len(given) != len(others):
            raise UserError(f"--inputs: expected {len(others)}, for {', '.join(others)}; the first is INPUTS")
        if missing := next((folder for folder in given if not folder.is_dir()), None):
            raise UserError(f"--inputs {missing}: there is no such folder")
        self.folders = dict(zip(others, given, strict=False))
        ports = {part.name: Port(part.channels) for part in port.parts} or {"image": port}
        self.finder = OtherInputs(ports, None, self.folders)

    def ours(self, files: Sequence[Path]) -> list[Path]:
        """Of the files below a folder those of the first input, where folders are called like the inputs."""
        first = [file for file in files if self.names and self._lies_in(file, self.names[0])]
        return first if first and not self.folders else list(files)

    def stacked(self, item: Item, file: Path) -> Item:
        """An input with those that belong to it; as it is where it is stacked already, or alone.

        Raises UserError if one is missing.
        """
        if not self.names:
            return item
        as_trained = FileItem(item.path, self.port.reading) if isinstance(item, FileItem) else item
        if as_trained.header().channels == self.port.channels and not any(p.range for p in self.port.parts):
            return item
        items = [item]
        for name in self.names[1:]:
            path = self.finder.locate(file, name)
            if path is None:
                where = self.folders.get(name, f"a folder {name}/ beside {self.names[0]}/")
                together = " + ".join(self.names)
                raise UserError(
                    f"{file}: this model reads {together}; expected a {name} of the same name in {where}, or "
                    "--inputs FOLDER"
                )
            items.append(FileItem(path))
        return StackedItem(tuple(items), self.port.parts)

    def by_name(self, first: str, items: Mapping[str, Item]) -> tuple[dict[str, Item], bool]:
        """Inputs, the parts stacked as the first where each was given by its name; whether it was so."""
        if first in items or not self.names or not set(self.names) <= items.keys():
            return dict(items), False
        others = {name: item for name, item in items.items() if name not in self.names}
        return {
            first: StackedItem(tuple(items[name] for name in self.names), self.port.parts),
            **others,
        }, True

    @staticmethod
    def _lies_in(file: Path, name: str) -> bool:
        return any(part.casefold() == name.casefold() for part in file.parts[:-1])
