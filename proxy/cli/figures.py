"""Numbers and times in the format for people."""


def percent(value: float | None, digits: int = 2) -> str:
    """Format a percentage of 0 to 100 without needless digits; "-" for no data."""
    if value is None:
        return "-"
    text = f"{value:.{digits}f}".rstrip("0").rstrip(".")
    return f"{text} %"


def rate(value: float | None) -> str:
    """Format a ratio of 0 to 1 in percent with one digit; more than 0 is never shown as 0."""
    if value is None:
        return "-"
    return "<0.1 %" if 0 < value < 0.0005 else f"{value * 100:.1f} %"


def duration(seconds: float | None) -> str:
    """Format seconds with about three digits, in s or ms; "-" for no data."""
    if seconds is None:
        return "-"
    if seconds >= 1:
        return f"{seconds:.2f} s"
    return f"{seconds * 1000:.{0 if seconds >= 0.1 else 1}f} ms"


def moment(text: str) -> str:
    """Format a time in ISO 8601 and UTC to the second; leave any other text as it is."""
    seconds, _, _ = text.partition(".")
    utc = text.endswith(("Z", "+00:00"))
    return f"{seconds.removesuffix('Z').removesuffix('+00:00').replace('T', ' ')}Z" if utc else text
