"""Problem documents (RFC 9457) in answers."""

import json
from typing import Any


async def problem(response: Any, status: int) -> dict[str, Any]:
    """The problem document of an answer; fails unless it is one, with this status."""
    assert response.status == status, await response.text()
    assert response.content_type == "application/problem+json"
    document: dict[str, Any] = json.loads(await response.read())
    assert document["status"] == status
    assert document["type"] == "about:blank"
    assert document["title"]
    assert "Traceback" not in document["detail"]
    return document
