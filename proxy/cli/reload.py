"""The verb `weir reload`, which puts the changed config file in force."""

from typing import Any

import click

from proxy.cli.session import Session, client_verb


@click.command()
@client_verb
def reload(session: Session) -> None:
    """Make the running proxy read its config file again and put it in force as a whole.

    A file with a problem changes nothing. Keys that need a restart are listed. No weight changes, except that
    a canary which the file names anew begins with the file's. Exit codes: 0 done, 2 the file has a problem,
    3 admin unreachable or the ledger can't be written.
    """
    answer = session.client.call("POST", "/api/v1/config/reload")
    session.print(answer, "\n".join(lines(answer)))


def lines(answer: dict[str, Any]) -> list[str]:
    """Return what has changed, a line each."""
    found = [f"{name}: {', '.join(keys)} changed" for name, keys in answer["changed"].items()]
    found += [f"{name}: new" for name in answer["added"]]
    found += [f"{name}: removed" for name in answer["removed"]]
    if answer["shared"]:
        found.append(f"for all services: {', '.join(answer['shared'])} changed")
    if answer["restart"]:
        found.append(f"needs a restart, and is unchanged until then: {', '.join(answer['restart'])}")
    return found or ["the file is the same as before: nothing was changed"]
