"""Services and ledger entries as text, made by pure functions from the answers of the API."""

from collections.abc import Iterable, Iterator
from typing import Any

from proxy.analysis import wording
from proxy.cli.figures import duration, moment, percent, rate
from proxy.cli.progress import advice, course, state
from proxy.counted import are, counted

HEADINGS = ("SERVICE", "PHASE", "BACKEND", "WEIGHT", "SEEN", "REQUESTS", "ERRORS", "P99")
LEFT = 3
"""Columns of words, aligned to the left; the others are numbers, aligned to the right."""


def tripped(view: dict[str, Any]) -> bool:
    """Return whether the canary was taken out and waits for a person."""
    return bool(view["phase"] == "rolled-back")


def failing(view: dict[str, Any]) -> bool:
    """Return whether stable itself fails."""
    return view["outage"] is not None


def alarming(view: dict[str, Any]) -> bool:
    """Return whether the canary is out, or stable fails: a person has to look."""
    return tripped(view) or failing(view)


def table(views: Iterable[dict[str, Any]], flags: str = "", *, whole: bool = False) -> str:
    """Return an aligned table with a line for each backend, and the notes of a service under its lines.

    `whole`: with the endpoints of the backends.
    """
    views = list(views)
    if not views:
        return "no services"
    rows = [HEADINGS, *(row for view in views for row in backend_rows(view))]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADINGS))]
    lines = iter([aligned(row, widths) for row in rows])
    text = [next(lines)]
    for view in views:
        text += [next(lines) for _ in view["backends"]]
        if whole:
            text += [f"  {name}: {endpoints(side)}" for name, side in view["backends"].items()]
        text += [f"  {note}" for note in notes(view, flags)]
    seconds = views[0]["window"]["seconds"]
    return "\n".join([*text, f"(SEEN, REQUESTS, ERRORS and P99 are of the last {seconds} s)"])


def aligned(row: tuple[str, ...], widths: list[int]) -> str:
    """Return a row with its cells padded to the widths of the columns."""
    cells = [
        cell.ljust(width) if column < LEFT else cell.rjust(width)
        for column, (cell, width) in enumerate(zip(row, widths, strict=True))
    ]
    return "  ".join(cells).rstrip()


def backend_rows(view: dict[str, Any]) -> Iterator[tuple[str, ...]]:
    """Yield a row of cells for each backend; name and phase of the service are in the first."""
    first = (view["name"], view["phase"])
    for backend in view["backends"]:
        side = view["window"].get(backend) or {}
        yield (
            *first,
            backend,
            percent(view["weights"].get(backend)),
            percent((view["shares"] or {}).get(backend), digits=1),
            str(side.get("requests", "-")),
            rate(side.get("error_rate")),
            duration(side.get("p99")),
        )
        first = ("", "")


def notes(view: dict[str, Any], flags: str = "") -> Iterator[str]:
    """Yield what else a person must know of a service, each with the command for it."""
    if outage := view["outage"]:
        yield f"STABLE IS FAILING since {moment(outage['since'])}: {outage['sentence']}"
    if view["trip"]:
        trip = view["trip"]
        yield f"out since {moment(trip['at'])}: {trip['sentence']}"
        if trip["acknowledged_ms"] is not None:
            yield f"every worker had taken it out after {trip['acknowledged_ms']:.0f} ms"
    yield from course(view)
    yield from advice(view, flags)
    yield from unhealthy_endpoints(view)
    yield from observe_only(view)
    yield from evidence(view)
    yield from blast_radius(view)
    if not view["durable"]:
        yield "in force but not durable yet: the ledger doesn't have it; control keeps trying"
    if drift := view["drift"]:
        yield drift["says"]
        if drift["apply"]:
            yield f"to apply the file's: {drift['apply']}{flags}"
        if drift["write"]:
            yield "to keep what is in force, write into the file:"
            yield from (f"  {line}" for line in drift["write"].splitlines())


def unhealthy_endpoints(view: dict[str, Any]) -> Iterator[str]:
    """Yield the endpoints that are not alive."""
    for backend, side in view["backends"].items():
        for url, condition in side.get("conditions", {}).items():
            if condition != "alive":
                yield f"{url} of {backend} is {condition}"


def observe_only(view: dict[str, Any]) -> Iterator[str]:
    """Yield the note that verdicts have no effect (`enforce: false`), and what this one would have done."""
    if view["enforce"] or "canary" not in view["backends"]:
        return
    failing = view["verdict"]["state"] == "failing"
    would = f"the canary would be out: {view['verdict']['sentence']}" if failing else "the canary stays in"
    yield f"watching only (`enforce: false`); {would}"


def evidence(view: dict[str, Any]) -> Iterator[str]:
    """Yield the evidence against the canary; unless it is failing, also what a larger weight waits for."""
    shown = evidence_against(view)
    if not shown:
        return
    yield shown
    if view["evidence"]["cold_for"]:
        yield wording.cold(view["evidence"]["cold_for"])
    if (assurance := view["verdict"]["assurance"]) and view["verdict"]["state"] != "failing":
        odds, bar = wording.odds(assurance["odds"]), wording.odds(assurance["bar"])
        left = wording.to_go(assurance["requests"], assurance["seconds"])
        rest = "" if assurance["requests"] == 0 else f"; {left}"
        yield f"good for a larger weight: {odds}, shown at {bar}{rest}"


def evidence_against(view: dict[str, Any]) -> str:
    """Return the evidence against a canary, such as 12:1, out at 100:1; "" at weights 0 and 100."""
    bets = view["evidence"]
    if bets["odds"] is None or not 0 < (view["weights"].get("canary") or 0) < 100:
        return ""
    end = "out" if view["enforce"] else "would be out"
    return wording.evidence("the canary is worse", bets["odds"], bets["bar"], end)


def blast_radius(view: dict[str, Any]) -> Iterator[str]:
    """Yield how many requests and users met the release, and how many of them were harmed."""
    blast = view["blast_radius"]
    if blast and blast["met"]:
        met = f"{counted(blast['met'], 'canary request')}{wording.of_users(blast['exposed_users'])}"
        gave_up = f" ({blast['gave_up']:,} gave up waiting)" if blast["gave_up"] else ""
        yield f"release so far: {met}, {blast['harmed']:,} harmed{gave_up}, {blast['rescued']:,} rescued"
    if overdue := (view["overdue"] or {}).get("canary"):
        yield f"{counted(overdue, 'request')} on the canary {are(overdue)} overdue now"


def details(view: dict[str, Any], flags: str = "") -> str:
    """Return all that is known of one service, in lines."""
    watching = "" if view["enforce"] else ", watching only"
    lines = [f"{view['name']}  {state(view)}, revision {view['revision']}{watching}"]
    last = f"last {view['window']['seconds']} s"
    for row, (backend, side) in zip(backend_rows(view), view["backends"].items(), strict=True):
        about = [f"version {side['version']}"] if side["version"] else []
        if view["origin"].get(backend) == "ledger":
            about.append("from the ledger")
        version = f" ({', '.join(about)})" if about else ""
        halted = ", halted" if backend in view["halted"] else ""
        lines.append(f"  {backend}  weight {row[3]}{halted}  {endpoints(side)}{version}")
        lines.append(f"    {last}: {_lately(view, backend, row)}")
    lines.append(f"  verdict  {verdict(view)}")
    lines += [f"    {finding['sentence']}" for finding in view["verdict"]["findings"]]
    lines += [f"  {note}" for note in notes(view, flags)]
    return "\n".join(lines)


def verdict(view: dict[str, Any]) -> str:
    """Return the state of the verdict, or that there is none."""
    return (
        str(view["verdict"]["state"]) if "canary" in view["backends"] else "none, there is no canary to judge"
    )


def endpoints(side: dict[str, Any]) -> str:
    """Return the endpoints of a backend, each with Host, condition in short and addresses, if known.

    For example: http://app:9001 (alive: 10.0.0.3:9001, 10.0.0.4:9001). Notes have the reasons.
    """
    return ", ".join(_endpoint(side, url) for url in side["endpoints"])


def _endpoint(side: dict[str, Any], url: str) -> str:
    condition = side.get("conditions", {}).get(url, "").partition(":")[0].partition(",")[0]
    about = ": ".join(filter(None, [condition, ", ".join(side.get("addresses", {}).get(url, ()))]))
    host = side.get("hosts", {}).get(url)
    about = ", ".join(filter(None, [host and f"Host {host}", about]))
    return f"{url} ({about})" if about else url


def _lately(view: dict[str, Any], backend: str, row: tuple[str, ...]) -> str:
    """Return what a backend did in the window, from its row of the table."""
    side = view["window"].get(backend) or {}
    waiting = (view["overdue"] or {}).get(backend, 0)
    overdue = f", {waiting:,} overdue now" if waiting else ""
    if not side.get("requests") and not side.get("gave_up"):
        return f"no requests{overdue}"
    gave_up = f" ({side['gave_up']:,} gave up waiting)" if side["gave_up"] else ""
    about = f"{counted(side['requests'], 'request')}, errors {row[6]}{gave_up}, p99 {row[7]}"
    return f"{row[4]} of all, {about}{overdue}"


def entry_line(entry: dict[str, Any]) -> str:
    """Return a ledger entry on one line."""
    change = f"{percent(entry['from'])} -> {percent(entry['to'])}"
    if entry["event"] == "promotion":
        change = f"{percent(entry['from'])} -> stable"
    elif entry["from"] in (None, entry["to"]):
        change = f"at {percent(entry['to'])}"
    reason = f": {entry['reason']}" if entry["reason"] else ""
    known = entry["acknowledged_ms"]
    everywhere = "" if known is None else f"; everywhere after {known:.0f} ms"
    head = f"{moment(entry['at'])}  {entry['service']}  revision {entry['revision']}"
    phase = f", {entry['phase']}" if entry["phase"] else ""
    return f"{head}  {entry['event']}  canary {change}{phase}  by {entry['actor']}{reason}{everywhere}"


def state_line(view: dict[str, Any]) -> str:
    """Return the state of a service on one line."""
    weights = ", ".join(f"{backend} {percent(weight)}" for backend, weight in view["weights"].items())
    why = f": {view['trip']['sentence']}" if tripped(view) and view["trip"] else ""
    bets = f", {text}" if (text := evidence_against(view)) else ""
    outage = f", stable is failing: {view['outage']['sentence']}" if failing(view) else ""
    return f"{view['name']}  revision {view['revision']}  {state(view)}  {weights}{outage}{bets}{why}"
