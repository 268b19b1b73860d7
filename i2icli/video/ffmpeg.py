"""The ffmpeg of imageio-ffmpeg as a child process: in a session of its own, with bounded text, files only."""

import subprocess
import sys
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from threading import Thread
from typing import IO, Any

import imageio_ffmpeg

MAX_PIXELS = 100_000_000  # of a frame: more is an attack, not a video

_LINE = 4096  # bytes of a line of text that are kept
_TAIL = 60  # lines of text that are kept
DESCRIPTION = 10_000  # lines of a description: three for every chapter, one for every tag
_PATIENCE = 10.0  # seconds that an ffmpeg asked to end is given
_DEMUXERS = (  # no playlists: those name other files and addresses
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,mpegvideo,flv,asf,ogg,gif,apng,webp_anim,webp_pipe,"
    "png_pipe,ivf,obu,nut,mxf,dv,wtv,rm,h264,hevc,m4v,mjpeg,yuv4mpegpipe,swf,vc1"
)


@lru_cache(maxsize=1)
def executable() -> str:
    """The path of the ffmpeg that imageio-ffmpeg carries or finds (IMAGEIO_FFMPEG_EXE)."""
    return str(imageio_ffmpeg.get_ffmpeg_exe())


def input_words(path: Path, *options: str) -> list[str]:
    """The words that open a video, with options for this input: files only, whatever it asks for."""
    limits = ["-protocol_whitelist", "file,pipe", "-format_whitelist", _DEMUXERS]
    return [*limits, "-max_pixels", str(MAX_PIXELS), *options, "-i", address(path)]


def address(path: Path) -> str:
    """A path as ffmpeg must be given it, so that no name is taken for an option or a protocol."""
    return f"file:{path}"


class Child:
    """A running ffmpeg. A thread reads its messages: `listen` is called with each, the last are kept.

    It runs in a session of its own, so that Ctrl-C in a terminal reaches only us, and what it writes is
    completed when its input is closed, even when this process is killed.
    """

    def __init__(
        self,
        words: list[str],
        *,
        writes: bool = False,
        listen: Callable[[str], None] | None = None,
        kept: int = _TAIL,
    ) -> None:
        apart: dict[str, Any] = {"start_new_session": True}
        if sys.platform == "win32":
            apart = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
        self.process = subprocess.Popen(
            [executable(), "-nostdin", "-hide_banner", *words],
            stdin=subprocess.PIPE if writes else subprocess.DEVNULL,
            stdout=subprocess.PIPE if not writes else subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            bufsize=0,
            **apart,
        )
        self.tail: deque[str] = deque(maxlen=kept)
        self._listen = listen
        self._thread = Thread(target=self._drain, daemon=True)
        self._thread.start()

    @property
    def output(self) -> IO[bytes]:
        """What it writes, unbuffered."""
        assert self.process.stdout
        return self.process.stdout

    @property
    def input(self) -> IO[bytes]:
        """What it reads, unbuffered."""
        assert self.process.stdin
        return self.process.stdin

    def wait(self, timeout: float | None = None) -> int:
        """The exit code, when its messages have been read. Raises subprocess.TimeoutExpired."""
        code = self.process.wait(timeout)
        self._thread.join(timeout)
        return code

    def stop(self) -> None:
        """End it at once, whatever it is doing; nothing happens if it has ended."""
        if self.process.poll() is None:
            self.process.kill()
        for stream in (self.process.stdout, self.process.stdin):
            if stream:
                with suppress(OSError):
                    stream.close()
        self.wait(_PATIENCE)
        if self.process.stderr:
            self.process.stderr.close()

    def reason(self) -> str:
        """Its last message that looks like an error, on one line."""
        lines = [line for line in self.tail if line.strip()]
        known = [line for line in lines if "[error]" in line or "[fatal]" in line] or lines
        code = self.process.poll()
        return plain(known[0]) if known else f"ffmpeg ended with exit code {code}"

    def _drain(self) -> None:
        stream = self.process.stderr
        assert stream
        with suppress(ValueError, OSError):
            while raw := stream.readline(_LINE):
                line = raw.decode("utf-8", "replace").rstrip("\r\n")
                if self._listen and self._listen(line):
                    continue
                self.tail.append(line)


@contextmanager
def running(
    words: list[str],
    *,
    writes: bool = False,
    listen: Callable[[str], Any] | None = None,
    kept: int = _TAIL,
) -> Iterator[Child]:
    """An ffmpeg that is ended when the block is left."""
    child = Child(words, writes=writes, listen=listen, kept=kept)
    try:
        yield child
    finally:
        child.stop()


def ask(words: list[str], limit: int = 4_000_000, kept: int = _TAIL) -> tuple[int, str, str]:
    """Run to the end: (exit code, at most `limit` bytes of output, the last `kept` lines of messages)."""
    with running(words, kept=kept) as child:
        data = bytearray()
        while part := child.output.read(65536):
            if len(data) < limit:
                data += part
        code = child.wait()
        return code, data.decode("utf-8", "replace"), "\n".join(child.tail)


def plain(line: str) -> str:
    """A message without the marks of ffmpeg ("[mov @ 0x55] [error] "), at most 160 characters."""
    while line.startswith("[") and "] " in line:
        line = line.split("] ", 1)[1]
    return " ".join(line.split())[:160]


def pipe_size(stream: IO[bytes]) -> None:
    """Let a pipe hold more, where the system can: fewer switches between the processes."""
    if sys.platform == "linux":
        import fcntl

        with suppress(OSError):
            fcntl.fcntl(stream.fileno(), fcntl.F_SETPIPE_SZ, 1 << 20)
