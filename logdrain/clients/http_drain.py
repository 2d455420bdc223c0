"""A drain as the sender sees it: a URL with a key in it, and one keep-alive connection to POST bodies to."""

import re
from base64 import b64encode
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from importlib.metadata import version
from ssl import SSLEOFError
from typing import Self
from urllib.parse import unquote, urlsplit

from logdrain.clients.delivery import Answer, retry_after_s
from logdrain.errors import UsageError
from logdrain.log import mask

TIMEOUT_S = 10.0

_USER_AGENT = f"logdrain-ship/{version('logdrain')}"
_ANSWER_MAX_BYTES = 64 * 1024  # what is read of an answer to keep its connection
_URL_HINT = "a drain URL looks like https://shop:KEY@host/logs; it comes from --url or LOGDRAIN_URL"


@dataclass(frozen=True, slots=True)
class DrainUrl:
    """Where a drain is.

    Attributes:
        shown: The URL as it may be printed: without key and query.
        port: None for the scheme's own.
        path: Path and query, as the request line has them.
        authorization: Value of the Authorization header, "" where the URL has no key.
    """

    shown: str
    tls: bool
    host: str
    port: int | None
    path: str = field(repr=False)
    authorization: str = field(repr=False)

    @classmethod
    def parse(cls, url: str) -> Self:
        """Read a drain URL.

        Raises:
            UsageError: it is none; the message does not repeat it, because a key may be in it.
        """
        try:
            parts = urlsplit(url)
            host, port = parts.hostname or "", parts.port
            host.encode("idna")
        except ValueError:  # UnicodeError is one; not chained: it may quote half a key
            raise UsageError("the drain URL has no readable host and port", hint=_URL_HINT) from None
        if parts.scheme not in ("http", "https"):
            raise UsageError("the drain URL does not begin with http:// or https://", hint=_URL_HINT)
        if not host:
            raise UsageError("the drain URL names no host", hint=_URL_HINT)
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        if re.fullmatch("[!-~]+", path) is None:
            raise UsageError("the drain URL's path is not percent-encoded ASCII", hint=_URL_HINT)
        authorization = ""
        if parts.username is not None:
            pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
            authorization = "Basic " + b64encode(pair.encode()).decode("ascii")
        address = parts.netloc.rpartition("@")[2]
        shown = f"{parts.scheme}://{address}{parts.path}"
        return cls(shown, parts.scheme == "https", host, port, path, authorization)


class DrainConnection:
    """One connection to a drain, opened when it is needed and again after it broke. For one thread.

    Args:
        url: Where to.
        timeout_s: For connecting, and for each wait within an exchange.
    """

    def __init__(self, url: DrainUrl, *, timeout_s: float = TIMEOUT_S) -> None:
        self._url = url
        self._timeout_s = timeout_s
        scheme = HTTPSConnection if url.tls else HTTPConnection
        self._connection = scheme(url.host, url.port, timeout=timeout_s)

    def post(self, body: bytes, delivery_id: str, message_count: int) -> Answer:
        """Send one body of frames and wait for the answer; what goes wrong is in the answer too."""
        headers = {
            "Content-Type": "application/logplex-1",
            "Logplex-Msg-Count": str(message_count),
            "Logplex-Frame-Id": delivery_id,
            "X-Request-Id": delivery_id,
            "User-Agent": _USER_AGENT,
        }
        if self._url.authorization:
            headers["Authorization"] = self._url.authorization
        try:
            return self._read(self._exchange(body, headers))
        except (OSError, HTTPException) as problem:
            self.close()
            return Answer(None, 0.0, f"{self._url.shown} {self._describe(problem)}")

    def close(self) -> None:
        """Close the connection; the next body opens another."""
        self._connection.close()

    def _exchange(self, body: bytes, headers: dict[str, str]) -> HTTPResponse:
        was_open = self._connection.sock is not None
        try:
            return self._request(body, headers)
        except (ConnectionError, SSLEOFError):
            if not was_open:
                raise
        # An idle connection was closed at the other end, which is no trouble: once more on a new one.
        self.close()
        return self._request(body, headers)

    def _request(self, body: bytes, headers: dict[str, str]) -> HTTPResponse:
        if self._connection.sock is None:
            self._connection.connect()
        # A drain may answer (413) and close before it has read everything: its answer counts.
        with suppress(BrokenPipeError, ConnectionResetError):
            self._connection.request("POST", self._url.path, body, headers)
        return self._connection.getresponse()

    def _read(self, response: HTTPResponse) -> Answer:
        # The status has been given: whatever happens to the rest of the answer does not change it.
        with suppress(OSError, HTTPException):
            response.read(_ANSWER_MAX_BYTES)
        if not response.isclosed():
            self.close()
        reason = f"{self._url.shown} answered {response.status}"
        if HTTPStatus.MULTIPLE_CHOICES <= response.status < HTTPStatus.BAD_REQUEST:
            reason += f", a redirect to {mask(response.headers.get('Location', ''))!r}"
        asked_s = retry_after_s(response.headers.get("Retry-After", ""), datetime.now(UTC))
        return Answer(response.status, asked_s, reason)

    def _describe(self, problem: OSError | HTTPException) -> str:
        if isinstance(problem, TimeoutError):
            return f"did not answer within {self._timeout_s:g} s"
        if isinstance(problem, ConnectionRefusedError):
            return "cannot be reached: connection refused"
        if isinstance(problem, ConnectionError):
            return "closed the connection without an answer"
        return f"cannot be reached: {' '.join(str(problem).split()) or type(problem).__name__}"
