"""How colours become RGB and back: matrix, range and tags; where a video says nothing, as players assume."""

from i2icli.video.info import Colour, VideoInfo

# Chroma planes of half size are repeated when read and averaged when written, which undo each other: a copy
# keeps its colours. Other filters sharpen or blur chroma at every copy, by up to 40 of 255 at edges.
_READ = "flags=neighbor+accurate_rnd+full_chroma_int"
_WRITE = "flags=area+accurate_rnd"
_HD = 720  # lines from which players assume the matrix of HD
_SCALE = {  # matrices that ffmpeg's scaler converts, by tag
    "bt709": "bt709",
    "fcc": "fcc",
    "bt470bg": "bt470bg",
    "smpte170m": "smpte170m",
    "smpte240m": "smpte240m",
    "bt2020nc": "bt2020nc",
}


def assumed(size: tuple[int, int], colour: Colour) -> Colour:
    """The colour of a video with what it does not say filled in as players do.

    Frames of 720 lines or more, or 1280 columns, are BT.709; smaller ones BT.601, in the form of 525 lines.
    """
    large = size[0] >= _HD or size[1] >= 1280
    matrix = colour.matrix or ("bt709" if large else "smpte170m")
    if matrix not in _SCALE:
        matrix = "bt709"
    same = {"bt2020nc": "bt2020"}.get(matrix, matrix)
    curve = {"smpte170m": "smpte170m", "bt470bg": "smpte170m", "bt2020": "bt2020-10"}.get(same, "bt709")
    return Colour(matrix, colour.primaries or same, colour.transfer or curve, bool(colour.full_range))


def written(size: tuple[int, int], colour: Colour, pixel_format: str, *, tagged: bool) -> Colour:
    """How the colours of a result of (height, width) are encoded: as in the source, where it can say so.

    `tagged`: whether it can. Where not, it is encoded as players assume.
    """
    if not tagged:
        colour = Colour()
    if is_rgb(pixel_format):
        return Colour("gbr", colour.primaries, colour.transfer, full_range=True)
    if colour.matrix == "gbr":  # its full range is that of RGB
        colour = Colour(None, colour.primaries, colour.transfer, full_range=False)
    return assumed(size, colour)


def is_rgb(pixel_format: str) -> bool:
    """Whether the channels of a pixel format are red, green and blue."""
    return pixel_format.startswith(("rgb", "bgr", "gbr", "argb", "abgr", "0rgb", "pal", "x2"))


def reading_filter(info: VideoInfo) -> str:
    """The filter that makes frames of one size, and RGB in the format that follows."""
    height, width = info.size
    tags = ""
    if info.colour.matrix is None and info.pixel_format.startswith(("yuv", "nv", "p0", "p2")):
        tags = f"setparams=colorspace={assumed(info.size, info.colour).matrix},"
    return f"{tags}scale=w={width}:h={height}:{_READ}"


def writing_filter(colour: Colour, pixel_format: str) -> str:
    """The filter that converts RGB to a pixel format with a matrix and a range, and tags it."""
    span = "pc" if colour.full_range else "tv"
    if colour.matrix in (None, "gbr"):
        tags = f"setparams=color_primaries={colour.primaries or -1}:color_trc={colour.transfer or -1}"
        return f"scale={_WRITE},format={pixel_format},{tags}"
    tags = f"setparams=color_primaries={colour.primaries}:color_trc={colour.transfer}"
    convert = f"scale=out_color_matrix={_SCALE[str(colour.matrix)]}:out_range={span}:{_WRITE}"
    return f"{convert},format={pixel_format},{tags}:colorspace={colour.matrix}:range={span}"
