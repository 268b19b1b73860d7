"""How other programs call the files of a checkpoint, and which of those in a folder belong together.

`latest_net_G_A.pth` (epoch, network), `200000-G.ckpt` (step, network), `G_AB_100.pth` (network, epoch). No
torch here.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

SUFFIXES = (".pth.tar", ".pth", ".pt", ".pkl", ".ckpt", ".bin", ".safetensors")
OURS = re.compile(r"resume(\.previous)?\.pt|segmenter\.safetensors|\..*")
"""Files of a run that are no models, and hidden ones."""

_NETWORK = r"(?:net_?)?(?:[GDEF](?![a-z])|generator|discriminator|encoder)\w*?"
_FORMS = (
    re.compile(r"(?P<epoch>.+)_net_(?P<network>[A-Za-z]\w*)"),
    re.compile(rf"(?P<epoch>\d+)[-_](?P<network>{_NETWORK})"),
    re.compile(rf"(?P<network>{_NETWORK})[-_](?:(?:epoch|iter|step)[-_]?)?(?P<epoch>\d+|latest|last)"),
    re.compile(rf"(?P<network>{_NETWORK})(?P<epoch>)"),
)
_NEWEST = ("latest", "last", "final")


@dataclass(frozen=True)
class NetworkFile:
    """A file that holds one network, by its name."""

    path: Path
    network: str  # "G_A"
    epoch: str  # "latest", "200", "iter_5000"; empty where its name has none

    @property
    def generates(self) -> bool:
        """Whether it may translate by itself."""
        return bool(re.match(r"(?:net_?)?(?:g|f(?![a-z]))", self.network, re.IGNORECASE))

    @property
    def age(self) -> tuple[int, int]:
        """Larger for newer ones: the latest, then the highest number."""
        number = re.search(r"(\d{1,18})\D*$", self.epoch)
        return self.epoch.lower() in _NEWEST, int(number[1]) if number else -1


def checkpoints_in(folder: Path) -> list[Path]:
    """Files of weights in a folder, by their names; none that only resumes a run."""
    if not folder.is_dir():
        return []
    found = (path for path in folder.iterdir() if path.name.lower().endswith(SUFFIXES))
    return sorted(path for path in found if not OURS.fullmatch(path.name) and path.is_file())


def network_file(path: Path) -> NetworkFile | None:
    """What a file's name says of the network inside; None if it says nothing."""
    end = next((end for end in SUFFIXES if path.name.lower().endswith(end)), "")
    stem = path.name[: len(path.name) - len(end)]
    for form in _FORMS:
        if match := form.fullmatch(stem):
            return NetworkFile(path, match["network"], match["epoch"])
    return None


def newest(paths: Iterable[Path]) -> dict[str, NetworkFile]:
    """The networks of the newest epoch, by name; empty where no name tells a network."""
    known = [file for file in map(network_file, paths) if file is not None]
    if not known:
        return {}
    last = max(known, key=lambda file: file.age)
    return {file.network: file for file in known if file.epoch == last.epoch}


def models_among(paths: Iterable[Path]) -> list[Path]:
    """The files that a user may mean by a folder: generators of the newest epoch, else what there is.

    Of networks that are numbered, as they lead to each other, it is the first.
    """
    every = list(paths)
    networks = newest(every)
    generators = {name: file.path for name, file in networks.items() if file.generates}
    if not generators:
        return every
    return list(_first_of_numbered(generators).values())


def _first_of_numbered(networks: Mapping[str, Path]) -> dict[str, Path]:
    kept: dict[str, Path] = {}
    for name in sorted(networks, key=lambda each: (len(each), each)):
        kept.setdefault(re.sub(r"\d+$", "", name), networks[name])
    return kept
