"""How a user wants videos to be encoded; `video/encoding.py` makes a plan of it."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Audio = Literal["copy", "aac", "opus", "none"]


class EncodeOptions(BaseModel):
    """What a user may choose; what is left out follows from the container and the source."""

    model_config = ConfigDict(frozen=True)

    codec: str | None = Field(
        None,
        description="h264, hevc, vp9, av1, prores, ffv1, ..., or an ffmpeg encoder such as h264_nvenc; by "
        "default h264, beyond 8 bits hevc, in .webm vp9, in .mov with alpha prores",
    )
    quality: float | None = Field(
        None,
        ge=0,
        description="lower is better: the CRF of h264 (16), hevc (18), vp9 (20) and av1 (22), the quantiser "
        "of mpeg4 (2) and prores (4), 100 minus the quality of webp (10)",
    )
    pixel_format: str | None = Field(None, description="one of ffmpeg's pixel formats, such as yuv444p")
    preset: str | None = Field(None, description="speed preset of the encoder, such as slow for h264")
    audio: Audio = Field("copy", description="copy sound bit for bit, re-encode it, or leave it out")
