"""Write the golden option lists and docs/cli.md anew: `python tests/golden/refresh.py`. Review the diff."""

from pathlib import Path

from i2icli.cli.options import option_fields, panel_of
from i2icli.cli.reference import reference
from i2icli.config import RunOptions
from i2icli.fields import flag, kind, shown_defaults
from i2icli.registry import SYSTEMS, config_type

ROOT = Path(__file__).resolve().parents[2]
OPTIONS = Path(__file__).parent / "options"
CLI_PAGE = ROOT / "docs" / "cli.md"


def option_list(system: str) -> str:
    """The options of `i2i train <system>`, one per line: panel, flag, kind, default."""
    lines = []
    for model, panel in (
        (RunOptions, lambda _: "Run"),
        (config_type(system), lambda name: panel_of(name, system)),
    ):
        defaults = shown_defaults(model)
        for name, field in option_fields(model).items():
            lines.append(f"{panel(name)}: {flag(name)} <{kind(field)}> {defaults[name]}")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Write every golden file of the command line."""
    for system in SYSTEMS:
        (OPTIONS / f"{system}.txt").write_text(option_list(system), encoding="utf-8")
    CLI_PAGE.write_text(reference(), encoding="utf-8")


if __name__ == "__main__":
    main()
