"""Writing a report: one self-contained HTML file."""

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined

from i2icli import __version__
from i2icli.files import atomic_write
from i2icli.report.sections import Section

REFRESH = 30  # seconds until a page that will change loads itself again


def write_page(path: Path, title: str, sections: Sequence[Section], *, final: bool = True) -> None:
    """Write a page with the given sections, in order. All texts are escaped.

    final: whether it stays as it is; else browsers load it again now and then.
    """
    text = render_page(title, sections, final=final)
    with atomic_write(path) as temporary:
        temporary.write_text(text, encoding="utf-8", errors="backslashreplace")


@cache
def _environment() -> Environment:
    """Kept, as it takes longer to read a template than to fill it in."""
    return Environment(
        loader=PackageLoader("i2icli.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def render_page(title: str, sections: Sequence[Section], *, final: bool = True) -> str:
    """The page as HTML."""
    written = datetime.now().astimezone().strftime("%Y-%m-%d %H:%M")
    template = _environment().get_template("page.html")
    refresh = None if final else REFRESH
    return template.render(
        title=title, sections=sections, version=__version__, written=written, refresh=refresh
    )
