"""The help of every command, and docs/cli.md: complete, nothing cut, quick."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer

from i2icli.__main__ import main
from i2icli.cli.app import app
from i2icli.cli.help import panels
from i2icli.cli.reference import contexts, reference
from i2icli.registry import SYSTEMS
from tests.golden.refresh import CLI_PAGE

CHECKOUT = Path(__file__).parents[2]
Capture = pytest.CaptureFixture[str]
CONTEXTS = list(contexts())


@pytest.fixture(autouse=True)
def _narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")


def arguments_of(context: Any) -> list[str]:
    """What is typed after i2i to call a command."""
    return str(context.command_path).split()[1:]


def option_names(context: Any) -> set[str]:
    """Every spelling of every option of a command, such as --flip and --no-flip."""
    return {
        name
        for parameter in context.command.get_params(context)
        for name in (*parameter.opts, *parameter.secondary_opts)
        if name.startswith("-")
    }


OF_EVERY_COMMAND = {"-h", "--help", "-q", "--quiet", "-v", "--verbose"}

SAYS = [
    ("--help", ["train", "translate", "info", "systems", "demo", "i2i demo", "--install-completion"]),
    ("train --help", [*SYSTEMS, "without pairs", "run it again to resume"]),
    ("translate --help", ["--model", "--overwrite", "--json", "--compare", "[default: translated]", "stdin"]),
    ("train pix2pix --help", ["Run", "Training", "pix2pix only", "--l1-weight", "[default: 100]", "Isola"]),
    (
        "train cyclegan --help",
        ["--no-flip", "--dry-run", "lsgan, vanilla, wgangp, hinge", "arxiv.org/abs/1703"],
    ),
    ("info --help", ["MODEL", "--json"]),
    ("systems --help", ["--json"]),
    ("labels --help", ["convert", "check"]),
    ("labels check --help", ["DATA", "share of the pixels", "--classes"]),
    ("edit --help", ["LABELS", "--replace", "--paste", "in the order given", "compare/", "--style"]),
    ("labels convert --help", ["--from", "coco-panoptic", "--images", "unlabelled (255"]),
    ("demo --help", ["--data-only", "Offline"]),
]


@pytest.mark.parametrize(("arguments", "expected"), SAYS, ids=[arguments for arguments, _ in SAYS])
def test_help_says(arguments: str, expected: list[str], capsys: Capture) -> None:
    assert main(arguments.split()) == 0

    shown = capsys.readouterr().out
    words = " ".join(shown.replace("│", " ").split())
    for text in expected:
        assert text in words
    assert max(map(len, shown.splitlines())) <= 80
    assert "\x1b" not in shown


@pytest.mark.parametrize("columns", [80, 60])
@pytest.mark.parametrize("context", CONTEXTS, ids=lambda context: context.command_path)
def test_help_cuts_no_option(
    context: Any, columns: int, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))

    assert main([*arguments_of(context), "--help"]) == 0

    shown = capsys.readouterr().out
    assert "…" not in shown
    assert max(map(len, shown.splitlines())) <= columns
    headings = re.findall(r"^│ (-.*?)(?:  |│)", shown, flags=re.MULTILINE)
    assert option_names(context) == set(re.findall(r"(?<![\w-])--?[a-z][\w-]*", " ".join(headings)))


@pytest.mark.parametrize("context", CONTEXTS, ids=lambda context: context.command_path)
def test_help_says_what_every_option_does(context: Any) -> None:
    rows = [
        row
        for title, rows in panels(context).items()
        if title not in ("Arguments", "Commands")
        for row in rows
    ]
    flags = {
        parameter.name
        for parameter in context.command.get_params(context)
        if getattr(parameter, "is_flag", False)
    }
    assert all(row.text for row in rows)
    assert sum(row.value == "" for row in rows) == len(flags)


@pytest.mark.parametrize("context", CONTEXTS, ids=lambda context: context.command_path)
def test_help_imports_nothing_heavy(context: Any) -> None:
    code = (
        "import sys; from i2icli.__main__ import main; code = main(sys.argv[1:]);"
        "heavy = {'torch', 'torchvision', 'numpy', 'PIL', 'tomlkit', 'jinja2'} & set(sys.modules);"
        "sys.exit(f'imported {heavy}' if heavy else code)"
    )
    command = [sys.executable, "-c", code, *arguments_of(context), "--help"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=CHECKOUT)

    assert done.returncode == 0, done.stderr
    assert "Usage: i2i" in done.stdout


def test_the_reference_page_is_up_to_date() -> None:
    assert reference() == CLI_PAGE.read_text(encoding="utf-8"), "run: python tests/golden/refresh.py"


def test_the_reference_page_has_every_option_of_every_command() -> None:
    page = CLI_PAGE.read_text(encoding="utf-8")
    sections = {
        part.split("\n", 1)[0].strip("`"): part for part in re.split(r"^##+ ", page, flags=re.MULTILINE)
    }
    for context in CONTEXTS:
        shown = sections[context.command_path]
        if context.parent is not None and context.parent.command_path == "i2i train":
            shown += sections["Options of every system"]
        listed = set(
            re.findall(r"`(--?[a-z][\w-]*)`", "\n".join(re.findall(r"^\|.*", shown, flags=re.MULTILINE)))
        )
        assert option_names(context) - OF_EVERY_COMMAND <= listed, context.command_path


def test_the_help_lists_every_command():
    group = typer.main.get_command(app)
    assert set(group.commands) <= set(group.list_commands(typer.Context(group)))
