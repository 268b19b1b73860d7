"""Reading and writing videos with the ffmpeg of imageio-ffmpeg. No torch here."""

from i2icli.encode_options import EncodeOptions
from i2icli.video.damage import Damage
from i2icli.video.encoding import Encoding, plan_encoding
from i2icli.video.info import Colour, Track, VideoInfo
from i2icli.video.items import DecodedFrame, FrameItem
from i2icli.video.join import join, verify
from i2icli.video.opening import open_source
from i2icli.video.probing import probe
from i2icli.video.ranges import read_range
from i2icli.video.samples import VideoSample, sample_frames
from i2icli.video.simple import write_video
from i2icli.video.source import Frame, Source
from i2icli.video.writer import VideoWriter

__all__ = [
    "Colour",
    "Damage",
    "DecodedFrame",
    "EncodeOptions",
    "Encoding",
    "Frame",
    "FrameItem",
    "Source",
    "Track",
    "VideoInfo",
    "VideoSample",
    "VideoWriter",
    "join",
    "open_source",
    "plan_encoding",
    "probe",
    "read_range",
    "sample_frames",
    "verify",
    "write_video",
]
