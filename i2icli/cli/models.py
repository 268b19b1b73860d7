"""`i2i models`: what others published, and what was pulled."""

import json
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import urlsplit

import typer

from i2icli.cli.console import output, say
from i2icli.errors import readable

if TYPE_CHECKING:
    from i2icli.hub.catalogue import Listed
    from i2icli.hub.store import Pulled

EXAMPLES = (
    "All:  i2i models\n\nSome:  i2i models cyclegan\n\nGet one:  i2i pull cyclegan-horse2zebra --allow-http"
)


def models(
    word: Annotated[
        str | None,
        typer.Argument(metavar="[WORD]", help="list only those with this word in name, system or task"),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON object instead of tables")] = False,
) -> None:
    """Show published models that load here, and those that were pulled.

    What is listed was found in the download scripts and pages of those who published it; "tried" is whether
    that very file was opened here. Licences are those of the repositories: read them before you use a model.
    """
    from i2icli.home import data_home
    from i2icli.hub.catalogue import catalogue
    from i2icli.hub.store import pulled

    published = [each for each in catalogue().values() if _fits(each, word)]
    here = [each for each in pulled() if _fits(each, word)]
    if as_json:
        found = {
            "home": str(data_home()),
            "pulled": [each.model_dump() | {"path": str(each.path)} for each in here],
            "published": [each.model_dump() | {"way": each.way} for each in published],
        }
        print(json.dumps(found, indent=2))
        return
    _print_published(published)
    console = output()
    console.print(f"\nPulled, into {readable(str(data_home()))}", style="bold", markup=False)
    for each in here:
        say(console, f"  {each.name}  {_described(each)}")
    if not here:
        say(console, "  none" + (f" with {word!r}" if word else ""))
    console.print("\nGet one: i2i pull NAME (http: with --allow-http)")
    console.print(
        "Where it says browser, its host serves no programs: i2i pull NAME says what to download where"
    )


def _fits(model: "Listed | Pulled", word: str | None) -> bool:
    fields: dict[str, Any] = model.model_dump(include={"name", "system", "task", "source"})
    return word is None or any(word.casefold() in str(each).casefold() for each in fields.values())


def _print_published(published: "list[Listed]") -> None:
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("name", "what it does", "licence", "size", "get it by", "tried"):
        table.add_column(column, justify="right" if column == "size" else "left", no_wrap=column == "name")
    for each in published:
        size = f"{each.size / 1e6:,.1f} MB" if each.size else "?"
        by = f"pull ({urlsplit(each.url).scheme})" if each.url else "browser"
        licence = each.licence or "see its source"
        table.add_row(each.name, escape(each.task), licence, size, by, "yes" if each.tried else "not tried")
    output().print(table)


def _described(model: "Pulled") -> str:
    """System, size and hash of a model that is here."""
    checked = f"checked against {model.checked}" if model.checked else "recorded, not checked"
    part = "" if model.translates else ", a part to start a training from"
    return (
        f"{model.system}{part}, {model.size / 1e6:,.1f} MB, from {model.source}, "
        f"SHA-256 {model.sha256[:12]}... {checked}"
    )
