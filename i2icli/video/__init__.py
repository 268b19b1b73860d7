"""Reading and writing videos with the ffmpeg of imageio-ffmpeg. No torch here."""

from i2icli.video.items import FrameItem
from i2icli.video.read import sample_frames
from i2icli.video.write import write_video

__all__ = ["FrameItem", "sample_frames", "write_video"]
