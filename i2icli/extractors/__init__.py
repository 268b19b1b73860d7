"""Conditions: planes computed from an image, from which a network makes the image again.

Edges (Canny), a learned edge network, or facial landmarks drawn as lines; `i2icli.conditions` describes them.
"""
