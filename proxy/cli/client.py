"""The admin API from a client's side: the standard library's HTTP client, and errors in words for a person.

A verb must start in a blink, so nothing here imports a web framework.
"""

import contextlib
import http.client
import json
from collections.abc import Iterator, Mapping
from typing import IO, Any
from urllib.parse import quote, urlsplit

import click

from proxy import __version__

TIMEOUT = 10.0  # seconds for connecting, and for an answer
SILENCE = 45.0  # seconds after which an event stream counts as dead; control says something every 15

NO_FIELDS: Mapping[str, str] = {}


class Failure(click.ClickException):
    """Something that ends the verb: a message for stderr and an exit code."""

    def show(self, file: IO[Any] | None = None) -> None:
        """As the rest of the program words its errors."""
        click.echo(f"error: {self.message}", file=file, err=file is None)


class Misused(Failure):
    """What was asked cannot be asked so."""

    exit_code = 2


class Trouble(Failure):
    """The API did not do its work; asking again later may help."""

    exit_code = 3


class Unreachable(Trouble):
    """Nothing that speaks for weir answers at the address."""

    def __init__(self, url: str, why: str) -> None:
        super().__init__(
            f"the admin API at {url} is unreachable: {why}. "
            "Is weir running, and is this its `admin.listen`? --admin URL or WEIR_ADMIN names another."
        )


class Conflict(Failure):
    """The order does not fit what is in force."""

    exit_code = 4


class Client:
    """The API at ``url`` (http or https, with a path in front if it has one), with a bearer token or ""."""

    def __init__(self, url: str, token: str = "") -> None:
        self._secure, self._host, self._port, self._prefix = address(url)
        if any(not "!" <= char <= "~" for char in token):
            raise Misused("the token holds spaces or other characters that HTTP cannot carry in it")
        self.url = url.rstrip("/")
        self._token = token

    def __repr__(self) -> str:
        return f"<Client of {self.url}{' with a token' if self._token else ''}>"

    def services(self) -> dict[str, Any]:
        """The generation and all services."""
        return self.call("GET", "/api/v1/services")

    def service(self, name: str) -> dict[str, Any]:
        """One service."""
        return self.call("GET", service_path(name))

    def call(
        self,
        method: str,
        path: str,
        body: dict[str, Any] | None = None,
        fields: Mapping[str, str] = NO_FIELDS,
    ) -> dict[str, Any]:
        """The JSON object that the API answers. Raises Trouble, Conflict or Misused."""
        status, content = self.exchange(method, path, body, {"Accept": "application/json", **fields})
        document = read_object(content)
        if status != 200 or document is None:
            raise self._refusal(status, document)
        return document

    def probe(self, path: str = "", timeout: float = TIMEOUT) -> tuple[int, str]:
        """Status and what was said, where the answer is a word or a problem. Raises Unreachable."""
        status, content = self.exchange("GET", path, None, {}, timeout)
        document = read_object(content)
        said = document.get("detail", "") if document else content[:200].decode(errors="replace")
        return status, str(said).strip()

    def exchange(
        self,
        method: str,
        path: str,
        body: dict[str, Any] | None,
        fields: Mapping[str, str],
        timeout: float = TIMEOUT,
    ) -> tuple[int, bytes]:
        """One request on a connection of its own: status and content, whatever they are. Or Unreachable."""
        connection = self._connection(timeout)
        with (
            self._reaching(),
            contextlib.closing(connection),
            self._ask(connection, method, path, body, fields) as response,
        ):
            return response.status, response.read()

    def events(self, after: int | None = None) -> "Events":
        """The stream of ledger entries after this id (None: from now on). Raises Trouble or Misused."""
        fields = {"Accept": "text/event-stream"}
        if after is not None:
            fields["Last-Event-ID"] = str(after)
        connection = self._connection(SILENCE)
        with self._reaching(), contextlib.ExitStack() as stack:
            stack.enter_context(contextlib.closing(connection))
            response = stack.enter_context(self._ask(connection, "GET", "/api/v1/events", None, fields))
            if response.status != 200:
                raise self._refusal(response.status, read_object(response.read()))
            return Events(response, stack.pop_all())

    def _ask(
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
        """A connection that opens when it is used."""
        kind = http.client.HTTPSConnection if self._secure else http.client.HTTPConnection
        return kind(self._host, self._port, timeout=timeout)

    @contextlib.contextmanager
    def _reaching(self) -> Iterator[None]:
        """The border: errors of sockets, names and framing become Unreachable."""
        try:
            yield
        except (OSError, http.client.HTTPException, UnicodeError) as error:
            raise Unreachable(self.url, reason(error)) from error

    def _refusal(self, status: int, document: dict[str, Any] | None) -> Failure:
        """The failure that an answer is: 409 and 412 are conflicts, 5xx is trouble, other 4xx misuse."""
        if status < 400 or document is None or "detail" not in document:
            return Unreachable(self.url, f"it answered {status}, and not as weir would")
        detail = f"{str(document['detail']).rstrip('.')} (HTTP {status})"
        if "text" in document:  # what is wrong with a file, as `weir lint` shows it
            detail += f"\n{document['text']}"
        if status == 401:
            detail += "; --token-file FILE or WEIR_TOKEN gives it"
        if status in (409, 412):
            return Conflict(detail)
        return Trouble(detail) if status >= 500 else Misused(detail)


class Events:
    """An open stream of ledger entries. Iterating ends when the stream does, for whatever reason."""

    def __init__(self, lines: http.client.HTTPResponse, connection: contextlib.ExitStack) -> None:
        self._lines = lines
        self._connection = connection

    def __repr__(self) -> str:
        return f"<Events {'closed' if self._lines.isclosed() else 'open'}>"

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """Each entry as it happens. Every event of this API is one data line."""
        try:
            while line := self._lines.readline():
                if line.startswith(b"data:") and (entry := read_object(line[5:])) is not None:
                    yield entry
        except (OSError, http.client.HTTPException):
            return  # silent for too long, or cut: who iterates knows the last id and may come back
        finally:
            self.close()

    def close(self) -> None:
        """Hang up."""
        self._connection.close()


def address(url: str) -> tuple[bool, str, int | None, str]:
    """Whether it is https, host, port (None: the scheme's own) and the path in front. Raises Misused."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise Misused(f"{url!r} is no address of an admin API; expected one such as http://127.0.0.1:9900")
    return parts.scheme == "https", parts.hostname, port, parts.path.rstrip("/")


def service_path(name: str, part: str = "") -> str:
    """The address of a service or of a part of it."""
    return f"/api/v1/services/{quote(name, safe='')}{part}"


def read_object(content: bytes) -> dict[str, Any] | None:
    """The JSON object in ``content``; None when it is none."""
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None


def reason(error: Exception) -> str:
    """The reason in an error of a connection, in a few words."""
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, http.client.HTTPException):
        return f"it does not answer as HTTP does ({type(error).__name__})"
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
