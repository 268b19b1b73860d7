"""The options of translating: of the command, of `translate` in Python, of a server. No torch here."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, WithJsonSchema

from i2icli.config import THREADS, Precision
from i2icli.errors import UserError
from i2icli.fields import explain
from i2icli.setting_types import Background, NewSize, Pages, Threads

LARGEST_DRAW_SEED = 2**63 - 1  # of latent codes and noise: what torch takes


def _one_or_many(value: object) -> object:
    """A single reference -> a tuple of one."""
    return value if isinstance(value, list | tuple) else (value,)


def _parse_paths(value: object) -> object:
    """ "a/,b/" or a path -> paths."""
    return tuple(part.strip() for part in value.split(",")) if isinstance(value, str) else _one_or_many(value)


def _parse_styles(value: object) -> object:
    """ "car=3" or several of such texts -> names and what is asked for them; the last of a name counts."""
    texts = value if isinstance(value, list | tuple) else (value,)
    parted = (str(text).partition("=") for text in texts)
    pairs = value.items() if isinstance(value, Mapping) else ((name, style) for name, _, style in parted)
    styles = {str(name).strip(): str(style).strip() for name, style in pairs}
    if not all((*styles, *styles.values())):
        raise ValueError("expected a name and a style like car=3")
    return styles


References = Annotated[
    tuple[Any, ...],
    BeforeValidator(_one_or_many),
    WithJsonSchema({"type": "array", "items": {"type": "string"}}),
]
"""Paths, folders, the bytes of image files or arrays (H, W, C)."""
Paths = Annotated[tuple[Path, ...], BeforeValidator(_parse_paths)]
"""Folders, joined by commas or given one by one."""
Styles = Annotated[Mapping[str, str], BeforeValidator(_parse_styles)]
"""Names of classes or objects, and the style of each: {"car": "3"}, or texts "car=3"."""
Codes = Annotated[Any, WithJsonSchema({"type": "string"})]
"""Numbers as text, the path of a .npy file, or an array (Z,) or (K, Z)."""


RuntimeChoice = Literal["auto", "torch", "onnxruntime", "openvino"]


class ModelOptions(BaseModel):
    """How a model uses this machine."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    precision: Precision = Field(
        "auto", description="fp32, bf16 or fp16; auto takes the fastest that is safe here"
    )
    device: str | None = Field(None, description="cuda, cuda:1, mps or cpu; default: the best there is")
    threads: Threads | None = Field(None, description=THREADS)
    runtime: RuntimeChoice = Field(
        "auto",
        description="what computes: torch, onnxruntime or openvino; auto: the fastest that is installed "
        "and proven for the model",
    )
    weights: Literal["best", "last"] | None = Field(
        None,
        description="of a run: best by the score of its validation, or last; default: best if it is known",
    )


class TranslateOptions(BaseModel):
    """What is asked of a model for its inputs, and how the results are written."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    to: str | None = Field(None, description="target domain or attributes; all: one result for each")
    source: str | None = Field(
        None, description="domain or attributes of the inputs; default: the name of a folder above them"
    )
    reference: References = Field((), description="style reference image; a folder or several: all of them")
    instances: Path | None = Field(
        None, description="folder of instance maps for label maps; default: those found beside them"
    )
    more_inputs: Paths = Field(
        (),
        description="folders of the further images that a model reads together, in the order of its "
        "training; default: those beside the first, by their names",
    )
    style: Styles = Field(
        {}, description="style of a class or object, by its name: car=3; may be given for several"
    )
    samples: int | None = Field(
        None, ge=1, description="variants per input; without inputs, how many images to generate"
    )
    latent: Codes = Field(
        None, description="latent codes instead of random ones: numbers 0.3,-1.2,... or a .npy file"
    )
    interpolate: int | None = Field(
        None,
        ge=2,
        description="frames between consecutive latent codes, inclusive; without inputs, as a video",
    )
    truncate: float | None = Field(
        None, gt=0, description="truncation: 0.7 gives more typical, less varied samples"
    )
    size: NewSize | None = Field(
        None,
        description="resize inputs first: 256 (the shorter side), WIDTHxHEIGHT, or trained: to the scale of "
        "the training images, and results back to the size of the inputs; default: as they are",
    )
    detail: bool = Field(
        False,
        description="with --size, bring results back to the size of the inputs with their fine detail, by "
        "joint upsampling",
    )
    recursive: bool = Field(True, description="translate the images in subfolders, too")
    pairs: bool = Field(
        True,
        description="of pairs (A/ and B/, or side by side as in training) translate the source alone, and "
        "score it against the ground truth; --no-pairs: translate all images as they are",
    )
    pages: Pages = Field(
        None,
        description="of files with several pages: channels (of one image), images (a result each) or one by "
        "its number; default: as in training",
    )
    background: Background | None = Field(
        None,
        description="put under transparency: white, black, RED,GREEN,BLUE or none; default: as in training",
    )
    channels_first: bool | None = Field(
        None, description="arrays and .npy files are channels x height x width; default: as in training"
    )
    format: str | None = Field(
        None, description="file format: png, jpg, webp, tif, npy ...; default: as the input"
    )
    keep_gps: bool = Field(
        False, description="keep where photos were taken (GPS); otherwise results do not tell"
    )
    compare: bool = Field(
        False, description="write contact sheets too; always done where there are several results per input"
    )
    overwrite: bool = Field(False, description="redo existing results")
    seed: int = Field(0, ge=0, le=LARGEST_DRAW_SEED, description="random seed")
    batch_size: int | None = Field(
        None, ge=1, description="images per forward pass; default: 8 on a GPU, 1 on a CPU"
    )

    @classmethod
    def of(cls, options: dict[str, Any]) -> "TranslateOptions":
        """From Python arguments. Raises UserError naming the argument."""
        try:
            return cls.model_validate(options)
        except ValidationError as error:
            raise UserError(explain(error, cls, str)) from error
