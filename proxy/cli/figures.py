"""Numbers and moments as a person reads them."""


def percent(value: float | None, digits: int = 2) -> str:
    """A percentage of 0..100 without needless digits; "-" for no data."""
    if value is None:
        return "-"
    text = f"{value:.{digits}f}".rstrip("0").rstrip(".")
    return f"{text} %"


def rate(value: float | None) -> str:
    """A ratio of 0..1 in percent with one digit; what is not nothing never shows as nothing."""
    if value is None:
        return "-"
    return "<0.1 %" if 0 < value < 0.0005 else f"{value * 100:.1f} %"


def duration(seconds: float | None) -> str:
    """Seconds with about three digits, in the unit that fits; "-" for no data."""
    if seconds is None:
        return "-"
    if seconds >= 1:
        return f"{seconds:.2f} s"
    return f"{seconds * 1000:.{0 if seconds >= 0.1 else 1}f} ms"


def moment(text: str) -> str:
    """An ISO 8601 moment in UTC to the second; any other as it is."""
    seconds, _, _ = text.partition(".")
    utc = text.endswith(("Z", "+00:00"))
    return f"{seconds.removesuffix('Z').removesuffix('+00:00').replace('T', ' ')}Z" if utc else text
