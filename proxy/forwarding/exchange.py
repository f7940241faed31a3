"""One request and its answer crossing the proxy: two sides, each in one of a few words, and the legal moves.

Every change of state of an exchange is one of the methods below, and each of them goes through a table, so
that what can't happen is an error where it happens and not a wrong answer later. Nothing here touches a
connection: the two protocols do what the exchange says.
"""

from proxy.http1.errors import BadMessage
from proxy.http1.fields import expects, offered
from proxy.http1.framing import CHUNKED, UNTIL_CLOSE
from proxy.http1.head import RequestHead
from proxy.routing.split import STABLE
from proxy.routing.table import Choice
from proxy.telemetry.outcome import FAILURE, Ending, Key, Outcome, Thresholds, classify, method_label

REQUEST_MOVES = {
    ("open", "end"): "done",
    ("open", "break"): "cut",
    ("done", "break"): "done",
}
"""The request's side: ``open`` while bytes of it are still to come, then ``done`` or ``cut``."""

RESPONSE_MOVES = {
    ("awaited", "head"): "open",
    ("awaited", "own"): "done",  # the answer is the proxy's: 502, 503, 504
    ("awaited", "pass-on"): "awaited",  # another backend is asked
    ("awaited", "switch"): "tunnel",
    ("awaited", "break"): "cut",
    ("tunnel", "end"): "done",
    ("tunnel", "break"): "cut",
    ("open", "end"): "done",
    ("open", "break"): "cut",
}
"""The response's side: ``awaited`` until its head is there, ``open`` while its body comes, a ``tunnel`` after
a 101."""

MOST_SENT = 2
"""How often a request may be put on the wire, whatever for."""

# Sending these twice means the same as sending them once (RFC 9110 section 9.2.2).
IDEMPOTENT = frozenset((b"GET", b"HEAD", b"OPTIONS", b"TRACE", b"PUT", b"DELETE"))


class Exchange:
    """One request on its way. Times are by the lane's clock, in seconds.

    Args:
        head: the request's head.
        choice: where it goes; kept to the end, whatever the table says by then.
        length: of the request's body in bytes, or CHUNKED.
        now: when the head was read.
        request_id: what the exchange is known by, here, at the endpoint and in the log.

    Raises:
        BadMessage: 413 for a body larger than the service takes, 417 for an expectation that nobody knows.
    """

    __slots__ = (
        "answered",
        "bytes_out",
        "choice",
        "ending",
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
        """When the first byte of the request went out on an established connection."""
        self.thresholds: Thresholds = ()
        """What was slow when it was sent; empty when nobody had said so."""
        self.overdue = False
        """Whether it was told as slow while its answer was awaited."""
        self.answered: float | None = None
        self.bytes_out = 0
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
        """What the attempt was counted under that this one takes the place of."""
        self.failed = ""
        """What became of that attempt, for people."""
        self.ending: Ending | None = None

    def __repr__(self) -> str:
        where = f"{self.key[0]}/{self.choice.backend}"
        return f"<Exchange {where} request {self.request}, response {self.response}, {self.ending or 'open'}>"

    def request_ended(self) -> None:
        """The client's whole request has been read."""
        self.request = REQUEST_MOVES[self.request, "end"]

    def takes(self, pieces: list[bytes]) -> None:
        """These pieces of the request's body have come.

        Raises:
            BadMessage: 413 when the body is larger than the service takes.
        """
        self.expects = False
        self.received += sum(map(len, pieces))
        most = self.choice.service.max_body
        if most is not None and self.received > most:
            raise _too_large(most)

    def switched(self, now: float) -> None:
        """The endpoint has changed to another protocol, as the client asked."""
        self.response = RESPONSE_MOVES[self.response, "switch"]
        self.status = 101
        self.answered = now

    def response_began(self, status: int, now: float) -> None:
        """The head of the final answer has come from the endpoint."""
        self.response = RESPONSE_MOVES[self.response, "head"]
        self.status = status
        self.answered = now

    def response_ended(self) -> None:
        """The whole answer has come from the endpoint."""
        self.response = RESPONSE_MOVES[self.response, "end"]
        self.ending = "complete"

    def answered_by_us(self, status: int, ending: Ending) -> None:
        """No answer could be had, and the client was told so with an answer of our own."""
        self.response = RESPONSE_MOVES[self.response, "own"]
        self.request = REQUEST_MOVES[self.request, "break"]
        self.status = status
        self.ending = ending

    def pass_on(self, choice: Choice, ending: Ending, status: int, now: float) -> Outcome:
        """The attempt came to nothing that its client has seen, and another backend is asked.

        Args:
            choice: where the request goes instead.
            ending: how the attempt ended.
            status: what the client would have been sent; 0 for nothing.
            now: the time.

        Returns:
            What is remembered of the attempt.
        """
        self.response = RESPONSE_MOVES[self.response, "pass-on"]
        self.status, self.ending = status, ending
        outcome = self.outcome(now)
        outcome.passed_on = True
        self.first = None if self.spared(ending) else self.key  # nobody failed what was never sent
        self.failed = f"{self.choice.backend} {status if ending == 'complete' else ending}"
        self.choice = choice
        self.key = (choice.service.name, choice.service.revision, choice.backend)
        self.status, self.ending = 0, None
        self.sent = self.answered = None
        self.thresholds, self.overdue = (), False
        return outcome

    def spared(self, ending: Ending | None) -> bool:
        """Whether its backend was halted before it was sent there."""
        return ending == "halted" and not self.sends

    def broke(self, ending: Ending) -> None:
        """Something ended the exchange before its answer was whole."""
        self.response = RESPONSE_MOVES[self.response, "break"]
        self.request = REQUEST_MOVES[self.request, "break"]
        self.ending = ending

    def silence(self, *, client_full: bool, endpoint_full: bool) -> tuple[Ending, int, str]:
        """Return what an exchange comes to in which nothing has moved for too long: ending, status and why.

        Args:
            client_full: the client takes no more of the answer.
            endpoint_full: the endpoint takes no more of the request.
        """
        if client_full or (self.request == "open" and not self.expects and not endpoint_full):
            self.reason = "slow-body" if self.response == "awaited" else ""
            return "client-left", 408, "the body of the request stopped coming"
        return "timeout", 504, "the service took too long to answer"

    def may_retry(self) -> bool:
        """Tell whether the request may be sent once more after a pooled connection proved stale.

        Only without a body and only if sending it twice means the same as once (RFC 9110 section 9.2.2).
        """
        return self.sends < MOST_SENT and not self.length and self.head.method in IDEMPOTENT

    def is_last(self, length: int) -> bool:
        """Tell whether no other request can come behind this one, as its answer begins.

        `length`: of the answer's body as the client gets it, in bytes, CHUNKED or UNTIL_CLOSE.
        """
        # While the request is open nobody can tell whether the rest of it will be wanted.
        return self.request == "open" or length == UNTIL_CLOSE

    def is_plain(self, length: int) -> bool:
        """Tell whether its answer goes on as it came, on a connection that goes on: nearly every one does.

        `length`: as of `is_last`.
        """
        if self.is_last(length) or self.upgrade or not self.head.minor:
            return False
        choice = self.choice
        return not choice.issue and not choice.service.choice_header

    def framed(self, length: int) -> int:
        """Return how a body of this length is framed for the client, in bytes, CHUNKED or UNTIL_CLOSE.

        Only chunks tell a whole body from a cut one; HTTP/1.0 doesn't know them.
        """
        if length >= 0:
            return length
        return CHUNKED if self.head.minor else UNTIL_CLOSE

    def own_lines(self, *, persistent: bool, secure: bool) -> bytes:
        """Return the lines that are added to the answer, each with its CRLF."""
        lines = b""
        if not persistent:
            lines = b"Connection: close\r\n"
        elif not self.head.minor:
            lines = b"Connection: keep-alive\r\n"
        return lines + self.choice_lines(secure=secure)

    def choice_lines(self, *, secure: bool) -> bytes:
        """Return the lines that tell of the choice: the sticky cookie, and the choice header."""
        choice = self.choice
        service = choice.service
        lines = b""
        if choice.issue:
            lines = b"Set-Cookie: %b\r\n" % service.sticky.set_cookie(choice.issue, secure=secure)
        if service.choice_header:
            lines += f"{service.choice_header}: {choice.backend}; why={choice.why}\r\n".encode()
        return lines

    def outcome(self, now: float) -> Outcome:
        """Return what is remembered of the exchange, once it has an ending."""
        assert self.ending is not None, self
        head_seconds = None
        if self.answered is not None and self.sent is not None:
            head_seconds = self.answered - self.sent
        choice, head = self.choice, self.head
        result = classify(self.ending, self.status, choice.service.failures)
        return Outcome(
            self.key,
            method_label(head.method),
            self.status,
            self.ending,
            result,
            choice.drawn,
            head_seconds,
            now - self.started,
            head.path if result == FAILURE else b"",
            choice.user,
            choice.key != b"" and choice.backend != STABLE,
            self.thresholds,
            self.overdue,
            not (choice.drawn or choice.pinned),
            False,
            self.first,
        )


def _too_large(most: int) -> BadMessage:
    return BadMessage(413, "body", f"a body of more than {most} bytes")
