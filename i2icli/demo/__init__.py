"""`i2i demo`: train on made-up pictures whose truth is known, and show what was learned. No torch here."""

LESSONS: dict[str, str] = {
    "pix2pix": "i2icli.demo.pix2pix",
    "cyclegan": "i2icli.demo.cyclegan",
    "augmented_cyclegan": "i2icli.demo.augmented_cyclegan",
    "combogan": "i2icli.demo.combogan",
    "dtn": "i2icli.demo.dtn",
    "stargan": "i2icli.demo.stargan",
    "paired_cyclegan": "i2icli.demo.paired_cyclegan",
    "lapgan": "i2icli.demo.lapgan",
    "progan": "i2icli.demo.progan",
    "spectral_dcgan": "i2icli.demo.spectral_dcgan",
}
"""System -> the module with its DEMO."""

FIRST = ("pix2pix", "cyclegan")
"""What `i2i demo` shows when no system is named."""
