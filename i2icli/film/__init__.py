"""Films, through the ffmpeg that imageio-ffmpeg brings along. No torch here."""

from i2icli.film.read import sample_frames
from i2icli.film.write import write_film

__all__ = ["sample_frames", "write_film"]
