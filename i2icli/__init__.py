"""i2icli: train and run the classic GAN image-to-image systems."""

__version__ = "0.1.0"
