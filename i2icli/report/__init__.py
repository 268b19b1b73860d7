"""Self-contained HTML pages: text, tables, curves and images in one file that opens offline."""

from i2icli.report.log import loss_curves, read_log, score_curves
from i2icli.report.page import write_page
from i2icli.report.sections import Curves, Figure, ImageGrid, Section, Table, Text, Values

__all__ = [
    "Curves",
    "Figure",
    "ImageGrid",
    "Section",
    "Table",
    "Text",
    "Values",
    "loss_curves",
    "read_log",
    "score_curves",
    "write_page",
]
