"""splitweir: a traffic-splitting reverse proxy that takes a bad canary out by itself.

The packages are the product's nouns, in the order in which a request meets them:

    http1       bytes become a message, and a message bytes
    routing     a message becomes a choice: which service, which backend, which endpoint, and why
    forwarding  the choice becomes an exchange: one request and its answer crossing the proxy
    telemetry   the exchange becomes an outcome, outcomes a tally, tallies a window
    analysis    windows become a verdict on the canary
    rollout     verdicts and orders become the service's next state
    control     the state becomes a routing table again, and the ledger records why

`worker` is the process that carries traffic, `control` the one that decides, `supervisor` their parent.
Worker and control share three things only: the table that goes down, the tally that comes up, and the
messages of `link` that carry them. `cli` has the commands, and `demo` the demonstration.
"""

__version__ = "0.1.0"
