"""Which systems there are: name -> where its classes live, and its paper. No torch here."""

from dataclasses import dataclass
from difflib import get_close_matches
from importlib import import_module
from typing import TYPE_CHECKING, Any

from i2icli.config import Config
from i2icli.errors import UserError
from i2icli.label_config import LabelConfig

if TYPE_CHECKING:
    from i2icli.system import System


@dataclass(frozen=True)
class Entry:
    """One system that can be trained."""

    system: str  # "package:Class"
    config: str  # "package:Class"
    summary: str
    paper: str
    url: str
    original: str | None = None  # module that recognises the original checkpoints


SYSTEMS: dict[str, Entry] = {
    "pix2pix": Entry(
        "i2icli.systems.pix2pix.system:Pix2Pix",
        "i2icli.systems.pix2pix.config:Pix2PixConfig",
        "translate between two domains, learned from pairs",
        "Isola et al., CVPR 2017",
        "https://arxiv.org/abs/1611.07004",
        original="i2icli.systems.pix2pix.original",
    ),
    "spade": Entry(
        "i2icli.systems.spade.system:SPADE",
        "i2icli.systems.spade.config:SPADEConfig",
        "turn label maps into photos, in styles taken from other photos",
        "Park et al., CVPR 2019",
        "https://arxiv.org/abs/1903.07291",
        original="i2icli.systems.spade.original",
    ),
    "pix2pixhd": Entry(
        "i2icli.systems.pix2pixhd.system:Pix2PixHD",
        "i2icli.systems.pix2pixhd.config:Pix2PixHDConfig",
        "turn label maps into photos of high resolution, in chosen styles",
        "Wang et al., CVPR 2018",
        "https://arxiv.org/abs/1711.11585",
        original="i2icli.systems.pix2pixhd.original",
    ),
    "vid2vid": Entry(
        "i2icli.systems.vid2vid.system:Vid2Vid",
        "i2icli.systems.vid2vid.config:Vid2VidConfig",
        "turn videos of label maps, edges or other videos into videos",
        "Wang et al., NeurIPS 2018",
        "https://arxiv.org/abs/1808.06601",
        original="i2icli.systems.vid2vid.original",
    ),
    "cyclegan": Entry(
        "i2icli.systems.cyclegan.system:CycleGAN",
        "i2icli.systems.cyclegan.config:CycleGANConfig",
        "translate between two collections, without pairs",
        "Zhu et al., ICCV 2017",
        "https://arxiv.org/abs/1703.10593",
        original="i2icli.systems.cyclegan.original",
    ),
    "stargan": Entry(
        "i2icli.systems.stargan.system:StarGAN",
        "i2icli.systems.stargan.config:StarGANConfig",
        "translate between many domains or attributes, with one network",
        "Choi et al., CVPR 2018",
        "https://arxiv.org/abs/1711.09020",
        original="i2icli.systems.stargan.original",
    ),
    "combogan": Entry(
        "i2icli.systems.combogan.system:ComboGAN",
        "i2icli.systems.combogan.config:ComboGANConfig",
        "translate between any number of collections, with networks for each",
        "Anoosheh et al., CVPRW 2018",
        "https://arxiv.org/abs/1712.06909",
        original="i2icli.systems.combogan.original",
    ),
    "augmented_cyclegan": Entry(
        "i2icli.systems.augmented_cyclegan.system:AugmentedCycleGAN",
        "i2icli.systems.augmented_cyclegan.config:AugmentedCycleGANConfig",
        "translate between two collections, with many outputs per image",
        "Almahairi et al., ICML 2018",
        "https://arxiv.org/abs/1802.10151",
        original="i2icli.systems.augmented_cyclegan.original",
    ),
    "dtn": Entry(
        "i2icli.systems.dtn.system:DTN",
        "i2icli.systems.dtn.config:DTNConfig",
        "translate labelled images to an unlabelled target domain",
        "Taigman et al., ICLR 2017",
        "https://arxiv.org/abs/1611.02200",
        original="i2icli.systems.dtn.original",
    ),
    "progan": Entry(
        "i2icli.systems.progan.system:ProGAN",
        "i2icli.systems.progan.config:ProGANConfig",
        "generate images from noise, with networks that grow from coarse to fine",
        "Karras et al., ICLR 2018",
        "https://arxiv.org/abs/1710.10196",
        original="i2icli.systems.progan.original",
    ),
    "paired_cyclegan": Entry(
        "i2icli.systems.paired_cyclegan.system:PairedCycleGAN",
        "i2icli.systems.paired_cyclegan.config:PairedCycleGANConfig",
        "apply and remove the style of a reference",
        "Chang et al., CVPR 2018",
        "https://openaccess.thecvf.com/content_cvpr_2018/html/Chang_PairedCycleGAN_Asymmetric_Style_CVPR_2018_paper.html",
    ),
    "lapgan": Entry(
        "i2icli.systems.lapgan.system:LAPGAN",
        "i2icli.systems.lapgan.config:LAPGANConfig",
        "generate images from coarse to fine, and upscale images",
        "Denton et al., NIPS 2015",
        "https://arxiv.org/abs/1506.05751",
        original="i2icli.systems.lapgan.original",
    ),
    "spectral_dcgan": Entry(
        "i2icli.systems.spectral_dcgan.system:SpectralDCGAN",
        "i2icli.systems.spectral_dcgan.config:SpectralDCGANConfig",
        "generate images from noise, with the spectrum of real ones",
        "Durall et al., CVPR 2020",
        "https://arxiv.org/abs/2003.01826",
        original="i2icli.systems.spectral_dcgan.original",
    ),
}


_ALSO = {"gaugan": "spade", "pggan": "progan", "progressivegan": "progan", "augcgan": "augmented_cyclegan"}
"""What systems are called elsewhere, without case and separators."""


def system_named(text: str) -> str | None:
    """The system that a text means, whatever its case and separators: "CycleGAN", "pix2pix-hd"."""
    plain = _plain(text)
    return _ALSO.get(plain) or next((name for name in SYSTEMS if _plain(name) == plain), None)


def _plain(text: str) -> str:
    return text.casefold().replace("-", "").replace("_", "").replace(" ", "")


def entry(name: str) -> Entry:
    """The registry's line for a system. Raises UserError for an unknown name."""
    if name not in SYSTEMS:
        raise UserError(unknown_system(name))
    return SYSTEMS[name]


def unknown_system(name: str) -> str:
    """What to say of a name that no system has."""
    near = get_close_matches(name.lower(), SYSTEMS, n=1)
    hint = f"; did you mean {near[0]}?" if near else ""
    return f"unknown system {name!r}; there are: {', '.join(SYSTEMS)}{hint}"


def system_type(name: str) -> "type[System[Any]]":
    """The class of a system; imports torch."""
    return _load(entry(name).system)  # type: ignore[no-any-return]


def name_of(system: "type[System[Any]]") -> str:
    """The name of a system's class."""
    target = f"{system.__module__}:{system.__qualname__}"
    return next(name for name, each in SYSTEMS.items() if each.system == target)


def config_type(name: str) -> type[Config]:
    """The class of a system's settings; imports no torch."""
    return _load(entry(name).config)  # type: ignore[no-any-return]


def growing_from_noise() -> str:
    """The system that `i2i grow` trains where it is given images alone; imports no torch."""
    return next(name for name in SYSTEMS if config_type(name).grows_from_noise)


def reading_labels() -> str:
    """The first system that learns from label maps; imports no torch."""
    return next(name for name in SYSTEMS if issubclass(config_type(name), LabelConfig))


def _load(target: str) -> Any:
    module, name = target.split(":")
    return getattr(import_module(module), name)
