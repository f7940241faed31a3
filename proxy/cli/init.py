"""The verb `weir init`, and the config file that it writes."""

from pathlib import Path

import click

from proxy.cli.configfile import DEFAULT, refuse

TEMPLATE = """\
# splitweir: check this file with `weir lint`, run it with `weir run`.
# Everything but `services` is optional; a line after `#` has the default or an example.

listen: ":8080"              # where clients connect; a list is possible
# workers: auto              # processes that carry traffic; auto: one for each processor

# admin:                     # control API and metrics
#   listen: 127.0.0.1:9900   # any address but loopback needs a token
#   token: ${WEIR_TOKEN}     # or token_file: /run/secrets/weir
# state: weir.db             # the ledger: weights and rollbacks, kept over restarts

services:
  checkout:
    stable: http://127.0.0.1:9001
    canary: http://127.0.0.1:9002   # a list of URLs, or {endpoints: [...], version: "1.4"}
    weight: 5%                      # the canary's share at first, in steps of 0.01 %
    # rollout: {steps: [1%, 10%, 50%, 100%]}   # instead of weight; `weir start checkout` begins

    # match: {host: shop.example, path: /checkout}   # default: every request

    # sticky: {cookie: weir}        # a user stays on one backend; also {header: NAME}, {client_ip: true}
    # force: {header: X-Canary}     # its value `always` or `never` chooses the backend
    # segments:                     # requests that get the canary at any weight; the first match decides
    #   - name: staff
    #     to: canary
    #     match: {header: {X-Staff: {exact: "yes"}}}

    # A canary that fails more than stable or is slower is out for all clients, until `weir resume checkout`.
    # analysis: auto                # or {extra_errors: 0.1%, slower: {by: 25%}, false_rollbacks: 1%}; off
    # checks:                       # plain rules beside it, without a bound on false alarms
    #   - {metric: error-rate, max: 5%, window: 30s, min_requests: 20}
    #   - {metric: latency-p99, max: 400ms, window: 30s, min_requests: 20}
    # caps: {harmed: 50}            # clients that may get bad answers or give up waiting until it is out
    # health: {path: /healthz}      # probes each endpoint
    # hooks: [{at: before-promotion, url: https://ci.example/may-promote}]   # asked first
    # notify: [{url: "${WEIR_NOTIFY}", format: slack}]   # gets pauses, promotions and trips

# log: {level: info, access: off}   # access: json, combined or common
# timeouts: {header: 10s, connect: 5s, response: 60s, body: 60s, idle: 75s, tunnel: 1h}
# limits: {line: 16KiB, head: 64KiB, fields: 200, body: none, connections: auto}
# trusted_proxies: [10.0.0.0/8]   # proxies whose X-Forwarded-For and X-Request-Id are kept
# shutdown: {delay: 0s, grace: 30s}
"""


@click.command()
@click.argument("file", metavar="[CONFIG]", default=DEFAULT)
@click.option("--force", is_flag=True, help="Overwrite a file that exists.")
def init(file: str, force: bool) -> None:
    """Write a commented config file (by default ./weir.yaml) to start from.

    Exit codes: 0 written, 2 usage, or the file exists already or can't be written.
    """
    path = Path(file)
    try:
        with path.open("w" if force else "x", encoding="utf-8") as opened:
            opened.write(TEMPLATE)
    except FileExistsError:
        refuse(f"{file} exists already; overwrite it with --force")
    except OSError as error:
        refuse(f"{file} can't be written: {(error.strerror or str(error)).lower()}")
    click.echo(f"wrote {file}; edit its addresses, then: weir run{'' if file == DEFAULT else f' {file}'}")
