"""Asking a web server: which addresses are taken, where redirects may lead, what errors mean."""

import ipaddress
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from email.message import Message
from http.client import HTTPException, HTTPResponse
from typing import IO, Any
from urllib.error import HTTPError, URLError
from urllib.parse import urljoin, urlsplit
from urllib.request import (
    BaseHandler,
    HTTPDefaultErrorHandler,
    HTTPErrorProcessor,
    HTTPHandler,
    HTTPSHandler,
    OpenerDirector,
    ProxyHandler,
    Request,
    UnknownHandler,
)

from i2icli import __version__
from i2icli.errors import UserError, readable

TIMEOUT_S = 30.0  # without any answer
MOST_REDIRECTS = 5
LARGEST_TEXT = 4_000_000  # bytes of an answer that is read whole
SECRET = "Authorization"  # the header that goes to the host it was meant for, and to no other
_MAY_PASS = frozenset({408, 425, 429, 500, 502, 503, 504})  # codes of servers that may answer later


class BrokenError(Exception):
    """A connection that broke off, or a server that cannot answer now: trying again may help."""


class RefusedError(UserError):
    """A server that answers with an error which trying again does not mend."""

    def __init__(self, url: str, code: int, reason: str) -> None:
        super().__init__(f"{url}: cannot be downloaded ({readable(reason)})", exit_code=1)
        self.code = code


def check_address(url: str, *, allow_http: bool = False, start: str | None = None) -> None:
    """Raise UserError for an address that nothing is downloaded from.

    Taken are https, and http on this machine or where it is allowed. `start` is the address that redirects
    to this one: other hosts may not lead back to this machine.
    """
    shown = readable(url)
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError as error:
        raise UserError(f"{shown}: no web address ({error})") from None
    if not host or not url.isprintable() or " " in url:
        raise UserError(f"{shown}: no web address; expected one like https://host/model.safetensors")
    if parts.username is not None:
        raise UserError(f"{parts.scheme}://...@{host}: leave name and password out of the address")
    if start is not None and is_local(host) and not is_local(urlsplit(start).hostname or ""):
        raise UserError(f"{start}: redirects to this machine ({shown}), which was not followed")
    if parts.scheme == "https" or (parts.scheme == "http" and (allow_http or is_local(host))):
        return
    via = f"{start}: redirects to {shown}, which was not followed" if start else f"{shown}: not downloaded"
    if parts.scheme == "http":
        raise UserError(f"{via}: anyone on the way can change what http brings; --allow-http takes it")
    raise UserError(f"{via}: expected an address that begins with https://")


def is_local(host: str) -> bool:
    """Whether a host is this machine."""
    try:
        return host.lower() == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@contextmanager
def opened(
    url: str, headers: Mapping[str, str] | None = None, *, allow_http: bool = False
) -> Iterator[HTTPResponse]:
    """The answer of a server (200 or 206), after redirects; to be read by `read_some`.

    Raises UserError for addresses that are not taken and for refusals, and BrokenError for what may pass.
    """
    with _answer(Request(url, headers=dict(headers or {})), _Redirects(url, allow_http)) as response:
        yield response


def head(url: str, headers: Mapping[str, str] | None = None, *, allow_http: bool = False) -> Message:
    """What a server says of a file without sending it, or before it leads to another host.

    Raises UserError and BrokenError as `opened` does.
    """
    redirects = _Redirects(url, allow_http, stay=True)
    with _answer(Request(url, headers=dict(headers or {}), method="HEAD"), redirects) as response:
        return response.headers


def _answer(request: Request, redirects: "_Redirects") -> HTTPResponse:
    url = request.full_url
    check_address(url, allow_http=redirects.allow_http)
    request.add_header("User-Agent", f"i2icli/{__version__}")
    try:
        response: HTTPResponse = _opener(redirects).open(request, timeout=TIMEOUT_S)
        return response
    except HTTPError as error:
        error.close()
        if error.code in _MAY_PASS:
            raise BrokenError(f"{error.code} {error.reason}") from None
        raise RefusedError(url, error.code, str(error.reason) or f"code {error.code}") from None
    except URLError as error:
        raise BrokenError(str(getattr(error.reason, "strerror", None) or error.reason)) from None
    except (OSError, HTTPException) as error:
        raise _broken(error) from None


def read_some(response: HTTPResponse, most: int) -> bytes:
    """The next bytes of an answer, as they come; none at its end. Raises BrokenError if it breaks off."""
    try:
        return response.read1(most)
    except (OSError, HTTPException, ValueError) as error:
        raise _broken(error) from None


def _broken(error: Exception) -> BrokenError:
    return BrokenError(getattr(error, "strerror", None) or str(error) or type(error).__name__)


def get_json(url: str, headers: Mapping[str, str] | None = None, *, allow_http: bool = False) -> Any:
    """The JSON that a server answers with. Raises UserError if it gives none."""
    try:
        with opened(url, headers, allow_http=allow_http) as response:
            text = b""
            while len(text) < LARGEST_TEXT and (more := read_some(response, LARGEST_TEXT - len(text))):
                text += more
        return json.loads(text)
    except BrokenError as error:
        raise UserError(f"{url}: does not answer ({readable(str(error))}); try again", exit_code=1) from None
    except ValueError:
        raise UserError(f"{url}: answers with something else than JSON", exit_code=1) from None


def _opener(redirects: "_Redirects") -> OpenerDirector:
    """Opens http and https alone: urllib's own opener would also open files and FTP."""
    opener = OpenerDirector()
    handlers: tuple[BaseHandler, ...] = (
        ProxyHandler(),
        UnknownHandler(),
        HTTPHandler(),
        HTTPSHandler(),
        HTTPDefaultErrorHandler(),
        HTTPErrorProcessor(),
        redirects,
    )
    for handler in handlers:
        opener.add_handler(handler)
    return opener


class _Redirects(BaseHandler):
    """Follows the redirects of one request, each checked as the first address was."""

    def __init__(self, start: str, allow_http: bool, *, stay: bool = False) -> None:
        """stay: do not follow to other hosts; the redirect itself is the answer."""
        self.start, self.allow_http, self.stay, self.followed = start, allow_http, stay, 0

    def http_error_302(self, req: Request, fp: IO[bytes], _code: int, _msg: str, headers: Message) -> Any:
        """Ask the address that the server names instead."""
        target = urljoin(req.full_url, headers.get("Location") or "")
        if self.stay and _origin(target) != _origin(req.full_url):
            return fp
        fp.close()
        self.followed += 1
        if self.followed > MOST_REDIRECTS:
            raise UserError(
                f"{self.start}: redirects more than {MOST_REDIRECTS} times (now to {readable(target)})",
                exit_code=1,
            )
        check_address(target, allow_http=self.allow_http, start=self.start)
        kept = dict(req.header_items())
        if _origin(target) != _origin(req.full_url):
            kept.pop(SECRET, None)
        kept.pop("Host", None)
        again = Request(target, headers=kept, method=req.get_method())
        return self.parent.open(again, timeout=req.timeout)

    http_error_301 = http_error_303 = http_error_307 = http_error_308 = http_error_302


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port
