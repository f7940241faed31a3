"""The settings of the proxies under comparison, as files in `proxies` with places like @PORT@ to fill."""

import re
from pathlib import Path

PLACES = Path(__file__).parent / "proxies"


def filled(name: str, **values: object) -> str:
    """The text of a file with its places filled. KeyError for a place without a value."""
    text = (PLACES / name).read_text()
    return re.sub(r"@([A-Z_]+)@", lambda place: str(values[place[1].lower()]), text)
