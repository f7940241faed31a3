"""Services as they change: a picture redrawn on a terminal, a line a change anywhere else.

Both outlive a restart of control: once the API has been reached, losing it is shown and waited out.
"""

import json
import sys
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any, NoReturn

import click

from proxy.cli.admin import Admin
from proxy.cli.client import Events, Trouble
from proxy.cli.tree import ASCII, UNICODE, tree
from proxy.cli.views import entry_line, state_line, table

INTERVAL = 0.5  # seconds between two pictures
STYLES = (
    (("rolled-back", "failing", "out since"), "bold red"),
    (("progressing", "promoting", "inconclusive"), "bold yellow"),
    (("paused",), "bold cyan"),
    (("promoted", "healthy"), "bold green"),
)
RETRY = 1.0  # seconds between two attempts to reach an API that was there before

Sleep = Callable[[float], None]


def follow(admin: Admin, service: str | None) -> NoReturn:
    """Show what changes until interrupted."""
    if sys.stdout.isatty() and not admin.as_json:
        redraw(admin, service)
    for line in changes(admin, service):
        click.echo(line)
    raise AssertionError("changes never end")


def redraw(admin: Admin, service: str | None) -> NoReturn:
    """Draw the picture over itself until interrupted; NO_COLOR and the width are rich's to respect."""
    from rich.live import Live
    from rich.text import Text

    def colored(picture: str) -> Text:
        text = Text(picture)
        for words, style in STYLES:
            text.highlight_words(words, style)
        return text

    pictures = screens(admin, service)
    with Live(colored(next(pictures)), auto_refresh=False) as live:
        for picture in pictures:
            live.update(colored(picture), refresh=True)
    raise AssertionError("pictures never end")


def screens(admin: Admin, service: str | None, sleep: Sleep = time.sleep) -> Iterator[str]:
    """What to show, twice a second: a tree of one service, a table of all. The first comes at once, or
    Trouble does.
    """
    picture = drawn(admin, service)
    since = lost = ""
    while True:
        yield picture + lost
        sleep(INTERVAL)
        try:
            picture, since, lost = drawn(admin, service), "", ""
        except Trouble as trouble:
            since = since or f"{datetime.now():%H:%M:%S}"
            lost = f"\nsince {since} this is the last that was told: {trouble.message}"


def drawn(admin: Admin, service: str | None) -> str:
    """The services that are asked for, as they are now."""
    found = views(admin, service)
    if service is None:
        return table(found, admin.flags)
    return tree(found[0], UNICODE if (sys.stdout.encoding or "").lower() == "utf-8" else ASCII, admin.flags)


def changes(admin: Admin, service: str | None, sleep: Sleep = time.sleep) -> Iterator[str]:
    """Where each service stands, then a line for each transition, without end.

    The stream is opened before the state is asked for, so nothing falls between them; a transition that is in
    both is told once, by its revision. After a break the stream goes on behind the last entry that was told.
    """
    told: dict[str, int] = {}
    last: int | None = None
    reached = False
    while True:
        try:
            events, now = joined(admin, service, last)
        except Trouble:
            if not reached:
                raise
            sleep(RETRY)
            continue
        reached = True
        for view in now:
            if told.get(view["name"]) != view["revision"]:
                told[view["name"]] = view["revision"]
                yield as_line(admin, "service", view, state_line(view))
        for entry in events:
            last = entry["id"]
            if service in (None, entry["service"]) and entry["revision"] > told.get(entry["service"], -1):
                told[entry["service"]] = entry["revision"]
                yield as_line(admin, "entry", entry, entry_line(entry))
        click.echo("weir: the event stream ended; connecting again", err=True)
        sleep(RETRY)


def joined(admin: Admin, service: str | None, last: int | None) -> tuple[Events, list[dict[str, Any]]]:
    """An open stream, and the state of now unless the stream goes on behind an entry."""
    events = admin.client.events(last)
    try:
        return events, views(admin, service) if last is None else []
    except BaseException:
        events.close()
        raise


def views(admin: Admin, service: str | None) -> list[dict[str, Any]]:
    """The services that are asked for."""
    if service:
        return [admin.client.service(service)]
    found: list[dict[str, Any]] = admin.client.services()["services"]
    return found


def as_line(admin: Admin, kind: str, document: dict[str, Any], text: str) -> str:
    """The text, or the document under its kind on one line."""
    return json.dumps({kind: document}, ensure_ascii=False) if admin.as_json else text
