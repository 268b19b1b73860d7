"""Checkpoints of the papers' authors: read without executing pickles, recognised by their keys."""

from i2icli.originals.detect import load_original

__all__ = ["load_original"]
