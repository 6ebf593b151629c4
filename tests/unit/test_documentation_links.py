"""Links of the documentation: what they name is there, on the code host as on the site; what leads out is https.

Whether another site still has what we link to is asked by `make docs-links`, where there is a network.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from tests.lib import documented

PROJECT = Path(__file__).parents[2]
PAGES = [PROJECT / "README.md", PROJECT / "data_contracts" / "GLOSSARY.md", *sorted((PROJECT / "docs").rglob("*.md"))]

INCLUDED = {"docs/index.md": ["README.md"], "docs/glossary.md": ["data_contracts/GLOSSARY.md"]}
"""A page's text may stand in another file; its headings are the page's."""

EXAMPLE_HOSTS = ("127.0.0.1", "localhost")


@cache
def anchors(page: Path) -> frozenset[str]:
    """The anchors that the code host gives to the headings of a page; a second heading of one name gets a number."""
    found: list[str] = []
    for heading in documented.headings(page):
        slug = re.sub(r"[^\w\- ]", "", heading.text.strip().lower()).replace(" ", "-")
        repeated = sum(1 for one in found if one == slug or re.fullmatch(re.escape(slug) + r"-\d+", one))
        found.append(f"{slug}-{repeated}" if repeated else slug)
    included = INCLUDED.get(page.relative_to(PROJECT).as_posix(), [])
    return frozenset(found).union(*(anchors(PROJECT / name) for name in included))


def name_of(page: Path) -> str:
    return page.relative_to(PROJECT).as_posix()


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_link_leads_somewhere(page):
    for link in documented.links(page):
        place = f"{name_of(page)}:{link.line}: {link.text}"
        parts = urlsplit(link.text)
        if parts.scheme or parts.netloc:
            continue
        target = (page.parent / unquote(parts.path)).resolve() if parts.path else page
        assert target.exists(), f"{place}: no such file"
        assert target.is_relative_to(PROJECT), f"{place}: leads out of the project"
        if parts.fragment:
            assert target.suffix == ".md", f"{place}: only pages have headings"
            assert parts.fragment in anchors(target), f"{place}: no such heading; there are {sorted(anchors(target))}"


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_that_lead_out_are_https_and_well_formed(page):
    for link in documented.links(page):
        parts = urlsplit(link.text)
        if not (parts.scheme or parts.netloc) or parts.hostname in EXAMPLE_HOSTS:
            continue
        assert parts.scheme in ("https", "mailto"), f"{name_of(page)}:{link.line}: {link.text}"
        assert parts.scheme == "mailto" or re.fullmatch(r"([\w-]+\.)+[a-z]{2,}", parts.netloc), link.text
        assert not re.search(r"\s", link.text), f"{name_of(page)}:{link.line}: {link.text}"


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_pictures_say_what_is_to_be_seen(page):
    pictures = [child for _, child in documented.inline(page) if child.type == "image"]
    assert all(child.content.strip() for child in pictures)


def test_every_page_is_in_a_table_of_contents():
    """Sphinx says so too, but only where the site is built."""
    docs = PROJECT / "docs"
    pages = {page for page in PAGES if docs in page.parents} - {docs / "index.md"}
    listed = {
        found
        for page in pages | {docs / "index.md"}
        for block in documented.blocks(page, "{toctree}")
        for entry in block.text.splitlines()
        if entry.strip() and not entry.startswith(":")
        for found in page.parent.glob(f"{entry.strip()}.md")
    }
    assert listed >= pages, sorted(map(name_of, pages - listed))
