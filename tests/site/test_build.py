"""`scripts/docs` builds the site as it stands, and refuses pages with faults."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from docs_site import built_site
from project import ROOT
from scripts import script

DOCS = script("docs")
SETTINGS = """\
[sections]
part = "Part"

[project]
site_name = "Of a test"
docs_dir = "pages"
site_dir = "site"
"""


@pytest.fixture
def pages(tmp_path: Path) -> Path:
    """Return a folder with pages that make a site."""
    docs = tmp_path / "docs"
    (docs / "part").mkdir(parents=True)
    (docs / "site.toml").write_text(SETTINGS)
    (docs / "index.md").write_text("# Home\n\n[Part](part/index.md)\n")
    (docs / "part" / "index.md").write_text("# Part\n\n- [One](one.md): a page.\n")
    (docs / "part" / "one.md").write_text(
        "# One\n\n[Out](../../README.md) [Here](#there)\n\n## There\n\nText.\n\n"
        "<!-- not run -->\n```python\nlink = '](nowhere.md)'\n```\n"
    )
    (tmp_path / "README.md").write_text("# Read me\n")
    return docs


def built(docs: Path) -> int:
    site = DOCS.Site(docs, docs.parent / "built")
    site.collect()
    return site.build()


def test_the_pages_are_built(pages: Path) -> None:
    assert built(pages) == 3
    one = (pages.parent / "built" / "site" / "part" / "one" / "index.html").read_text()
    assert f'href="{DOCS.urls()["Source"]}/blob/main/README.md"' in one
    assert "not run" not in one


@pytest.mark.parametrize(
    ("file", "text", "told"),
    [
        ("part/one.md", "# One\n\n[x](two.md)\n", "page does not exist"),
        ("part/one.md", "# One\n\n[x](#away)\n", "anchor does not exist"),
        ("part/one.md", "# One\n\n[x](../index.md#away)\n", "anchor does not exist"),
        ("part/one.md", "# One\n\n![x](../x.svg)\n", "../x.svg is not there"),
        ("part/one.md", "# One\n\n[x](../../x.md)\n", "../../x.md is not there"),
        ("part/one.md", "# One\n\n[x](../../../x.md)\n", "is not there"),
        ("part/two.md", "# Two\n", "in no list of an index.md: part/two.md"),
        ("part/index.md", "- [One](one.md)\n- [2](2.md)\n", "not there: part/2.md"),
    ],
)
def test_a_fault_is_refused(pages: Path, file: str, text: str, told: str) -> None:
    (pages / file).write_text(text)
    with pytest.raises(DOCS.NotBuiltError, match=re.escape(told)):
        built(pages)


def test_nothing_comes_from_the_network() -> None:
    """Styles, scripts, fonts and pictures are the site's own."""
    loading = re.compile(r'<(?:script|link|img|iframe)\b[^>]*?(?:src|href)="([^"]+)')
    for file in sorted(built_site().rglob("*.html")):
        text = re.sub(r'<link rel="canonical"[^>]*>', "", file.read_text())
        found = [one for one in loading.findall(text) if "//" in one]
        assert found == [], file
    for file in sorted(built_site().rglob("*.css")):
        assert not re.search(r"url\(['\"]?(https?:)?//", file.read_text()), file


def test_lists_are_what_other_readers_of_markdown_see() -> None:
    """A list needs a blank line before it, and four spaces for each level, here."""
    reader = pytest.importorskip("markdown_it").MarkdownIt("commonmark").enable("table")
    tags = ("li", "ol", "ul", "table", "tr", "h1", "h2", "h3", "p", "pre", "img")
    site = built_site()
    for page in sorted((site.parent / "pages").rglob("*.md")):
        path = page.relative_to(site.parent / "pages").with_suffix("")
        folder = path.parent if path.name == "index" else path
        whole = (site / folder / "index.html").read_text()
        article = re.search(r"(?s)<article.*?</article>", whole)
        assert article is not None
        counts = [
            {tag: len(re.findall(rf"<{tag}[ >]", text)) for tag in tags}
            for text in (reader.render(page.read_text()), article[0])
        ]
        assert counts[0] == counts[1], page.name


def test_the_reference_names_every_public_module(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.syspath_prepend(ROOT / "scripts")
    modules = set(script("docs-reference").MODULES)
    snapshot = (ROOT / "tests" / "project" / "public_names.txt").read_text()
    public = set(re.findall(r"(?m)^# (fastbearer[\w.]*)$", snapshot))
    left_out = {one for one in public - modules if ".compat." not in one}
    assert left_out == {
        "fastbearer.errors",  # a page of its own
        # Parts of `Issuer`, and of the keys' stores: their classes show them.
        "fastbearer.issuers.cloud_profiles",
        "fastbearer.issuers.profiles",
        "fastbearer.issuers.server_profiles",
        "fastbearer.better_auth.api_keys.redis",
        "fastbearer.better_auth.api_keys.sql",
    }
