"""Downloads end with the whole right file, or with one line and nothing; what broke off is resumed."""

import hashlib
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from i2icli.downloads import download as module
from i2icli.downloads import web
from i2icli.downloads.download import Lines, Wanted, download
from i2icli.downloads.web import BrokenError, check_address, get_json, opened
from i2icli.errors import UserError
from tests.downloads.server import Asked, Server, serving

DATA = bytes(range(256)) * 40  # 10,240 bytes
DIGEST = hashlib.sha256(DATA).hexdigest()
NEXT = DATA[::-1]
TAG, NEXT_TAG = '"one"', '"two"'


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "RETRY_AFTER_S", (0.0, 0.0))


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as served:
        yield served


@pytest.fixture
def get(server: Server, tmp_path: Path) -> Callable[..., bytes]:
    """Downloads the file, and gives what is in it then."""

    def get(**known: object) -> bytes:
        path = tmp_path / "files" / "net.pth"
        wanted = Wanted(f"{server.url}/net.pth", **known)  # type: ignore[arg-type]
        digest = download(wanted, path, Lines(get.notes.append))  # type: ignore[attr-defined]
        assert digest == hashlib.sha256(path.read_bytes()).hexdigest()
        return path.read_bytes()

    get.notes = []  # type: ignore[attr-defined]
    return get


def left(folder: Path) -> list[str]:
    """The files in a folder but locks."""
    return sorted(path.name for path in (folder / "files").iterdir() if path.suffix != ".lock")


def one_after_another(*answers: Callable[[Asked], None]) -> Callable[[Asked], None]:
    """Each request has the next answer; the last one goes on."""
    waiting = list(answers)
    return lambda asked: (waiting.pop(0) if len(waiting) > 1 else waiting[0])(asked)


# -- whole, resumed, begun again -------------------------------------------------------------


def test_a_file_is_downloaded_and_checked(server: Server, get: Callable[..., bytes], tmp_path: Path) -> None:
    server.answer = lambda asked: asked.ranged(DATA, TAG)
    assert get(sha256=DIGEST[:8], size=len(DATA)) == DATA
    assert left(tmp_path) == ["net.pth"]
    assert server.asked[0].headers["user-agent"].startswith("i2icli/")
    server.answer = lambda asked: asked.send(404)
    assert get() == DATA, "it is there: another process was faster"


@pytest.mark.parametrize("cut", [1, 5000, len(DATA) - 1])
def test_what_breaks_off_goes_on_at_once(cut: int, server: Server, get: Callable[..., bytes]) -> None:
    server.answer = one_after_another(
        lambda asked: asked.ranged(DATA, TAG, until=cut), lambda asked: asked.ranged(DATA, TAG)
    )
    assert get(sha256=DIGEST) == DATA
    assert server.ranges() == [None, f"bytes={cut}-"]


def test_what_stays_broken_is_one_line_and_the_next_call_goes_on(
    server: Server, get: Callable[..., bytes], tmp_path: Path
) -> None:
    server.answer = one_after_another(
        lambda asked: asked.ranged(DATA, TAG, until=5000), lambda asked: asked.send(503)
    )
    with pytest.raises(
        UserError, match=r"net\.pth: cannot be downloaded \(503 .*\); 5 kB are kept, the same command"
    ):
        get(sha256=DIGEST)
    assert left(tmp_path) == [".net.pth.part", ".net.pth.part.json"]
    server.asked.clear()
    server.answer = lambda asked: asked.ranged(DATA, TAG)
    assert get(sha256=DIGEST) == DATA
    assert server.ranges() == ["bytes=5000-"]
    assert left(tmp_path) == ["net.pth"]


def test_a_file_that_has_changed_in_between_is_begun_again(server: Server, get: Callable[..., bytes]) -> None:
    server.answer = one_after_another(
        lambda asked: asked.ranged(DATA, TAG, until=5000), lambda asked: asked.ranged(NEXT, NEXT_TAG)
    )
    assert get() == NEXT
    assert server.ranges() == [None, "bytes=5000-"]


@pytest.mark.parametrize("tag", [TAG, 'W/"weak"', ""])
def test_a_server_that_does_not_resume_sends_all_again(
    tag: str, server: Server, get: Callable[..., bytes]
) -> None:
    server.answer = one_after_another(
        lambda asked: asked.send(200, {"ETag": tag, "Content-Length": str(len(DATA))}, DATA[:5000]),
        lambda asked: asked.send(200, {"ETag": tag}, DATA),
    )
    assert get() == DATA
    assert server.ranges() == [None, "bytes=5000-" if tag == TAG else None], "weak tags are no proof"


@pytest.mark.parametrize(
    ("where", "first"),
    [
        (f"bytes 0-{len(DATA) - 1}/{len(DATA)}", 0),
        (f"bytes 4999-{len(DATA) - 1}/{len(DATA)}", 4999),
        (f"bytes 5001-{len(DATA) - 1}/{len(DATA)}", 5001),
        (f"bytes 5001-{len(DATA) - 1}/{len(DATA)}", 5000),
        (f"bytes 5000-5010/{len(DATA)}", 5000),
        (f"bytes 5000-{len(DATA)}/*", 5000),
        ("", 5000),
    ],
)
def test_a_continuation_at_another_place_is_not_believed(
    where: str, first: int, server: Server, get: Callable[..., bytes]
) -> None:
    server.answer = one_after_another(
        lambda asked: asked.ranged(DATA, TAG, until=5000),
        lambda asked: asked.send(206, {"Content-Range": where, "ETag": TAG}, DATA[first:]),
        lambda asked: asked.ranged(DATA, TAG),
    )
    assert get(sha256=DIGEST) == DATA
    assert server.ranges() == [None, "bytes=5000-", None]


def test_a_part_that_is_longer_than_the_file_now_is_begun_again(
    server: Server, get: Callable[..., bytes]
) -> None:
    server.answer = one_after_another(
        lambda asked: asked.ranged(DATA, TAG, until=5000),
        lambda asked: asked.send(416),
        lambda asked: asked.ranged(DATA[:4000], NEXT_TAG),
    )
    assert get() == DATA[:4000]


def test_a_whole_part_whose_process_was_killed_is_not_asked_for_again(
    server: Server, get: Callable[..., bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    server.answer = lambda asked: asked.ranged(DATA, TAG)
    monkeypatch.setattr(module, "sha256_of", lambda _: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        get()
    monkeypatch.undo()
    assert get() == DATA
    assert len(server.asked) == 1


# -- servers that lie, and slow ones ---------------------------------------------------------


def test_another_file_than_promised_is_not_kept(
    server: Server, get: Callable[..., bytes], tmp_path: Path
) -> None:
    server.answer = lambda asked: asked.ranged(NEXT, TAG)
    with pytest.raises(UserError, match=rf"SHA-256 begins with \w+, not {DIGEST}\); it was not kept"):
        get(sha256=DIGEST)
    assert left(tmp_path) == []


def test_a_part_of_another_file_cannot_become_the_file(
    server: Server, get: Callable[..., bytes], tmp_path: Path
) -> None:
    server.answer = one_after_another(
        lambda asked: asked.ranged(NEXT, TAG, until=5000), lambda asked: asked.ranged(DATA, TAG)
    )
    with pytest.raises(UserError, match="it was not kept"):
        get(sha256=DIGEST)
    assert left(tmp_path) == []
    assert get(sha256=DIGEST) == DATA


@pytest.mark.parametrize("length", [str(len(DATA)), ""])
def test_larger_files_than_expected_are_cut_off(
    length: str, server: Server, get: Callable[..., bytes], tmp_path: Path
) -> None:
    server.answer = lambda asked: asked.send(200, {"Content-Length": length}, DATA)
    with pytest.raises(UserError, match=r"not the file that its name promises \(.* instead of about 1 kB\)"):
        get(size=1000)
    assert left(tmp_path) in ([], [".net.pth.part.json"])


def test_what_comes_after_the_declared_end_is_left(server: Server, get: Callable[..., bytes]) -> None:
    server.answer = lambda asked: asked.send(200, {"Content-Length": "100"}, DATA)
    assert get() == DATA[:100]


def test_a_file_of_unknown_size_ends_with_the_connection(server: Server, get: Callable[..., bytes]) -> None:
    server.answer = lambda asked: asked.send(200, {"Content-Length": ""}, DATA)
    assert get(sha256=DIGEST) == DATA


def test_a_file_larger_than_the_disk_is_not_begun(
    server: Server, get: Callable[..., bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=module.SPARE + 9000))
    server.answer = lambda asked: asked.ranged(DATA, TAG)
    with pytest.raises(UserError, match=r"10 kB do not fit into .*files, where 9 kB are free; make room"):
        get()


def test_a_compressed_answer_is_refused(server: Server, get: Callable[..., bytes]) -> None:
    server.answer = lambda asked: asked.send(200, {"Content-Encoding": "gzip"}, DATA)
    with pytest.raises(UserError, match="comes compressed"):
        get()


def test_a_slow_server_is_waited_for_and_progress_is_said(
    server: Server, get: Callable[..., bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    def drip(asked: Asked) -> None:
        asked.send(200, {"Content-Length": str(len(DATA))})
        for start in range(0, len(DATA), 2048):
            asked.handler.wfile.write(DATA[start : start + 2048])
            time.sleep(0.02)

    monkeypatch.setattr(module, "PAUSE_S", 0.0)
    server.answer = drip
    assert get() == DATA
    assert any("downloading net.pth: 40% of 10 kB" in note for note in get.notes)  # type: ignore[attr-defined]


def test_a_server_that_stops_answering_is_a_broken_connection(
    server: Server, get: Callable[..., bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(asked: Asked) -> None:
        asked.send(200, {"Content-Length": str(len(DATA)), "ETag": TAG}, DATA[:5000])
        time.sleep(0.4)

    monkeypatch.setattr(web, "TIMEOUT_S", 0.1)
    server.answer = one_after_another(stop, lambda asked: asked.ranged(DATA, TAG))
    assert get() == DATA
    assert server.ranges() == [None, "bytes=5000-"]


def test_too_few_bytes_a_second_are_a_broken_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(range(0, 10_000, 70))
    monkeypatch.setattr(time, "monotonic", lambda: next(clock))
    slow = SimpleNamespace(read1=lambda _: b"1")
    with pytest.raises(BrokenError, match="less than 1000 bytes a second"):
        list(module._chunks(slow, 0, 10))  # type: ignore[arg-type]


def test_attempts_end(server: Server, get: Callable[..., bytes], tmp_path: Path) -> None:
    def a_byte_more(asked: Asked) -> None:
        have = int(asked.headers.get("range", "bytes=0-")[6:-1])
        asked.ranged(DATA, TAG, until=have + 1)

    server.answer = a_byte_more
    with pytest.raises(UserError, match="broke off at 0 kB of 10 kB"):
        get()
    assert len(server.asked) == module.MOST_ATTEMPTS
    assert (tmp_path / "files" / ".net.pth.part").stat().st_size == module.MOST_ATTEMPTS


@pytest.mark.parametrize("code", [401, 403, 404, 410])
def test_a_refusal_is_not_repeated(code: int, server: Server, get: Callable[..., bytes]) -> None:
    server.answer = lambda asked: asked.send(code)
    with pytest.raises(UserError, match=r"net\.pth: cannot be downloaded \(\w+"):
        get()
    assert len(server.asked) == 1


def test_no_server_is_one_line(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(UserError, match=r"cannot be downloaded \(Connection refused\)"):
        download(Wanted(f"http://127.0.0.1:{port}/a.pth"), tmp_path / "a.pth", Lines(lambda _: None))


def test_several_processes_download_once(server: Server, tmp_path: Path) -> None:
    def slowly(asked: Asked) -> None:
        time.sleep(0.3)
        asked.ranged(DATA, TAG)

    server.answer = slowly
    code = (
        "from pathlib import Path; from i2icli.downloads.download import *\n"
        f"download(Wanted('{server.url}/a.pth'), Path('a.pth'), Lines(print))"
    )
    running = [
        subprocess.Popen([sys.executable, "-c", code], cwd=tmp_path, stdout=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    said = [process.communicate(timeout=30)[0] for process in running]
    assert [process.returncode for process in running] == [0, 0, 0]
    assert len(server.asked) == 1
    assert (tmp_path / "a.pth").read_bytes() == DATA
    assert sum("another process is downloading a.pth" in text for text in said) <= 2


# -- addresses and redirects -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://example.com/a.pth", "anyone on the way can change what http brings; --allow-http takes it"),
        ("file:///etc/passwd", "no web address"),
        ("ftp://example.com/a.pth", "expected an address that begins with https://"),
        ("data:text/plain,hello", "no web address"),
        ("https:///a.pth", "no web address"),
        ("https://example.com:port/a.pth", "no web address"),
        ("https://example.com/a\nHost: b", "no web address"),
        ("https://name:word@example.com/a.pth", r"https://\.\.\.@example\.com: leave name and password out"),
        ("https://[::1/a.pth", "no web address"),
    ],
)
def test_addresses_that_are_not_taken(url: str, words: str) -> None:
    with pytest.raises(UserError, match=words) as error:
        check_address(url)
    assert "word" not in str(error.value).replace("password", "")
    assert "\n" not in str(error.value)


def test_addresses_that_are_taken() -> None:
    check_address("https://example.com/a.pth")
    check_address("http://localhost:8000/a.pth")
    check_address("http://[::1]:8000/a.pth")
    check_address("http://example.com/a.pth", allow_http=True)


def test_a_redirect_is_followed(server: Server, get: Callable[..., bytes]) -> None:
    server.answer = lambda asked: (
        asked.redirect("/other/place.pth") if asked.path == "/net.pth" else asked.ranged(DATA, TAG)
    )
    assert get() == DATA
    assert [asked.path for asked in server.asked] == ["/net.pth", "/other/place.pth"]


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("file:///etc/passwd", "no web address"),
        ("ftp://example.com/a", r"net\.pth: redirects to ftp://example\.com/a, which was not followed"),
        ("http://example.com/a", "redirects to http://example.com/a, which was not followed: anyone on the"),
        ("/net.pth", "redirects more than 5 times"),
        ("", "redirects more than 5 times"),
        ("https://a:b@example.com/a", "leave name and password out"),
    ],
)
def test_redirects_that_are_not_followed(
    target: str, words: str, server: Server, get: Callable[..., bytes], tmp_path: Path
) -> None:
    server.answer = lambda asked: asked.redirect(target)
    with pytest.raises(UserError, match=words):
        get()
    assert left(tmp_path) == []


def test_other_hosts_do_not_lead_back_to_this_machine() -> None:
    with pytest.raises(UserError, match="redirects to this machine"):
        check_address("https://127.0.0.1/a", start="https://example.com/a")
    with pytest.raises(UserError, match="redirects to this machine"):
        check_address("http://localhost/a", start="https://example.com/a", allow_http=True)


def test_a_token_does_not_go_to_another_host(server: Server) -> None:
    with serving() as other:
        server.answer = lambda asked: (
            asked.redirect("/here") if asked.path == "/a" else asked.redirect(f"{other.url}/there")
        )
        other.answer = lambda asked: asked.send(200, {}, b'{"a": 1}')
        assert get_json(f"{server.url}/a", {"Authorization": "Bearer secret"}) == {"a": 1}
        assert [asked.headers.get("authorization") for asked in server.asked] == ["Bearer secret"] * 2
        assert "authorization" not in other.asked[0].headers


def test_an_answer_that_is_no_json_is_one_line(server: Server) -> None:
    server.answer = lambda asked: asked.send(200, {}, b"<html>")
    with pytest.raises(UserError, match="something else than JSON"):
        get_json(f"{server.url}/a")
    with opened(f"{server.url}/a") as response:
        assert response.read() == b"<html>"
