"""README and docs/: relative links lead somewhere, every page is reachable, the site needs no network."""

import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parent.parent
PAGES = sorted([*ROOT.glob("*.md"), ROOT / "benchmarks/README.md", *(ROOT / "docs").rglob("*.md")])
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")


def prose(page: Path) -> str:
    """The text of a page without its code, in which brackets are no links."""
    text = re.sub(r"^( *)```.*?^\1```$", "", page.read_text(encoding="utf-8"), flags=re.M | re.S)
    return re.sub(
        r"(`+)[^`]*\1", lambda code: code[0].strip("`").translate({40: "", 41: "", 91: "", 93: ""}), text
    )


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub and the site make them."""
    headings = re.findall(r"^#+ +(.+?) *$", prose(page), flags=re.M)
    found: set[str] = set()
    for heading in headings:
        text = re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        name, number = text, 0
        while name in found:
            number += 1
            name = f"{text}-{number}"
        found.add(name)
    return found


def broken(page: Path) -> list[str]:
    """Relative links of a page that lead nowhere."""
    found = []
    for link in LINK.findall(prose(page)):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            found.append(link)
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page):
    assert broken(page) == []


def test_a_broken_link_is_found(tmp_path):
    (tmp_path / "b.md").write_text("# One\n\n## Two: `--three`\n\n```\n[no](nowhere.md)\n```\n")
    page = tmp_path / "a.md"
    page.write_text(
        "[1](b.md) [2](b.md#one) [3](b.md#two---three) [4](https://x.org) [5](c.md) [6](b.md#four)"
    )
    assert broken(page) == ["c.md", "b.md#four"]


def in_navigation(entries) -> set[str]:
    """The pages that the site's navigation leads to."""
    values = [value for entry in entries for value in entry.values()]
    pages = {value for value in values if isinstance(value, str)}
    return pages.union(*(in_navigation(value) for value in values if not isinstance(value, str)))


def test_every_page_is_in_the_navigation_and_no_other():
    site = yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))
    pages = {str(page.relative_to(ROOT / "docs")) for page in PAGES if ROOT / "docs" in page.parents}
    assert in_navigation(site["nav"]) == pages


def test_links_of_pages_stay_in_the_site():
    """Beyond docs/ the site has nothing to lead to."""
    outside = [
        f"{page.name}: {link}"
        for page in PAGES
        if ROOT / "docs" in page.parents
        for link in LINK.findall(prose(page))
        if not re.match(r"[a-z]+:|#", link)
        and ROOT / "docs" not in (page.parent / link.partition("#")[0]).resolve().parents
    ]
    assert outside == []


def test_the_index_names_every_page():
    index = ROOT / "docs/index.md"
    linked = {link.partition("#")[0] for link in LINK.findall(prose(index))}
    pages = {str(page.relative_to(index.parent)) for page in PAGES if index.parent in page.parents}
    assert pages - linked == {"index.md"}


def test_the_site_fetches_nothing():
    text = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    site = yaml.safe_load(text)
    assert site["theme"]["font"] is False
    assert any("iframe-worker" in path for path in site["extra"]["polyfills"])  # or one would be fetched
    assert not re.search(r"^[^#]*https?:", text, flags=re.M)
