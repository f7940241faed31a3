"""The index from host and path to the name of the service that a request is for.

A look-up costs what the request's own labels and path segments cost, however many services there
are; and neither a long host nor a long path costs more than the longest that is known, so no client
can make a look-up slow. It knows names and what they match, and no state of theirs: so it stays while weights
and all the rest change.
"""

from collections.abc import Iterable

from proxy.http1.head import RequestHead
from proxy.routing.service import Service


class Paths:
    """The services of one host, by path prefix."""

    __slots__ = ("_at", "_below", "_deepest", "_only_below", "_root")

    def __init__(self) -> None:
        self._root: str | None = None
        self._at: dict[bytes, str] = {}
        """By prefix, for the path that is the prefix itself."""
        self._below: dict[bytes, str] = {}
        """By prefix without the slash at its end: below both `/a` and `/a/` means `/a/`, the longer one."""
        self._only_below: set[bytes] = set()
        """Those of `below` whose prefix ends with a slash."""
        self._deepest = 0

    def add(self, prefix: bytes, name: str) -> None:
        """Give a service the requests below a prefix, unless they are another's already."""
        if prefix == b"/":
            self._root = name if self._root is None else self._root
        elif not prefix.endswith(b"/"):
            self._at.setdefault(prefix, name)
            self._below.setdefault(prefix, name)
        elif prefix[:-1] not in self._only_below:
            self._only_below.add(prefix[:-1])
            self._below[prefix[:-1]] = name
        self._deepest = max(self._deepest, len(prefix))

    def find(self, head: RequestHead) -> str | None:
        """Return the service with the longest prefix that ends at a `/` boundary of the request's path."""
        if not self._below:
            return self._root
        path = head.path
        if path in self._at:
            return self._at[path]
        below, slash = self._below, path.rfind(b"/", 0, self._deepest + 1)
        while slash > 0:
            if (name := below.get(path[:slash])) is not None:
                return name
            slash = path.rfind(b"/", 0, slash)
        return self._root


class Routes:
    """The services of all hosts: exact hosts first, then suffixes from the longest, then those of any host.

    A host whose paths do not match falls through to the next kind.
    """

    __slots__ = ("_any", "_exact", "_longest_suffix", "_suffixes")

    def __init__(self, services: Iterable[Service]) -> None:
        """Index the services. Where two match the same requests, the first gets them."""
        self._exact: dict[bytes, Paths] = {}
        self._suffixes: dict[bytes, Paths] = {}
        self._any = Paths()
        for service in services:
            self._paths(service.match.host.lower()).add(service.match.path.encode(), service.name)
        self._longest_suffix = max(map(len, self._suffixes), default=0)

    def _paths(self, host: str) -> Paths:
        if not host:
            return self._any
        if host.startswith("*."):
            return self._suffixes.setdefault(host[1:].encode(), Paths())
        return self._exact.setdefault(host.encode(), Paths())

    def find(self, head: RequestHead) -> str | None:
        """Return the name of the service that a request is for, or None."""
        host = head.host
        if host in self._exact and (name := self._exact[host].find(head)) is not None:
            return name
        if self._suffixes and (name := self._by_suffix(host, head)) is not None:
            return name
        return self._any.find(head)

    def _by_suffix(self, host: bytes, head: RequestHead) -> str | None:
        # From 1: a suffix wants at least one label before it.
        surplus = len(host) - self._longest_suffix
        dot = host.find(b".", surplus if surplus > 1 else 1)
        while dot >= 0:
            paths = self._suffixes.get(host[dot:])
            if paths is not None and (name := paths.find(head)) is not None:
                return name
            dot = host.find(b".", dot + 1)
        return None
