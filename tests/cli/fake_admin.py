"""A tiny admin API: it answers what a test lays out and keeps what it was asked."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any

Json = dict[str, Any]
Stream = list[Json]
Make = Callable[..., Json]
"""What makes a view or an entry, with what is different about it."""


@dataclass
class FakeAdmin:
    """``answers`` by "METHOD /path": status and document or text, or a list of streams, one a connection."""

    url: str = ""
    answers: dict[str, tuple[int, Any] | list[Stream]] = field(default_factory=dict)
    asked: list[tuple[str, dict[str, str], Any]] = field(default_factory=list)

    def show(self, *views: Json) -> None:
        """Serve these services."""
        self.answers["GET /api/v1/services"] = (200, {"generation": 12, "services": list(views)})
        for view in views:
            self.answers[f"GET /api/v1/services/{view['name']}"] = (200, view)


class Handler(BaseHTTPRequestHandler):
    fake: FakeAdmin

    def answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        name = f"{self.command} {self.path}"
        self.fake.asked.append((name, dict(self.headers), json.loads(body) if body else None))
        missing = {"title": "Not Found", "status": 404, "detail": f"nothing is at {self.path}"}
        found = self.fake.answers.get(name, (404, missing))
        if isinstance(found, list):
            self.stream(found.pop(0) if found else None)
        else:
            status, content = found
            self.send(status, content.encode() if isinstance(content, str) else json.dumps(content).encode())

    do_GET = do_PUT = do_POST = answer  # noqa: N815  (the names that http.server looks for)

    def send(self, status: int, content: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def stream(self, entries: Stream | None) -> None:
        if entries is None:
            self.send(503, b'{"detail": "no stream is left"}')
            return
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        self.wfile.write(b"retry: 1000\n\n: still here\n\n")
        for entry in entries:
            self.wfile.write(
                f"id: {entry['id']}\nevent: {entry['event']}\ndata: {json.dumps(entry)}\n\n".encode()
            )

    def log_message(self, *args: Any) -> None:
        """Nothing: a test reads stderr."""
