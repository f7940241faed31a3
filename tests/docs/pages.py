"""The pages of the documentation as files, code blocks, links and anchors.

What follows the language of a code block is for the tests:

    ```sh              is run (tests/docs/test_shell.py), and has to exit with 0
    ```sh exits-1      is run, and has to exit with 1
    ```yaml            has to pass `weir lint` (tests/docs/test_yaml.py)
    ```sh no-run       is neither
"""

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCS = sorted((ROOT / "docs").rglob("*.md"))
PAGES = [*DOCS, *(ROOT / name for name in ("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md"))]
LANGUAGES = {"", "sh", "yaml", "text", "nginx", "promql", "mermaid"}
"""Those in use: a block in `bash` or `yml` would be read by no test."""

_FENCE = re.compile(r"^```([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """A code block with the page and the line where it begins."""

    page: Path
    line: int
    language: str
    flags: tuple[str, ...]
    text: str

    def __str__(self) -> str:
        return f"{name(self.page)}:{self.line}"

    @property
    def exits(self) -> int:
        """The exit code that it should have."""
        return next((int(flag.removeprefix("exits-")) for flag in self.flags if flag.startswith("exits-")), 0)


def name(page: Path) -> str:
    """Return the path of a page in the repository."""
    return page.relative_to(ROOT).as_posix()


def blocks(page: Path, language: str = "") -> list[Block]:
    """Return the code blocks of a page, of one language or all."""
    text, found = page.read_text(), []
    for fence in _FENCE.finditer(text):
        words = fence[1].split() or [""]
        if language in ("", words[0]):
            line = text.count("\n", 0, fence.start()) + 1
            found.append(Block(page, line, words[0], tuple(words[1:]), fence[2]))
    return found


def runnable(page: Path, language: str) -> list[Block]:
    """Return the code blocks of a language that are to be tried."""
    return [block for block in blocks(page, language) if "no-run" not in block.flags]


def prose(page: Path) -> str:
    """Return a page without its code blocks."""
    return _FENCE.sub("", page.read_text())


def links(page: Path) -> list[str]:
    """Return the targets of all links."""
    return _LINK.findall(prose(page))


def anchors(page: Path) -> set[str]:
    """Return the anchors of the headings, as GitHub makes them."""
    return {_slug(heading) for heading in _HEADING.findall(prose(page))}


def _slug(heading: str) -> str:
    shown = _LINK.sub(lambda link: link[0][1 : link[0].index("]")], heading)
    return "".join(char for char in shown.lower().replace(" ", "-") if char.isalnum() or char in "-_")
