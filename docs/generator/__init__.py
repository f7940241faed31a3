"""The reference pages of the documentation, written from the code.

    python -m docs.generator        writes them into docs/reference

They are committed, so that they can be read in the repository as well; `tests/docs` compares them with what
the code gives today. A text that stands in the code (help, summary, description) is taken from there; what
the code has no text for is described here, beside the page it belongs to. A thing without a text stops the
generator by its name.
"""

from collections.abc import Callable, Mapping
from pathlib import Path

from docs.generator import accesslog, api, endings, keys, metrics, refusals, retries, verbs

DIRECTORY = Path(__file__).resolve().parents[1] / "reference"
WRITTEN = "<!-- Written by `python -m docs.generator`; edit the code that it reads, not this page. -->"

PAGES: Mapping[str, Callable[[], str]] = {
    "config.md": keys.page,
    "metrics.md": metrics.page,
    "api.md": api.page,
    "cli.md": verbs.page,
    "refusals.md": refusals.page,
    "access-log.md": accesslog.page,
    "endings.md": endings.page,
    "retries.md": retries.page,
}
"""What is written, by file name."""


def pages() -> dict[str, str]:
    """Return the text of each page by its file name. Raises `Undescribed`."""
    return {name: f"{WRITTEN}\n\n{page().strip()}\n" for name, page in PAGES.items()}
