"""The options of translating videos: of the command, of `video` in Python. No torch here."""

from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from i2icli.encode_options import EncodeOptions
from i2icli.errors import UserError
from i2icli.fields import explain
from i2icli.inference.options import TranslateOptions
from i2icli.written import Moment

M = TypeVar("M", bound=BaseModel)

OF_VIDEOS = frozenset((
    "to", "source", "reference", "instances", "style", "samples", "latent", "truncate", "size", "detail",
    "overwrite", "seed", "batch_size", "keep_gps", "pages", "background", "channels_first",
))  # fmt: skip
"""The fields of `TranslateOptions` that mean something for a video as a whole."""
LARGEST_RATE = 1000  # frames per second


def _check_rate(text: str) -> str:
    try:
        rate = Fraction(text)
    except (ValueError, ZeroDivisionError):
        raise ValueError("expected frames per second like 25, 29.97 or 30000/1001") from None
    if not 0 < rate <= LARGEST_RATE:
        raise ValueError(f"expected more than 0, at most {LARGEST_RATE} frames per second")
    return text


Rate = Annotated[str, BeforeValidator(str), AfterValidator(_check_rate)]
"""Frames per second, as a whole number, a decimal or a fraction."""


class VideoOptions(BaseModel):
    """What is asked for videos beside what is asked for images."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    start: Moment | None = Field(None, description="start at this time: seconds like 12.5, or 1:02:03.5")
    end: Moment | None = Field(None, description="end before this time: seconds like 12.5, or 1:02:03.5")
    every: int = Field(1, ge=1, description="translate every N-th frame only; timestamps stay as they are")
    rate: Rate | None = Field(
        None, description="frames per second of an image sequence: 25 or 30000/1001; default: 25"
    )
    format: str | None = Field(
        None,
        description="container: mp4, mkv, webm, gif ...; or png, jpg ... for a folder of frames; "
        "default: as the input",
    )
    compare: Literal["side", "wipe"] | None = Field(
        None, description="show the input as well: side by side, or wiped by a moving edge"
    )
    smooth: bool = Field(
        False,
        description="reduce flicker: blend with the previous result, warped by optical flow; for models "
        "without memory",
    )
    first_frame: Path | None = Field(
        None, description="image to use as the first frame of the result; for models with memory (vid2vid)"
    )
    first_model: str | None = Field(
        None, description="another model that translates the first frame; for models with memory (vid2vid)"
    )
    cuts: bool = Field(False, description="reset the memory at scene cuts; for models with memory (vid2vid)")


@dataclass(frozen=True)
class VideoRequest:
    """Everything that is asked for videos."""

    translate: TranslateOptions = field(default_factory=TranslateOptions)
    video: VideoOptions = field(default_factory=VideoOptions)
    encode: EncodeOptions = field(default_factory=EncodeOptions)

    @classmethod
    def of(cls, options: dict[str, Any]) -> "VideoRequest":
        """From Python arguments. Raises UserError naming the argument."""
        images = {name: value for name, value in options.items() if name in OF_VIDEOS}
        encode = {name: value for name, value in options.items() if name in EncodeOptions.model_fields}
        rest = {name: value for name, value in options.items() if name not in images | encode}
        return cls(
            _validated(TranslateOptions, images),
            _validated(VideoOptions, rest),
            _validated(EncodeOptions, encode),
        )

    @property
    def start(self) -> Fraction | None:
        """Where the result begins, in seconds of the input."""
        return _exact(self.video.start)

    @property
    def end(self) -> Fraction | None:
        """Where it ends."""
        return _exact(self.video.end)

    @property
    def rate(self) -> Fraction | None:
        """Frames per second of image sequences."""
        return None if self.video.rate is None else Fraction(self.video.rate)

    @property
    def span_text(self) -> str:
        """ " from 1 to 2.5 s", for messages; empty where nothing was cut off."""
        parts = [f" from {self.video.start:g}"] if self.video.start is not None else []
        parts += [f" up to {self.video.end:g}"] if self.video.end is not None else []
        return f"{''.join(parts)} s" if parts else ""

    def check(self) -> None:
        """Raise UserError for options that contradict each other."""
        if self.start is not None and self.end is not None and self.start >= self.end:
            raise UserError(f"--start {self.video.start:g} is not before --end {self.video.end:g}")
        if self.video.first_frame is not None and self.video.first_model is not None:
            raise UserError("--first-frame and --first-model both decide the first frame; give one of them")


def _validated(model: type[M], given: dict[str, Any]) -> M:
    try:
        return model.model_validate(given)
    except ValidationError as error:
        raise UserError(explain(error, model, str)) from error


def _exact(seconds: float | None) -> Fraction | None:
    return None if seconds is None else Fraction(seconds).limit_denominator(1_000_000)
