"""A Matroska stream of raw frames, written by hand: it tells ffmpeg the time of each through a pipe.

Elements and their ids: RFC 9559. Sizes are those of EBML (RFC 8794): a marker bit, then the number.
"""

from fractions import Fraction

UNIT = 1_000_000  # times per second

_FORMATS = {  # pixel format -> FourCC, as in ffmpeg's list of raw formats
    "rgb24": b"RGB\x18",
    "rgba": b"RGBA",
    "rgb48le": b"RGB0",
    "rgba64le": b"RBA@",
}


def head(size: tuple[int, int], pixel_format: str, rate: Fraction | None = None) -> bytes:
    """What comes before the frames: (height, width), and "rgb24", "rgba", "rgb48le" or "rgba64le".

    `rate`: frames per second that an encoder shall count with; times do not depend on it.
    """
    height, width = size
    ebml = _element(0x1A45DFA3, _element(0x4282, b"matroska"))  # EBML, DocType
    video = _element(
        0xE0, _number(0xB0, width) + _number(0xBA, height) + _element(0x2EB524, _FORMATS[pixel_format])
    )
    track = _number(0xD7, 1) + _number(0x73C5, 1) + _number(0x83, 1)  # TrackNumber, TrackUID, TrackType video
    track += _element(0x86, b"V_UNCOMPRESSED") + video
    if rate:
        track += _number(0x23E383, round(1_000_000_000 / rate))  # DefaultDuration in ns
    info = _element(0x1549A966, _number(0x2AD7B1, 1_000_000_000 // UNIT))  # Info, TimestampScale in ns
    segment = b"\x18\x53\x80\x67" + b"\x01" + b"\xff" * 7  # Segment of unknown size
    return ebml + segment + info + _element(0x1654AE6B, _element(0xAE, track))


def before_frame(time: Fraction, duration: Fraction, length: int) -> bytes:
    """What comes before the bytes of a frame: a cluster with its time and its duration in seconds."""
    block = b"\x81\x00\x00\x00"  # track 1, at the time of the cluster, no flags
    lasting = _number(0x9B, max(1, round(duration * UNIT)))  # BlockDuration
    content = len(block) + length
    group = lasting + _id(0xA1) + _size(content)
    stamp = _number(0xE7, max(0, round(time * UNIT)))
    inside = stamp + _id(0xA0) + _size(len(group) + content) + group
    return _id(0x1F43B675) + _size(len(inside) + content) + inside + block


def _element(identity: int, data: bytes) -> bytes:
    return _id(identity) + _size(len(data)) + data


def _number(identity: int, value: int) -> bytes:
    return _element(identity, value.to_bytes(max(1, (value.bit_length() + 7) // 8), "big"))


def _id(identity: int) -> bytes:
    return identity.to_bytes((identity.bit_length() + 7) // 8, "big")


def _size(length: int) -> bytes:
    return (length | 1 << 56).to_bytes(8, "big")
