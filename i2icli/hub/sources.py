"""What `i2i pull` is asked for: a name of the catalogue, a web address, or a repository of the hub."""

import os
import re
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import PurePosixPath
from urllib.parse import quote, unquote, urlsplit

from i2icli.downloads.download import Wanted
from i2icli.downloads.web import BrokenError, RefusedError, check_address, get_json, head
from i2icli.errors import UserError, readable
from i2icli.hub.catalogue import Listed, catalogue
from i2icli.hub.store import safe_name

HUB = "https://huggingface.co"
MODEL = "model.safetensors"  # what `i2i push` uploads
_REPOSITORY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,95}/[A-Za-z0-9][A-Za-z0-9._-]{0,95}")
_SUFFIXES = (".safetensors", ".pth", ".pt", ".pkl", ".ckpt", ".onnx", ".zip")


@dataclass(frozen=True)
class Source:
    """Where a model comes from."""

    text: str  # as it was asked for
    name: str  # what it will be called
    file: str  # what its file is called there
    wanted: Wanted
    checked: str | None = None  # who says what the SHA-256 is
    licence: str | None = None


@dataclass(frozen=True)
class Repository:
    """hf://owner/name, hf://owner/name@revision, hf://owner/name/folder/file."""

    id: str
    file: str | None = None
    revision: str = "main"
    token: str | None = field(default=None, repr=False)

    @property
    def headers(self) -> dict[str, str]:
        """What lets a private repository be read."""
        return {"Authorization": f"Bearer {self.token}"} if self.token else {}

    def url(self, file: str) -> str:
        """Where a file is."""
        return f"{endpoint()}/{self.id}/resolve/{quote(self.revision, safe='')}/{quote(file)}"

    @property
    def api(self) -> str:
        """Where the hub lists its files."""
        return f"{endpoint()}/api/models/{self.id}/revision/{quote(self.revision, safe='')}"


def endpoint() -> str:
    """The hub's address; HF_ENDPOINT names another one."""
    return (os.environ.get("HF_ENDPOINT") or HUB).rstrip("/")


def find_source(text: str, *, sha256: str = "", allow_http: bool = False) -> Source:
    """Where a model comes from. Raises UserError for what is none, and for what only a browser can download.

    `sha256`: what the user expects, as its first digits.
    """
    if sha256 and not re.fullmatch(r"[0-9a-fA-F]{8,64}", sha256):
        raise UserError(f"--sha256 {sha256}: expected 8 to 64 hexadecimal digits")
    if text.startswith("hf://"):
        return _of_hub(text, sha256, allow_http)
    if "://" in text:
        return _of_address(text, sha256, allow_http)
    if text in catalogue():
        return _of_catalogue(catalogue()[text], sha256, allow_http)
    near = get_close_matches(text, list(catalogue()), n=1)
    hint = f"did you mean {near[0]}?" if near else "i2i models lists the published ones"
    raise UserError(f"no published model is called {text!r}; {hint} (or give https://... or hf://owner/name)")


def parse_repository(text: str) -> Repository:
    """A repository of the hub, by the text that names it. Raises UserError."""
    rest = text.removeprefix("hf://").strip("/")
    pieces = rest.split("/", 2)
    last, _, revision = pieces[1].partition("@") if len(pieces) > 1 else ("", "", "")
    name = f"{pieces[0]}/{last}"
    file = pieces[2] if len(pieces) > 2 else None
    parts = PurePosixPath(file).parts if file else ()
    wrong = not _REPOSITORY.fullmatch(name) or ".." in name or "--" in name or ".." in parts
    if wrong or not readable(rest) == rest or len(rest) > 500:
        raise UserError(f"{readable(text)}: expected hf://owner/name, or hf://owner/name/file")
    return Repository(name, file, revision or "main", os.environ.get("HF_TOKEN") or None)


def _of_catalogue(listed: Listed, sha256: str, allow_http: bool) -> Source:
    if listed.url is None:
        raise UserError(
            f"{listed.name}: its host gives it to browsers alone; download {listed.file or 'it'} from "
            f"{listed.page} and name the file itself: --model FILE"
        )
    check_address(listed.url, allow_http=allow_http)
    wanted = Wanted(listed.url, sha256 or listed.sha256, listed.size, allow_http=allow_http)
    checked = "--sha256" if sha256 else "the catalogue" if listed.sha256 else None
    return Source(listed.name, listed.name, _file_of(listed.url), wanted, checked, listed.licence)


def _of_address(url: str, sha256: str, allow_http: bool) -> Source:
    check_address(url, allow_http=allow_http)
    file = _file_of(url)
    stem = file.removesuffix(next((end for end in _SUFFIXES if file.lower().endswith(end)), ""))
    wanted = Wanted(url, sha256, allow_http=allow_http)
    return Source(url, safe_name(stem), file, wanted, "--sha256" if sha256 else None)


def _of_hub(text: str, sha256: str, allow_http: bool) -> Source:
    repository = parse_repository(text)
    check_address(endpoint(), allow_http=allow_http)
    read = _Reader(repository, allow_http)
    file, linked = read.found(repository.file) if repository.file else read.only_model()
    name = PurePosixPath(file).stem if repository.file else repository.id.split("/")[1]
    digest, checked = (sha256, "--sha256") if sha256 else (linked or "", "the hub" if linked else None)
    wanted = Wanted(repository.url(file), digest, headers=repository.headers, allow_http=allow_http)
    return Source(text, safe_name(name), PurePosixPath(file).name, wanted, checked)


class _Reader:
    """Asks the hub what a repository holds."""

    def __init__(self, repository: Repository, allow_http: bool) -> None:
        self.repository, self.allow_http = repository, allow_http

    def found(self, file: str) -> tuple[str, str | None]:
        """A file and its SHA-256, which the hub tells of large ones. Raises RefusedError, UserError."""
        repository = self.repository
        try:
            headers = head(repository.url(file), repository.headers, allow_http=self.allow_http)
        except BrokenError as error:
            raise UserError(f"{endpoint()}: does not answer ({error}); try again", exit_code=1) from None
        except RefusedError as error:
            if error.code in (401, 403, 404):
                reason = f"{file} is not there, or not for everyone: HF_TOKEN in the environment opens yours"
                raise RefusedError(f"hf://{repository.id}", error.code, reason) from None
            raise
        tag = (headers.get("X-Linked-Etag") or "").strip('"')
        return file, tag if re.fullmatch(r"[0-9a-f]{64}", tag) else None

    def only_model(self) -> tuple[str, str | None]:
        """The model of a repository whose file was not named. Raises UserError that lists the files."""
        try:
            return self.found(MODEL)
        except RefusedError as error:
            if error.code != 404:
                raise
            missing = error
        repository = self.repository
        try:
            listed = get_json(repository.api, repository.headers, allow_http=self.allow_http)
        except RefusedError:
            raise missing from None
        models = _models_in(listed)
        if len(models) == 1:
            return self.found(models[0])
        names = f"; it holds {', '.join(models[:8])}: name one, hf://{repository.id}/FILE" if models else ""
        raise UserError(f"hf://{repository.id}: no {MODEL} in it{names}")


def _models_in(listed: object) -> list[str]:
    """The model files in what the hub says of a repository."""
    siblings = listed.get("siblings") if isinstance(listed, dict) else None
    names = [each.get("rfilename") for each in siblings or () if isinstance(each, dict)]
    suffixes = tuple(end for end in _SUFFIXES if end != ".zip")
    return [
        name
        for name in names
        if isinstance(name, str) and name.endswith(suffixes) and name.isprintable() and ".." not in name
    ]


def _file_of(url: str) -> str:
    """The name of a file by its address."""
    return PurePosixPath(unquote(urlsplit(url).path)).name or "model"
