"""The site: built without a warning, and without anything that is fetched from another host."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.pages import ROOT

pytest.importorskip("material", reason="the extra `docs` is not installed")

_FETCHED = re.compile(
    r"<(?:script|img|iframe|source|video|audio)\b[^>]*\bsrc=[\"']?([^\"'\s>]+)|<link\b([^>]*)>"
)
_FROM_CSS = re.compile(r"(?:url\(|@import )[\"']?([^\"')\s]+)")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    built = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(built)]
    done = subprocess.run(
        command,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
    )
    assert done.returncode == 0, done.stderr
    return built


def foreign(address: str) -> bool:
    return address.startswith(("http:", "https:", "//"))


def fetched(page: str) -> Iterator[str]:
    """What a browser fetches for a page, beside it."""
    for source, link in _FETCHED.findall(page):
        if source:
            yield source
        elif re.search(r"rel=[\"']?(?:stylesheet|icon|preload|preconnect|dns-prefetch)", link):
            yield re.search(r"href=[\"']?([^\"'\s>]+)", link)[1]


@pytest.mark.process
def test_nothing_is_fetched_from_another_host(site: Path) -> None:
    pages = list(site.rglob("*.html"))
    assert len(pages) > 20
    for page in pages:
        text = page.read_text()
        assert not [each for each in fetched(text) if foreign(each)], page
        assert 'class="mermaid"' not in text, "the theme fetches a library for diagrams"
    for sheet in site.rglob("*.css"):
        assert not [each for each in _FROM_CSS.findall(sheet.read_text()) if foreign(each)], sheet


@pytest.mark.process
def test_the_site_has_pages_only(site: Path) -> None:
    assert not list(site.rglob("*.py"))
    assert (site / "project" / "RESULTS.html").exists()


@pytest.mark.process
@pytest.mark.parametrize("link", ["nowhere.md", "start.md#nowhere"])
def test_a_dead_link_would_be_found(site: Path, link: str, tmp_path: Path) -> None:
    config = (ROOT / "mkdocs.yml").read_text().replace("docs_dir: docs", f"docs_dir: {tmp_path}")
    config = re.sub(r"^hooks:.*$", "", config, flags=re.M).split("\nnav:")[0]
    (tmp_path / "index.md").write_text(f"# Home\n\n[there]({link}), [start](start.md)\n")
    (tmp_path / "start.md").write_text("# Start\n")
    file = tmp_path.parent / "mkdocs-broken.yml"
    file.write_text(config)
    command = [
        sys.executable,
        "-m",
        "mkdocs",
        "build",
        "--strict",
        "-f",
        str(file),
        "-d",
        str(tmp_path.parent / "out"),
    ]
    assert subprocess.run(command, capture_output=True, check=False).returncode != 0
