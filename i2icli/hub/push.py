"""Publishing a run on the hub: what is uploaded, and uploading it."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from i2icli import __version__
from i2icli.downloads.web import check_address
from i2icli.errors import UserError, readable
from i2icli.hub.card import SHEET, card, check_licence
from i2icli.hub.cleaning import write_cleaned
from i2icli.hub.published import Published, read_run
from i2icli.hub.sources import MODEL, endpoint, parse_repository
from i2icli.recipe import recipe_text

CARD, RECIPE = "README.md", "recipe.toml"
INSTALL = "pip install 'i2icli[hub]'"


@dataclass(frozen=True)
class Upload:
    """Files in a folder, ready to be uploaded."""

    repository: str  # "owner/name"
    folder: Path
    which: str = ""  # a line about which weights of the run these are, if there was a choice

    @property
    def files(self) -> dict[str, int]:
        """Their sizes by name."""
        return {path.name: path.stat().st_size for path in sorted(self.folder.iterdir())}


@contextmanager
def prepared(
    run: str, to: str, *, licence: str | None, private: bool, samples: bool = True, keep_names: bool = False
) -> Iterator[Upload]:
    """The files that `push` uploads, in a folder that goes afterwards.

    Raises UserError for a run that cannot be published, an address that is no repository, and a public model
    without a licence.
    """
    if not to.startswith("hf://") or parse_repository(to).file or parse_repository(to).revision != "main":
        raise UserError(f"{readable(to)}: expected where to publish it, as hf://owner/name")
    licence = check_licence(licence)
    if licence is None and not private:
        raise UserError(
            "a public model needs a licence: add --licence mit, cc-by-4.0, other, ... or publish it --private"
        )
    model = read_run(run, keep_names=keep_names)
    with tempfile.TemporaryDirectory() as temporary:
        upload = Upload(parse_repository(to).id, Path(temporary), model.which)
        _write(model, upload, licence, samples=samples)
        yield upload


def push(upload: Upload, *, private: bool) -> str:
    """Upload the files in one commit, to a repository that is made if there is none; where it is then.

    Raises UserError without the extra [hub], without a token, and for what the hub refuses.
    """
    check_address(endpoint())
    try:
        from huggingface_hub import CommitOperationAdd, HfApi
    except ImportError:
        raise UserError(f"publishing needs huggingface_hub, which is not installed: {INSTALL}") from None
    api = HfApi(
        endpoint=endpoint(),
        token=os.environ.get("HF_TOKEN") or None,
        library_name="i2icli",
        library_version=__version__,
    )
    try:
        api.create_repo(upload.repository, private=private, exist_ok=True)
        added = [CommitOperationAdd(name, str(upload.folder / name)) for name in upload.files]
        message = f"Model trained by i2icli {__version__}"
        api.create_commit(upload.repository, added, commit_message=message)
    except Exception as error:  # the library's errors differ between its versions
        raise UserError(
            f"hf://{upload.repository}: the hub did not take it ({_first_line(error)}); a token that may "
            "write is needed, in HF_TOKEN or by: hf auth login",
            exit_code=1,
        ) from None
    return f"{endpoint()}/{upload.repository}"


def write_sheet(source: Path, target: Path) -> None:
    """A sample sheet with its pixels alone: no texts, times or profiles beside them."""
    from PIL import Image

    with Image.open(source) as sheet:
        pixels = sheet.convert("RGB")
    clean = Image.new("RGB", pixels.size)
    clean.paste(pixels)
    clean.save(target, "PNG")


def _write(model: Published, upload: Upload, licence: str | None, *, samples: bool) -> None:
    sheet = model.sheet if samples else None
    write_cleaned(model.path, upload.folder / MODEL, model.metadata)
    (upload.folder / RECIPE).write_text(recipe_text(model.metadata.system, model.config), encoding="utf-8")
    if sheet is not None:
        write_sheet(sheet, upload.folder / SHEET)
    text = card(model, licence=licence, name=upload.repository, sheet=sheet is not None)
    (upload.folder / CARD).write_text(text, encoding="utf-8")


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return readable(lines[0]) if lines else type(error).__name__
