"""A web server on this machine that does what a test tells it to."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread


@dataclass
class Asked:
    """One request, and what answers it."""

    handler: BaseHTTPRequestHandler
    path: str
    headers: dict[str, str]  # names in lower case

    def send(self, code: int, headers: dict[str, str] | None = None, body: bytes = b"") -> None:
        """Answer; Content-Length is that of the body unless given."""
        self.handler.send_response(code)
        for name, value in ({"Content-Length": str(len(body))} | (headers or {})).items():
            if value:
                self.handler.send_header(name, value)
        self.handler.end_headers()
        self.handler.wfile.write(body)
        self.handler.wfile.flush()

    def redirect(self, target: str) -> None:
        """Lead elsewhere."""
        self.send(302, {"Location": target})

    def body(self) -> bytes:
        """What was sent along."""
        return self.handler.rfile.read(int(self.headers.get("content-length", "0")))

    def ranged(self, data: bytes, tag: str, *, until: int | None = None) -> None:
        """Serve as a good server does, but break off after `until` bytes of the file."""
        start, headers = 0, {"ETag": tag, "Content-Length": str(len(data))}
        if self.headers.get("if-range") == tag and "range" in self.headers:
            start = int(self.headers["range"].removeprefix("bytes=").rstrip("-"))
            headers |= {
                "Content-Range": f"bytes {start}-{len(data) - 1}/{len(data)}",
                "Content-Length": str(len(data) - start),
            }
        self.send(206 if start else 200, headers, data[start:until])


@dataclass
class Server:
    """What tests see of it."""

    url: str
    asked: list[Asked] = field(default_factory=list)
    answer: Callable[[Asked], None] = lambda asked: asked.send(404)

    def ranges(self) -> list[str | None]:
        """The ranges asked for, in order."""
        return [asked.headers.get("range") for asked in self.asked]


@contextmanager
def serving() -> Iterator[Server]:
    """A server whose `answer` the test sets."""
    found = Server("")

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked = Asked(self, self.path, {name.lower(): value for name, value in self.headers.items()})
            found.asked.append(asked)
            found.answer(asked)

        def log_message(self, *_: object) -> None:
            pass

    for method in ("POST", "PUT", "HEAD"):
        setattr(Handler, f"do_{method}", Handler.do_GET)
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as served:
        served.daemon_threads = True
        Thread(target=served.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        found.url = f"http://127.0.0.1:{served.server_port}"
        yield found
        served.shutdown()
