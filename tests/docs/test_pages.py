"""Links that lead somewhere, code blocks that a test reads, and a README that is a front door."""

from pathlib import Path

import pytest

from tests.docs.pages import LANGUAGES, PAGES, ROOT, anchors, blocks, links, name


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_links_lead_to_a_file_and_an_anchor(page: Path) -> None:
    for link in links(page):
        if link.startswith(("http://", "https://")):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), f"{name(page)} links to {link}: there is no such file"
        assert target.is_relative_to(ROOT), f"{name(page)} links to {link}: outside of the repository"
        if anchor:
            assert anchor in anchors(target), f"{name(page)} links to {link}: there is no such heading"


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_code_blocks_are_in_languages_that_tests_know(page: Path) -> None:
    for block in blocks(page):
        assert block.language in LANGUAGES, f"{block} is in {block.language!r}"
        assert not set(block.flags) - {"no-run", "exits-1"}, (
            f"{block} has flags that mean nothing: {block.flags}"
        )


def test_the_readme_is_a_front_door() -> None:
    assert len((ROOT / "README.md").read_bytes()) <= 8_000


def test_every_load_test_is_listed() -> None:
    listed = (ROOT / "docs/performance.md").read_text()
    for script in (ROOT / "loadtests").glob("*.py"):
        if "__main__" in script.read_text() and script.name != "faulty.py":  # an origin that others start
            assert f"`{script.name}`" in listed, f"{script.name} stands nowhere"
