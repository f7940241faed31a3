"""Services as they change: a picture that is redrawn on a terminal, a line for each change elsewhere.

Both go on after a restart of control: once the API was reachable, an outage is shown and the requests are
repeated.
"""

import json
import sys
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any, NoReturn

import click

from proxy.cli.client import ApiFailure, EventStream
from proxy.cli.session import Session
from proxy.cli.tree import ASCII, UNICODE, tree
from proxy.cli.views import entry_line, state_line, table

INTERVAL = 0.5
"""Seconds between two pictures."""
STYLES = (
    (("rolled-back", "failing", "out since", "STABLE IS FAILING"), "bold red"),
    (("progressing", "promoting", "inconclusive"), "bold yellow"),
    (("paused",), "bold cyan"),
    (("promoted", "healthy"), "bold green"),
)
RETRY = 1.0
"""Seconds between two attempts to reach the API again."""

Sleep = Callable[[float], None]


def follow(session: Session, service: str | None) -> NoReturn:
    """Show changes until interrupted."""
    if sys.stdout.isatty() and not session.as_json:
        redraw(session, service)
    for line in changes(session, service):
        click.echo(line)
    raise AssertionError("changes never end")


def redraw(session: Session, service: str | None) -> NoReturn:
    """Redraw the picture until interrupted; rich heeds NO_COLOR and the width of the terminal."""
    from rich.live import Live
    from rich.text import Text

    def colored(picture: str) -> Text:
        text = Text(picture)
        for words, style in STYLES:
            text.highlight_words(words, style)
        return text

    found = pictures(session, service)
    with Live(colored(next(found)), auto_refresh=False) as live:
        for each in found:
            live.update(colored(each), refresh=True)
    raise AssertionError("pictures never end")


def pictures(session: Session, service: str | None, sleep: Sleep = time.sleep) -> Iterator[str]:
    """Yield a picture twice a second: a tree of one service, a table of all.

    Raises:
        ApiFailure: the API is unreachable at the beginning.
    """
    current = picture(session, service)
    since = lost = ""
    while True:
        yield current + lost
        sleep(INTERVAL)
        try:
            current, since, lost = picture(session, service), "", ""
        except ApiFailure as failure:
            since = since or f"{datetime.now():%H:%M:%S}"
            lost = f"\nnot updated since {since}: {failure.message}"


def picture(session: Session, service: str | None) -> str:
    """Return the present state of one service as a tree, or of all as a table."""
    found = views(session, service)
    if service is None:
        return table(found, session.flags)
    return tree(found[0], UNICODE if (sys.stdout.encoding or "").lower() == "utf-8" else ASCII, session.flags)


def changes(session: Session, service: str | None, sleep: Sleep = time.sleep) -> Iterator[str]:
    """Yield the state of each service, then a line for each change, without end.

    A change that is in the state already is not shown a second time, by its revision.
    """
    shown: dict[str, int] = {}
    for found in happenings(session, lambda: views(session, service), sleep):
        is_entry, revision = "event" in found, found["revision"]
        name = found["service" if is_entry else "name"]
        before = shown.get(name, -1)
        if service not in (None, name) or revision == before or (is_entry and revision < before):
            continue
        shown[name] = revision
        if is_entry:
            yield as_line(session, "entry", found, entry_line(found))
        else:
            yield as_line(session, "service", found, state_line(found))


def happenings(
    session: Session, present: Callable[[], list[dict[str, Any]]], sleep: Sleep = time.sleep
) -> Iterator[dict[str, Any]]:
    """Yield what is `present`, then each entry of the ledger as it is written, without end.

    The stream is opened before `present` is read, so that nothing is missed; an entry may be in both. After
    an interruption the stream goes on after the last entry.

    Raises:
        ApiFailure: the API is unreachable at the beginning.
    """
    last: int | None = None
    reached = False
    while True:
        try:
            events, now = open_stream(session, present, last)
        except ApiFailure:
            if not reached:
                raise
            sleep(RETRY)
            continue
        reached = True
        yield from now
        for entry in events:
            last = entry["id"]
            yield entry
        click.echo("weir: the event stream ended; connecting again", err=True)
        sleep(RETRY)


def open_stream(
    session: Session, present: Callable[[], list[dict[str, Any]]], last: int | None
) -> tuple[EventStream, list[dict[str, Any]]]:
    """Open the stream after entry `last`; return it, and with None what is present, too."""
    events = session.client.events(last)
    try:
        return events, present() if last is None else []
    except BaseException:
        events.close()
        raise


def views(session: Session, service: str | None) -> list[dict[str, Any]]:
    """Return one service, or all."""
    if service:
        return [session.client.service(service)]
    found: list[dict[str, Any]] = session.client.services()["services"]
    return found


def as_line(session: Session, kind: str, document: dict[str, Any], text: str) -> str:
    """Return the text, or in a JSON session the document under its kind on one line."""
    return json.dumps({kind: document}, ensure_ascii=False) if session.as_json else text
