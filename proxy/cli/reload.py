"""`weir reload`."""

from typing import Any

import click

from proxy.cli.admin import Admin, admin_verb


@click.command()
@admin_verb
def reload(admin: Admin) -> None:
    """Have the running proxy read its config file again, and put it in force as a whole.

    A file that is wrong changes nothing. What needs a restart is named. A weight is never moved by it.
    Exit codes: 0 done, 2 the file is wrong, 3 admin unreachable or the ledger can't be written.
    """
    answer = admin.client.call("POST", "/api/v1/config/reload")
    admin.tell(answer, "\n".join(lines(answer)))


def lines(answer: dict[str, Any]) -> list[str]:
    """What changed, a line each."""
    found = [f"{name}: {', '.join(keys)} changed" for name, keys in answer["changed"].items()]
    found += [f"{name}: new" for name in answer["added"]]
    found += [f"{name}: gone" for name in answer["removed"]]
    if answer["shared"]:
        found.append(f"for all services: {', '.join(answer['shared'])} changed")
    if answer["restart"]:
        found.append(f"needs a restart, and is as before: {', '.join(answer['restart'])}")
    return found or ["the file says what it said before: nothing was changed"]
