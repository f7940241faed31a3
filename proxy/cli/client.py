"""The client of the admin API, and its errors as messages with exit codes.

It uses the standard library's HTTP client, so that a verb starts fast.
"""

import contextlib
import http.client
import json
from collections.abc import Iterator, Mapping
from typing import IO, Any
from urllib.parse import quote, urlsplit

import click

from proxy import __version__

TIMEOUT = 10.0
"""Seconds to connect, and again for the answer."""
SILENCE = 45.0
"""Seconds without data after which an event stream counts as dead; control sends something every 15."""

NO_FIELDS: Mapping[str, str] = {}


class Failure(click.ClickException):
    """An error that ends the verb with a message on stderr and an exit code."""

    def show(self, file: IO[Any] | None = None) -> None:
        """Print the message in the format of all errors."""
        click.echo(f"error: {self.message}", file=file, err=file is None)


class Misuse(Failure):
    """An error: the usage of the verb or the request is wrong."""

    exit_code = 2


class ApiFailure(Failure):
    """An error of the API itself; a later attempt may succeed."""

    exit_code = 3


class Unreachable(ApiFailure):
    """An error: no admin API answers at the address."""

    def __init__(self, url: str, why: str) -> None:
        super().__init__(
            f"the admin API at {url} is unreachable: {why}. "
            "Is weir running, and is this its `admin.listen`? Set the address with --admin URL or WEIR_ADMIN."
        )


class OrderConflict(Failure):
    """An error: the order conflicts with the present state."""

    exit_code = 4


class Client:
    """The API at `url` (http or https, with a path prefix if it has one), with a bearer token or ""."""

    def __init__(self, url: str, token: str = "") -> None:
        self._secure, self._host, self._port, self._prefix = address(url)
        if any(not "!" <= char <= "~" for char in token):
            raise Misuse(
                "the token has spaces or other characters that HTTP does not allow in a header field"
            )
        self.url = url.rstrip("/")
        self._token = token

    def __repr__(self) -> str:
        return f"<Client of {self.url}{' with a token' if self._token else ''}>"

    def services(self) -> dict[str, Any]:
        """Return the generation and all services."""
        return self.call("GET", "/api/v1/services")

    def service(self, name: str) -> dict[str, Any]:
        """Return one service."""
        return self.call("GET", service_path(name))

    def call(
        self,
        method: str,
        path: str,
        body: dict[str, Any] | None = None,
        fields: Mapping[str, str] = NO_FIELDS,
    ) -> dict[str, Any]:
        """Send a request; return the JSON object of the answer.

        Raises:
            ApiFailure: the API is unreachable, or answers 5xx.
            OrderConflict: it answers 409 or 412.
            Misuse: it answers another 4xx.
        """
        status, content = self.exchange(method, path, body, {"Accept": "application/json", **fields})
        document = read_object(content)
        if status != 200 or document is None:
            raise self._failure(status, document)
        return document

    def probe(self, path: str = "", timeout: float = TIMEOUT) -> tuple[int, str]:
        """Send a GET; return the status, and the text or the detail of the answer. Raises Unreachable."""
        status, content = self.exchange("GET", path, None, {}, timeout)
        document = read_object(content)
        text = document.get("detail", "") if document else content[:200].decode(errors="replace")
        return status, str(text).strip()

    def exchange(
        self,
        method: str,
        path: str,
        body: dict[str, Any] | None,
        fields: Mapping[str, str],
        timeout: float = TIMEOUT,
    ) -> tuple[int, bytes]:
        """Send a request on a connection of its own; return any status and content. Raises Unreachable."""
        connection = self._connection(timeout)
        with (
            self._translated_errors(),
            contextlib.closing(connection),
            self._request(connection, method, path, body, fields) as response,
        ):
            return response.status, response.read()

    def events(self, after: int | None = None) -> "EventStream":
        """Open the stream of ledger entries after an id (None: from now on); raise ApiFailure or Misuse."""
        fields = {"Accept": "text/event-stream"}
        if after is not None:
            fields["Last-Event-ID"] = str(after)
        connection = self._connection(SILENCE)
        with self._translated_errors(), contextlib.ExitStack() as stack:
            stack.enter_context(contextlib.closing(connection))
            response = stack.enter_context(self._request(connection, "GET", "/api/v1/events", None, fields))
            if response.status != 200:
                raise self._failure(response.status, read_object(response.read()))
            return EventStream(response, stack.pop_all())

    def _request(
        self,
        connection: http.client.HTTPConnection,
        method: str,
        path: str,
        body: dict[str, Any] | None,
        fields: Mapping[str, str],
    ) -> http.client.HTTPResponse:
        headers = {**fields, "User-Agent": f"weir/{__version__}", "Connection": "close"}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        content = None
        if body is not None:
            content = json.dumps(body).encode()
            headers["Content-Type"] = "application/json"
        connection.request(method, self._prefix + path, content, headers)
        return connection.getresponse()

    def _connection(self, timeout: float) -> http.client.HTTPConnection:
        """Return a connection, which opens with its first request."""
        kind = http.client.HTTPSConnection if self._secure else http.client.HTTPConnection
        return kind(self._host, self._port, timeout=timeout)

    @contextlib.contextmanager
    def _translated_errors(self) -> Iterator[None]:
        """Translate errors of sockets, names and framing into Unreachable."""
        try:
            yield
        except (OSError, http.client.HTTPException, UnicodeError) as error:
            raise Unreachable(self.url, reason(error)) from error

    def _failure(self, status: int, document: dict[str, Any] | None) -> Failure:
        """Return the failure for an answer: 409 and 412 are conflicts, 5xx API failures, other 4xx misuse."""
        if status < 400 or document is None or "detail" not in document:
            return Unreachable(self.url, f"it answered {status}, but not as weir does")
        detail = f"{str(document['detail']).rstrip('.')} (HTTP {status})"
        if "text" in document:  # the problems of a file, as `weir lint` reports them
            detail += f"\n{document['text']}"
        if status == 401:
            detail += "; set the token with --token-file FILE or WEIR_TOKEN"
        if status in (409, 412):
            return OrderConflict(detail)
        return ApiFailure(detail) if status >= 500 else Misuse(detail)


class EventStream:
    """An open stream of ledger entries. The iteration ends with the stream, for any reason."""

    def __init__(self, lines: http.client.HTTPResponse, connection: contextlib.ExitStack) -> None:
        self._lines = lines
        self._connection = connection

    def __repr__(self) -> str:
        return f"<EventStream {'closed' if self._lines.isclosed() else 'open'}>"

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """Yield each entry as it happens. Every event of this API is one data line."""
        try:
            while line := self._lines.readline():
                if line.startswith(b"data:") and (entry := read_object(line[5:])) is not None:
                    yield entry
        except (OSError, http.client.HTTPException):
            return  # silent for too long, or cut: the caller has the last id and may connect again
        finally:
            self.close()

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


def address(url: str) -> tuple[bool, str, int | None, str]:
    """Return whether a URL is https, its host, port (None: the default) and path prefix; raise Misuse."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise Misuse(f"{url!r} is no address of an admin API; expected one such as http://127.0.0.1:9900")
    return parts.scheme == "https", parts.hostname, port, parts.path.rstrip("/")


def service_path(name: str, part: str = "") -> str:
    """Return the path of a service or of a part of it."""
    return f"/api/v1/services/{quote(name, safe='')}{part}"


def read_object(content: bytes) -> dict[str, Any] | None:
    """Return the JSON object in `content`; None: it has none."""
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None


def reason(error: Exception) -> str:
    """Return the reason of a connection error in a few words."""
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, http.client.HTTPException):
        return f"its answer is not HTTP ({type(error).__name__})"
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
