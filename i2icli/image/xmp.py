"""XMP, metadata as XML: what is no longer true of a result, or private, is cut out of the text."""

import re
from dataclasses import dataclass, field
from xml.parsers import expat

# Positions under any prefix, as cameras, phones and drones name them.
_POSITION = re.compile(r"gps|latitude|longt?itude|(absolute|relative)?altitude|geotag", re.IGNORECASE)
# Of the way the file was stored, and of what else was in it: an extension, a small view, a video.
_STALE = re.compile(
    r"(orientation|pixel[xy]dimension|imagewidth|imagelength|imageheight|[xy]resolution|resolutionunit"
    r"|thumbnails?|hasextendedxmp|motionphoto.*|microvideo.*|directory)$",
    re.IGNORECASE,
)
_TAG = re.compile(rb"""[^"'>]*(?:"[^"]*"[^"'>]*|'[^']*'[^"'>]*)*>""")  # quoted values may hold a >
_ATTRIBUTE = re.compile(rb"""\s+([^\s=<>"'/]+)\s*=\s*("[^"]*"|'[^']*')""")


def local(name: str) -> str:
    """A name without its prefix."""
    return name.rsplit(":", 1)[-1]


def is_position(name: str) -> bool:
    """Whether something of that name tells where a photo was taken."""
    return _POSITION.match(local(name)) is not None


def is_stale(name: str) -> bool:
    """Whether something of that name is not true of a result."""
    return _STALE.match(local(name)) is not None


@dataclass
class _Cuts:
    """What is to be cut out of a text: (start, end) in bytes."""

    text: bytes
    keep_gps: bool
    found: list[tuple[int, int]] = field(default_factory=list)
    depth: int = 0
    since: tuple[int, int] | None = None  # depth and start of the element that is being cut

    def start(self, name: str, attributes: dict[str, str], at: int) -> None:
        self.depth += 1
        if self.since is not None:
            return
        if self._goes(name):
            self.since = (self.depth, at)
        elif any(map(self._goes, attributes)):
            tag = _TAG.match(self.text, at)
            for match in _ATTRIBUTE.finditer(self.text, at, tag.end() if tag else at):
                if self._goes(match[1].decode()):
                    self.found.append(match.span())

    def end(self, at: int) -> None:
        if self.since is not None and self.since[0] == self.depth:
            if self.text.startswith(b"</", at):
                at = self.text.index(b">", at) + 1
            self.found.append((self.since[1], at))
            self.since = None
        self.depth -= 1

    def _goes(self, name: str) -> bool:
        return is_stale(name) or (is_position(name) and not self.keep_gps)


def cut(packet: bytes, *, keep_gps: bool) -> bytes:
    """An XMP packet in UTF-8 without what is stale and, unless it is kept, without the position.

    Raises ValueError for what is no well-formed XML, or declares entities.
    """
    text = _as_utf8(packet)
    cuts = _Cuts(text, keep_gps)
    parser = expat.ParserCreate("UTF-8")

    def refuse(*_: object) -> None:
        raise ValueError("XMP with a document type")

    parser.StartDoctypeDeclHandler = refuse
    parser.StartElementHandler = lambda name, attributes: cuts.start(
        name, attributes, parser.CurrentByteIndex
    )
    parser.EndElementHandler = lambda _: cuts.end(parser.CurrentByteIndex)
    try:
        parser.Parse(text, True)
    except expat.ExpatError as error:
        raise ValueError(str(error)) from None
    kept, last = [], 0
    for start, end in cuts.found:
        kept.append(text[last:start])
        last = end
    return b"".join([*kept, text[last:]])


def _as_utf8(packet: bytes) -> bytes:
    """Raises ValueError."""
    for mark, encoding in ((b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"), (b"\xef\xbb\xbf", "utf-8-sig")):
        if packet.startswith(mark):
            packet = packet.decode(encoding).encode()
    if packet[:2] in (b"<\0", b"\0<"):
        packet = packet.decode("utf-16-le" if packet[0] else "utf-16-be").encode()
    return packet.strip(b"\0 \t\r\n")
