"""What of a data set is left out: how much may be before training is refused, and how it is counted."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from i2icli.errors import UserError
from i2icli.image.finding import Collection

MOST = 0.25
"""Share of the images, at most, that cannot be used."""
_NAMED = 3  # of what i2i wrote

_KINDS = {
    "HEIC file": ("pip install 'i2icli[heic]'", ".heic .heif .hif"),
    "camera raw file": (
        "convert them to TIFF",
        ".cr2 .cr3 .nef .nrw .arw .sr2 .dng .orf .rw2 .raf .pef .srw .raw .3fr .iiq .x3f",
    ),
    "image of another format": (
        "convert them to PNG or TIFF",
        ".gif .avif .jp2 .j2k .jpx .jxl .ppm .pgm .pnm .pbm .pfm .exr .hdr .tga .dds .psd .psb .xcf .kra "
        ".ico .icns .svg .eps .ai .pcx .sgi .dcm .nii .nrrd .mha .mhd .fits .fit .czi .lif .nd2 .svs .mat "
        ".h5 .hdf5 .zarr .npz",
    ),
    "PDF file": ("", ".pdf"),
    "text file": (
        "",
        ".txt .md .rst .log .csv .tsv .json .jsonl .xml .html .htm .yaml .yml .toml .ini .cfg .xmp .py",
    ),
    "archive": ("unpack them", ".zip .gz .tgz .tar .7z .rar .xz .bz2"),
    "file of weights": ("", ".pth .pt .ckpt .pkl .safetensors .onnx .bin .pb .tflite"),
}
"""What files are called that are no images for us, what to do about them, and their suffixes."""
_BY_SUFFIX = {suffix: noun for noun, (_, suffixes) in _KINDS.items() for suffix in suffixes.split()}
_VIDEO = "video"
_ADVICE = {noun: advice for noun, (advice, _) in _KINDS.items()} | {_VIDEO: "i2i video"}
_PLURALS = {"image of another format": "images of other formats", "file of weights": "files of weights"}


def refuse_remainder(lost: Sequence[str], total: int, where: object, what: str = "images") -> None:
    """Raise UserError if too many of the images of a folder or side cannot be used.

    lost: why each of them cannot; what: what they are called.
    """
    if len(lost) > MOST * total:
        raise UserError(
            f"{where}: {len(lost):,} of {total:,} {what} cannot be used, training goes on without "
            f"{MOST:.0%} at most; repair or remove them: {lost[0]}"
        )


def left_out(collections: Iterable[Collection]) -> str:
    """What of some folders is left out, counted by kind and with the reason; "" if nothing is.

    "3 HEIC files (pip install 'i2icli[heic]'), 2 videos (i2i video), 1 text file, 4 that i2i wrote (runs)".
    """
    found = list(collections)
    kinds = Counter(_noun(file) for each in found for file in each.others)
    return ", ".join((*_foreign(kinds), *_subfolders(found), *_own(found)))


def is_video_name(path: Path) -> bool:
    """Whether a file that is no image for us has the suffix of a video."""
    from i2icli.video.containers import MUXERS, READ_ONLY  # most folders hold none: ffmpeg's need not load

    return path.suffix.lower() in MUXERS or path.suffix.lower() in READ_ONLY


def _noun(file: Path) -> str:
    suffix = file.suffix.lower()
    if suffix in _BY_SUFFIX:
        return _BY_SUFFIX[suffix]
    if not suffix:
        return "file without a suffix"
    return _VIDEO if is_video_name(file) else f"{suffix} file"


def _foreign(kinds: Counter[str]) -> Iterator[str]:
    """Those we can say something about first."""
    known = list(_ADVICE)
    order = sorted(kinds, key=lambda noun: (known.index(noun) if noun in known else len(known), noun))
    for noun in order:
        advice = f" ({_ADVICE[noun]})" if _ADVICE.get(noun) else ""
        yield f"{_counted(kinds[noun], noun)}{advice}"


def _subfolders(collections: Sequence[Collection]) -> Iterator[str]:
    if count := sum(len(each.subfolders) for each in collections):
        yield f"{_counted(count, 'subfolder')} (--recursive)"


def _own(collections: Sequence[Collection]) -> Iterator[str]:
    """How many files and folders i2i wrote, and the first names of what is directly in the folders."""
    if not (count := sum(len(each.left) for each in collections)):
        return
    first = dict.fromkeys(
        path.relative_to(each.folder).parts[0] if path != each.folder else path.name
        for each in collections
        for path in each.left
    )
    names = ", ".join([*list(first)[:_NAMED], *(["..."] if len(first) > _NAMED else [])])
    yield f"{count:,} that i2i wrote ({names})"


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {_PLURALS.get(noun) or _plural(noun)}"


def _plural(noun: str) -> str:
    head, _, rest = noun.partition(" without")
    return f"{head}s{' without' * bool(rest)}{rest}"
