"""Defaults of config keys that the code behind the schema needs as well.

A key that the file leaves out has this value; the schema writes it into its documentation. A worker begins
with the values for connections and heads before control has sent it any.
"""

ADMIN_ADDRESS = "127.0.0.1:9900"
"""Of the admin API."""

HEADER_TIMEOUT = 10.0
"""Seconds for the head of a request."""
CONNECT_TIMEOUT = 5.0
"""Seconds for a connection to an endpoint."""
RESPONSE_TIMEOUT = 60.0
"""Seconds for the head of an answer, from the request's last byte."""
BODY_TIMEOUT = 60.0
"""Seconds for the next byte of a body, in either direction."""
EVENTS_TIMEOUT = 3600.0
"""Seconds for the next byte of an event stream."""
IDLE_TIMEOUT = 75.0
"""Seconds for the next request of a client's connection."""
TUNNEL_TIMEOUT = 3600.0
"""Seconds for the next byte of an upgraded connection, in either direction."""

POOL_IDLE_TIMEOUT = 4.0
"""Seconds that an unused connection to an endpoint is kept: less than the 5 s after which uvicorn and Node.js
close their end. A request that is sent at that very moment is lost, unless it may be sent again."""
POOL_AGE = 60.0
"""Seconds for which a connection to an endpoint gets requests after it was made, a tenth more or less: a name
that leads to other instances behind one address, as that of a Kubernetes Service, is followed by then."""
POOL_MAX_IDLE = 64
"""Unused connections that each worker keeps for an endpoint."""

LINE_BYTES = 16 * 1024
"""Of a first line, a chunk line or a trailer, at most."""
HEAD_BYTES = 64 * 1024
"""Of a whole head, or all trailers, at most."""
HEAD_FIELDS = 200
"""Fields of a head, or trailers, at most."""

COOKIE_MAX_AGE = 30 * 24 * 60 * 60
"""Seconds for which browsers keep the cookie of a sticky user."""
UPGRADES = ("websocket",)
"""Protocols that clients may change to, in lower case."""
FAILED_ENDINGS = ("connect", "tls", "timeout", "reset", "garbage", "truncated")
"""Ways in which an endpoint can fail without a status of its own, as `proxy.telemetry.outcome` names them.

All of them count as failures, and so does every 5xx; no other ending can."""
RESCUE_BODY_BYTES = 64 * 1024
"""Of a request's body that are kept to send the request again, at most."""
DRAIN = 10.0
"""Seconds for which tunnels and answers of a halted backend may go on."""

EJECTION_FAILURES = 5
"""Failed requests in a row after which a worker leaves an endpoint alone."""
EJECTION_BACKOFF = 10.0
"""Seconds for which it does, the first time."""
EJECTION_LONGEST = 300.0
"""Seconds for which it does, at most."""

EXTRA_ERRORS = 0.001
"""The share (0..1) by which more of the canary's answers than of stable's may fail."""
SLOWER_BY = 0.25
"""The share (0.25: a quarter) by which the canary's answers may be later than stable's threshold."""
SLOWER_AT_LEAST = 0.005
"""Seconds by which they may be later in any case."""
WARM_UP = 60.0
"""Seconds after each rise of the weight in which the canary may be slower than it will be."""
FALSE_ROLLBACKS = 0.01
"""The share (0..1) of good releases that may be rolled back by chance."""
STEP_UP_EXTRA_ERRORS = 0.01
"""The share (0..1) by which more of the canary's answers than of stable's may fail, for a larger weight."""
STEP_UP_CONFIDENCE = 0.95
"""How sure (0..1) that must be."""

STEP_HOLD = 120.0
"""Seconds that a step of a rollout lasts, at least."""
STEP_REQUESTS = 200
"""Answers of the canary that a step takes, at least."""
ROLLOUT_DEADLINE = 86_400.0
"""Seconds after which a rollout that isn't done is paused."""
