"""The models that others published: what they do, whose they are, where they lie."""

import tomllib
from functools import cache
from importlib import resources
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from i2icli import registry


class Listed(BaseModel):
    """A published model, as catalogue.toml lists it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$")
    system: str  # of its paper; a generator of CycleGAN alone loads as pix2pix's
    task: str
    source: str  # the page of those who published it
    licence: str | None = None  # None: read the source
    url: str | None = None  # where a program can download it
    page: str | None = None  # where only a browser can
    file: str | None = None  # what it is called there
    size: int | None = None  # bytes, about
    sha256: str = ""  # its first digits; "": nobody has published it
    tried: bool = False  # whether the file itself was opened by i2icli

    @property
    def way(self) -> Literal["pull", "browser"]:
        """How to get it."""
        return "pull" if self.url else "browser"

    @model_validator(mode="after")
    def _can_be_had(self) -> "Listed":
        if (self.url is None) == (self.page is None):
            raise ValueError(f"{self.name}: expected either a url or a page")
        if self.system not in registry.SYSTEMS:
            raise ValueError(f"{self.name}: there is no system {self.system}")
        return self


@cache
def catalogue() -> dict[str, Listed]:
    """The published models by name, in the order of the file."""
    text = (resources.files("i2icli.hub") / "catalogue.toml").read_text(encoding="utf-8")
    found = [Listed.model_validate(each) for each in tomllib.loads(text)["model"]]
    return {each.name: each for each in found}
