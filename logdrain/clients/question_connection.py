"""Asks a server a question; what it refuses becomes an error of the one tree."""

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from logdrain.clients.event_connection import EventConnection
from logdrain.errors import BadRequest, DeliveryFailed, LogdrainError, Unauthorized

_TIMEOUT_S = 300.0  # a server ends questions by its own limit, which is below


def ask(url: str, key: str, path: str, body: Mapping[str, Any]) -> Any:
    """The answer's JSON.

    Raises:
        LogdrainError: the server refuses the question, or cannot be reached.
    """
    try:
        connection = EventConnection(url, key, timeout_s=_TIMEOUT_S)
    except ValueError:  # not repeated: half a key may be in it
        hint = "set LOGDRAIN_URL, such as https://drain.example, and LOGDRAIN_READ_KEY"
        raise BadRequest("the server's URL names no server", hint=hint) from None
    try:
        answer = connection.post(path, json.dumps(body).encode())
    finally:
        connection.close()
    try:
        content = json.loads(answer.body or b"{}")
    except ValueError:
        content = {}
    if answer.status != HTTPStatus.OK:
        raise _error(answer.status, answer.reason, content)
    return content


def _error(status: int | None, reason: str, content: Any) -> LogdrainError:
    said = content.get("error") if isinstance(content, dict) else None
    if not isinstance(said, dict):
        said = {}
    message = str(said.get("message") or reason)
    if pointer := said.get("pointer"):
        message = f"{message} (at {pointer})"
    hint = str(said.get("hint") or "")
    if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        return Unauthorized(message, hint=hint or "a question needs a key of scope read")
    if status is not None and HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR:
        return BadRequest(message, hint=hint)
    return DeliveryFailed(message, hint=hint)
