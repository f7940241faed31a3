"""What the site needs beside the pages of `docs/`: files of the repository that they link to.

Links are written for a reader of the repository. A file outside `docs/` that a page links to is part of the
site under `project/`; a link to any other file becomes its path, because the site has no such page.
"""

import posixpath
import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parents[1]
BORROWED = {
    name: f"project/{posixpath.basename(name)}"
    for name in (
        "ARCHITECTURE.md",
        "CONTRIBUTING.md",
        "CHANGELOG.md",
        "loadtests/RESULTS.md",
        "config/weir.yaml",
    )
}
"""Place in the site by place in the repository."""

_PLACES = {place: name for name, place in BORROWED.items()}
_LINK = re.compile(r"\[([^\]]*)\]\(([^)\s:#]+)(#[^)\s]*)?\)")
_NOT_RUN = re.compile(r"^(```\w+) (?:no-run|exits-\d+)$", re.MULTILINE)
"""Words for the tests behind the language of a code block."""


def on_files(files: Files, *, config: MkDocsConfig) -> Files:
    """Add the files of the repository."""
    for name, place in BORROWED.items():
        files.append(File.generated(config, place, abs_src_path=str(ROOT / name)))
    return files


def on_page_markdown(markdown: str, *, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Point the links of a page to where their targets are in the site."""
    place = page.file.src_uri
    source = _PLACES.get(place, f"docs/{place}")

    def moved(link: re.Match[str]) -> str:
        text, target, anchor = link[1], link[2], link[3] or ""
        name = posixpath.normpath(posixpath.join(posixpath.dirname(source), target))
        there = BORROWED.get(name) or (name.removeprefix("docs/") if name.startswith("docs/") else "")
        if name == "README.md":
            there, anchor = "index.md", ""
        if not there:
            return text if text.startswith("`") else f"{text} (`{name}`)"
        return f"[{text}]({posixpath.relpath(there, posixpath.dirname(place))}{anchor})"

    return _LINK.sub(moved, _NOT_RUN.sub(r"\1", markdown))
