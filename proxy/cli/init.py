"""`weir init`."""

from pathlib import Path

import click

from proxy.cli.configfile import DEFAULT, refuse

TEMPLATE = """\
# splitweir: check this file with `weir lint`, run it with `weir run`.
# Everything but `services` may be left out; what is shown behind `#` is the default or an example.

listen: ":8080"              # where clients connect; a list is fine too
# workers: auto              # processes that carry traffic; auto: one for each processor

# admin:                     # control API and metrics
#   listen: 127.0.0.1:9900   # anything but loopback needs a token
#   token: ${WEIR_TOKEN}     # or token_file: /run/secrets/weir
# state: weir.db             # remembers weights and trips over restarts

services:
  checkout:
    stable: http://127.0.0.1:9001
    canary: http://127.0.0.1:9002   # a list of URLs, or {endpoints: [...], version: "1.4"}
    weight: 5%                      # the canary's share to start with, in steps of 0.01 %
    # rollout: {steps: [1%, 10%, 50%, 100%]}   # instead: `weir start checkout` walks it up, step by step

    # match: {host: shop.example, path: /checkout}   # left out: every request

    # sticky: {cookie: weir}        # a user stays on one side; also {header: NAME} or {client_ip: true}
    # force: {header: X-Canary}     # `always` or `never` in it chooses the side
    # segments:                     # who gets the canary whatever the weight; the first that matches decides
    #   - name: staff
    #     to: canary
    #     match: {header: {X-Staff: {exact: "yes"}}}

    # A canary that fails or slows down more than stable is out, for everybody, until `weir resume checkout`.
    # analysis: auto                # or {extra_errors: 0.1%, slower: {by: 25%}, false_rollbacks: 1%}; off
    # checks:                       # plain rules beside it; they have no bound on false alarms
    #   - {metric: error-rate, max: 5%, window: 30s, min_requests: 20}
    #   - {metric: latency-p99, max: 400ms, window: 30s, min_requests: 20}
    # caps: {harmed: 50}            # bad answers that may reach clients before it is out, whatever else
    # health: {path: /healthz}      # asks each endpoint whether it is alive
    # hooks: [{at: before-promotion, url: https://ci.example/may-promote}]   # may it go on?
    # notify: [{url: "${WEIR_NOTIFY}", format: slack}]   # told of pauses, promotions and trips

# log: {level: info, access: off}   # access: json, combined or common
# timeouts: {header: 10s, connect: 5s, response: 60s, body: 60s, idle: 75s, tunnel: 1h}
# limits: {line: 16KiB, head: 64KiB, fields: 200, body: none, connections: auto}
# trusted_proxies: [10.0.0.0/8]   # whose X-Forwarded-For and X-Request-Id are kept
# shutdown: {delay: 0s, grace: 30s}
"""


@click.command()
@click.argument("file", metavar="[CONFIG]", default=DEFAULT)
@click.option("--force", is_flag=True, help="Overwrite a file that exists.")
def init(file: str, force: bool) -> None:
    """Write a commented config file (./weir.yaml when none is named) to start from."""
    path = Path(file)
    try:
        with path.open("w" if force else "x", encoding="utf-8") as opened:
            opened.write(TEMPLATE)
    except FileExistsError:
        refuse(f"{file} exists already; --force overwrites it")
    except OSError as error:
        refuse(f"{file} can't be written: {(error.strerror or str(error)).lower()}")
    click.echo(f"wrote {file}; edit its addresses, then: weir run{'' if file == DEFAULT else f' {file}'}")
