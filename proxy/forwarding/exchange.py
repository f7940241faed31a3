"""One request and its answer crossing the proxy: two sides, each in one of a few states, and the legal moves.

Only the methods below change an exchange, each named after what has happened; a change of state goes through
a table, so that what can't happen is an error where it happens and not a wrong answer later. Nothing here
touches a connection: the two protocols do what the exchange decides.
"""

from dataclasses import replace

from proxy.http1.errors import BadMessage
from proxy.http1.fields import expects, offered
from proxy.http1.head import IDEMPOTENT, RequestHead
from proxy.routing.address import Address
from proxy.routing.split import STABLE
from proxy.routing.table import Choice
from proxy.telemetry.outcome import FAILURE, Ending, Key, Outcome, Thresholds, classify, method_label

REQUEST_MOVES = {
    ("open", "end"): "done",
    ("open", "break"): "cut",
    ("done", "break"): "done",
}
"""The request's side: `open` while bytes of it are still to come, then `done` or `cut`."""

RESPONSE_MOVES = {
    ("awaited", "head"): "open",
    ("awaited", "whole"): "done",  # head and body came at once
    ("awaited", "own"): "done",  # the answer is the proxy's: 502, 503, 504
    ("awaited", "pass-on"): "awaited",  # another backend is asked
    ("awaited", "switch"): "tunnel",
    ("awaited", "break"): "cut",
    ("tunnel", "end"): "done",
    ("tunnel", "break"): "cut",
    ("open", "end"): "done",
    ("open", "break"): "cut",
}
"""The response's side: `awaited` until its head came, `open` while its body comes; a `tunnel` after a 101."""

MOST_SENT = 2
"""How often a request may be put on the wire, whatever for."""


class Exchange:
    """One request on its way. Times are by the data plane's clock, in seconds.

    Args:
        head: the request's head.
        choice: where it goes; kept to the end, whatever the table says by then.
        length: of the request's body, in bytes, or CHUNKED.
        now: when the head was read.
        request_id: identifies the exchange here, at the endpoint and in the log.

    Raises:
        BadMessage: 413 for a body larger than the service takes, 417 for an unknown expectation.
    """

    __slots__ = (
        "answered",
        "bytes_out",
        "choice",
        "ending",
        "events",
        "expects",
        "failed",
        "first",
        "head",
        "hinted",
        "key",
        "length",
        "overdue",
        "reason",
        "received",
        "request",
        "request_id",
        "response",
        "sends",
        "sent",
        "started",
        "status",
        "thresholds",
        "upgrade",
        "waited",
    )

    def __init__(
        self, head: RequestHead, choice: Choice, length: int, now: float, request_id: bytes = b""
    ) -> None:
        service = choice.service
        self.head = head
        self.choice = choice
        self.key: Key = (service.name, service.revision, choice.backend)
        if service.max_body is not None and length > service.max_body:
            raise _too_large(service.max_body)
        self.length = length
        self.request = "done" if length == 0 else "open"
        self.response = "awaited"
        self.status = 0
        self.started = now
        self.sent: float | None = None
        """When the first byte of the request went out on an established connection; None before that."""
        self.thresholds: Thresholds = ()
        """What was slow when it was sent; empty when that wasn't known."""
        self.overdue = False
        """Whether it was counted as slow while its answer was awaited."""
        self.waited = False
        """Whether the client has waited for too long, here or where the request was sent first."""
        self.answered: float | None = None
        self.bytes_out = 0
        self.events = False
        """Whether the answer is an event stream, which may be silent for longer than another body."""
        self.request_id = request_id
        steering = head.steering
        self.upgrade = b"" if length or b"upgrade" not in steering else offered(head, service.upgraded)
        """The protocols that the client may change to; a request with a body goes on as an ordinary one."""
        self.expects = b"expect" in steering and expects(head)
        """Whether the client may be waiting for a 100 (Continue) before it sends the body."""
        self.received = 0
        """Bytes of the request's body that have come."""
        self.reason = ""
        """Why the request was refused, in one word; empty when it wasn't."""
        self.sends = 0
        """How often the request was put on the wire."""
        self.hinted = False
        """Whether the client was sent an interim answer."""
        self.first: Key | None = None
        """The key of the attempt that this one takes the place of; None: it is the first."""
        self.failed = ""
        """How that attempt ended, for people."""
        self.ending: Ending | None = None

    def __repr__(self) -> str:
        where = f"{self.key[0]}/{self.choice.backend}"
        return f"<Exchange {where} request {self.request}, response {self.response}, {self.ending or 'open'}>"

    # What happens.

    def reached(self, address: Address) -> None:
        """Record which address of the chosen backend took a connection."""
        if address is not self.choice.address:
            self.choice = replace(self.choice, address=address)

    def send(self, now: float, thresholds: Thresholds) -> None:
        """Record that the request goes out on an established connection, for the first time or once more.

        Args:
            now: the time of its first byte.
            thresholds: what is slow from now on; empty when that isn't known.
        """
        self.sends += 1
        self.sent = now
        self.thresholds = thresholds

    def request_came(self, pieces: list[bytes]) -> None:
        """Count pieces of the request's body that have come.

        Raises:
            BadMessage: 413 when the body is larger than the service takes.
        """
        self.expects = False
        self.received += sum(map(len, pieces))
        most = self.choice.service.max_body
        if most is not None and self.received > most:
            raise _too_large(most)

    def request_ended(self) -> None:
        """Record that the client's whole request has been read."""
        self.request = REQUEST_MOVES[self.request, "end"]

    def refuse(self, reason: str) -> None:
        """Record what is at fault with the request, in one word, before it is answered or cut off."""
        self.reason = reason
        self.waited = False  # for itself at most

    def continued(self) -> None:
        """Record that the endpoint has asked for the body with a 100 (Continue)."""
        self.expects = False

    def hint(self) -> None:
        """Record that the client gets an interim answer."""
        self.hinted = True

    def fall_overdue(self) -> None:
        """Record that the answer is still awaited when the last threshold has passed."""
        self.overdue = self.waited = True

    def switched(self, now: float) -> None:
        """Record that the endpoint has changed to another protocol, as the client asked."""
        self.response = RESPONSE_MOVES[self.response, "switch"]
        self.status = 101
        self.answered = now

    def response_began(self, status: int, now: float, head_size: int, *, events: bool = False) -> None:
        """Record that the head of the final answer has come from the endpoint.

        `head_size`: bytes of it that go to the client with the first ones of the body, and don't count.
        `events`: whether it is an event stream.
        """
        self.events = events
        self.response = RESPONSE_MOVES[self.response, "head"]
        self.status = status
        self.answered = now
        self.bytes_out = -head_size

    def response_came(self, size: int) -> None:
        """Count bytes of the answer that go to the client."""
        self.bytes_out += size

    def response_ended(self) -> None:
        """Record that the whole answer has come from the endpoint."""
        self.response = RESPONSE_MOVES[self.response, "end"]
        self.ending = "complete"

    def response_came_whole(self, status: int, now: float, size: int) -> None:
        """Record that an answer has come at once, with a body of this size. Most do, so it is one step."""
        self.response = RESPONSE_MOVES[self.response, "whole"]
        self.status = status
        self.answered = now
        self.bytes_out = size
        self.ending = "complete"

    def answered_by_us(self, status: int, ending: Ending, size: int) -> None:
        """Record that no answer could be had, and the client gets one of ours, with a body of this size."""
        self.response = RESPONSE_MOVES[self.response, "own"]
        self.request = REQUEST_MOVES[self.request, "break"]
        self.status = status
        self.ending = ending
        self.bytes_out = size

    def pass_on(self, choice: Choice, ending: Ending, status: int, now: float) -> Outcome:
        """Record that an attempt came to nothing that its client has seen, and another backend is asked.

        Args:
            choice: where the request goes instead.
            ending: how the attempt ended.
            status: what the client would have been sent; 0 for nothing.
            now: the time.

        Returns:
            The outcome of the attempt.
        """
        self.response = RESPONSE_MOVES[self.response, "pass-on"]
        self.status, self.ending = status, ending
        if ending == "complete":
            self.answered = now  # by an error that is withheld
        outcome = self.outcome(now)
        outcome.passed_on = True
        self.first = None if self.spared(ending) else self.key  # what was never sent hasn't failed
        self.failed = f"{self.choice.backend} {status if ending == 'complete' else ending}"
        self.choice = choice
        self.key = (choice.service.name, choice.service.revision, choice.backend)
        self.status, self.ending = 0, None
        self.sent = self.answered = None
        self.thresholds, self.overdue = (), False
        return outcome

    def left(self, *, endpoint_full: bool) -> None:
        """Record that the client has gone away before its answer was whole.

        One that was still sending has not waited, unless the endpoint took no more.
        """
        self.waited = self.waited and (self.request == "done" or endpoint_full)
        self.broke("client-left")

    def broke(self, ending: Ending) -> None:
        """Record that the exchange has ended before its answer was whole."""
        self.response = RESPONSE_MOVES[self.response, "break"]
        self.request = REQUEST_MOVES[self.request, "break"]
        self.ending = ending

    # What follows from it.

    def spared(self, ending: Ending | None) -> bool:
        """Return whether its backend was halted before it was sent there."""
        return ending == "halted" and not self.sends

    def silence(self, *, client_full: bool, endpoint_full: bool) -> tuple[Ending, int, str]:
        """Return what an exchange comes to in which nothing has moved for too long: ending, status and why.

        Args:
            client_full: the client takes no more of the answer.
            endpoint_full: the endpoint takes no more of the request.
        """
        if client_full or (self.request == "open" and not self.expects and not endpoint_full):
            return "client-left", 408, "the body of the request stopped coming"
        return "timeout", 504, "the service took too long to answer"

    def may_retry(self) -> bool:
        """Return whether the request may be sent once more after a pooled connection proved stale.

        Only without a body, and only with an idempotent method.
        """
        return self.sends < MOST_SENT and not self.length and self.head.method in IDEMPOTENT

    def outcome(self, now: float) -> Outcome:
        """Return the outcome of the exchange, once it has an ending."""
        assert self.ending is not None, self
        choice, head = self.choice, self.head
        # Field by field: keywords take 0.5 us more, and sixteen values in a row are soon swapped.
        outcome = Outcome.__new__(Outcome)
        outcome.key = self.key
        outcome.method = method_label(head.method)
        outcome.status = self.status
        outcome.ending = self.ending
        outcome.result = result = classify(self.ending, self.status, choice.service.failures)
        outcome.drawn = choice.drawn
        outcome.head_seconds = None
        if self.answered is not None and self.sent is not None:
            outcome.head_seconds = self.answered - self.sent
        outcome.total_seconds = now - self.started
        outcome.route = head.path if result == FAILURE else b""
        outcome.user = choice.user
        outcome.exposed = choice.key != b"" and choice.backend != STABLE
        outcome.thresholds = self.thresholds
        outcome.overdue = self.overdue
        outcome.taken_over = not (choice.drawn or choice.pinned)
        outcome.passed_on = False
        outcome.rescue_of = self.first
        outcome.gave_up = self.waited and self.ending == "client-left" and not self.status
        return outcome


def _too_large(most: int) -> BadMessage:
    return BadMessage(413, "body", f"a body of more than {most} bytes")
