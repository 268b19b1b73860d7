"""`i2i demo`: train on synthetic data with ground truth and report the results. No torch here."""

DEMOS: dict[str, str] = {
    "pix2pix": "i2icli.demo.pix2pix",
    "cyclegan": "i2icli.demo.cyclegan",
    "augmented_cyclegan": "i2icli.demo.augmented_cyclegan",
    "combogan": "i2icli.demo.combogan",
    "dtn": "i2icli.demo.dtn",
    "stargan": "i2icli.demo.stargan",
    "spade": "i2icli.demo.spade",
    "pix2pixhd": "i2icli.demo.pix2pixhd",
    "vid2vid": "i2icli.demo.vid2vid",
    "paired_cyclegan": "i2icli.demo.paired_cyclegan",
    "lapgan": "i2icli.demo.lapgan",
    "progan": "i2icli.demo.progan",
    "spectral_dcgan": "i2icli.demo.spectral_dcgan",
}
"""System -> the module with its DEMO."""

DEFAULT = ("pix2pix", "cyclegan")
"""The systems of `i2i demo` without an argument."""
