"""Errors as answers: JSON, the same everywhere."""

import json
from collections.abc import Mapping
from typing import Any

from aiohttp import web

from logdrain.errors import LogdrainError

_RETRY_AFTER_S = "1"


def error_response(error: LogdrainError) -> web.Response:
    """`{"error": {"code", "message", "hint"}}` with the error's status and the headers that go with it."""
    response = json_response(error_fields(error), error.status)
    if error.retryable:
        response.headers["Retry-After"] = _RETRY_AFTER_S
    if response.status == web.HTTPUnauthorized.status_code:
        response.headers["WWW-Authenticate"] = 'Basic realm="logdrain", charset="UTF-8"'
    return response


def json_response(document: Mapping[str, Any], status: int) -> web.Response:
    """A document as an answer."""
    response = web.Response(
        text=json.dumps(document), status=status, content_type="application/json", charset="utf-8"
    )
    response.headers["X-Content-Type-Options"] = "nosniff"  # a message repeats what was sent, HTML and all
    return response


def refusal(error: LogdrainError) -> bytes:
    """The octets of an answer to a request that is not read: the connection ends with it (RFC 9112 9.6)."""
    body = _error_json(error).encode()
    head = (
        f"HTTP/1.1 {error.status} Service Unavailable\r\n"
        "Content-Type: application/json; charset=utf-8\r\n"
        f"Content-Length: {len(body)}\r\n"
        f"Retry-After: {_RETRY_AFTER_S}\r\n"
        "Connection: close\r\n\r\n"
    )
    return head.encode() + body


def _error_json(error: LogdrainError) -> str:
    return json.dumps(error_fields(error))


def error_fields(error: LogdrainError) -> dict[str, dict[str, str]]:
    """An error as it stands in every answer."""
    return {"error": {"code": error.code, "message": error.located, "hint": error.hint}}
