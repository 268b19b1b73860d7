"""Films, through the ffmpeg that imageio-ffmpeg brings along. No torch here."""

from i2icli.film.write import write_film

__all__ = ["write_film"]
