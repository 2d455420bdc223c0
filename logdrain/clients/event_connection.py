"""A server of ours as its clients see it: one keep-alive connection for JSON, with a key in a header."""

import encodings.idna
import gzip
from contextlib import suppress
from datetime import UTC, datetime
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from importlib.metadata import PackageNotFoundError, version
from typing import NamedTuple
from urllib.parse import urlsplit

from logdrain.clients.delivery import retry_after_s

# The codec of a host's name: loaded now, because a fork while a thread imports it leaves it locked.
IDNA = encodings.idna.getregentry().name
_GZIP_MIN_BYTES = 1024
_ANSWER_MAX_BYTES = 256 * 1024 * 1024


class HttpAnswer(NamedTuple):
    """What came back.

    Attributes:
        status: None where there was no answer.
        retry_after_s: What the server asks to wait, 0 if it does not.
        body: As sent.
        reason: For people: what happened. No secret in it.
    """

    status: int | None
    retry_after_s: float
    body: bytes
    reason: str


class NoConnection:
    """Stands where no server is named: events wait until the queue is full.

    Args:
        reason: What is missing.
    """

    def __init__(self, reason: str) -> None:
        self._reason = reason

    def post(self, _path: str, _body: bytes) -> HttpAnswer:
        """No answer."""
        return HttpAnswer(None, 0.0, b"", self._reason)

    def close(self) -> None:
        """Nothing is open."""


class EventConnection:
    """One connection, opened when it is needed and again after it broke. For one thread.

    Args:
        url: `https://drain.example`; a drain URL does, too: its key and its /logs are left out.
        key: Sent as a bearer token.
        timeout_s: For connecting, and for each wait within an exchange.

    Raises:
        ValueError: the URL names no server.
    """

    def __init__(self, url: str, key: str, *, timeout_s: float = 10.0) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("the server's URL must look like https://drain.example")
        scheme = HTTPSConnection if parts.scheme == "https" else HTTPConnection
        self._connection = scheme(parts.hostname, parts.port, timeout=timeout_s)
        self._path = parts.path.rstrip("/").removesuffix("/logs")
        self._shown = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
        try:
            number = version("logdrain")
        except PackageNotFoundError:  # run from a folder that nobody installed
            number = "0"
        self._headers = {"Authorization": f"Bearer {key}", "User-Agent": f"logdrain-python/{number}"}

    def post(self, path: str, body: bytes, *, accept: str = "application/json") -> HttpAnswer:
        """Send JSON and wait for the answer; what goes wrong is in the answer, too."""
        headers = {**self._headers, "Content-Type": "application/json", "Accept": accept}
        if len(body) >= _GZIP_MIN_BYTES:
            body = gzip.compress(body, compresslevel=1, mtime=0)
            headers["Content-Encoding"] = "gzip"
        return self._exchange("POST", path, body, headers)

    def get(self, path: str) -> HttpAnswer:
        """Read a page of JSON; what goes wrong is in the answer, too."""
        return self._exchange("GET", path, None, {**self._headers, "Accept": "application/json"})

    def close(self) -> None:
        """Close the connection; the next request opens another."""
        with suppress(OSError):
            self._connection.close()

    def _exchange(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> HttpAnswer:
        was_open = self._connection.sock is not None
        try:
            return self._request(method, path, body, headers)
        except (OSError, HTTPException) as problem:
            self.close()
            if not (was_open and isinstance(problem, ConnectionError)):
                return self._lost(problem)
        # An idle connection was closed at the other end, which is no trouble: once more on a new one.
        try:
            return self._request(method, path, body, headers)
        except (OSError, HTTPException) as problem:
            self.close()
            return self._lost(problem)

    def _request(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> HttpAnswer:
        if self._connection.sock is None:
            self._connection.connect()
        # A server may answer (413) and close before it has read everything: its answer counts.
        with suppress(BrokenPipeError, ConnectionResetError):
            self._connection.request(method, self._path + path, body, headers)
        response = self._connection.getresponse()
        content = response.read(_ANSWER_MAX_BYTES)
        if not response.isclosed():
            self.close()
        asked_s = retry_after_s(response.headers.get("Retry-After", ""), datetime.now(UTC))
        return HttpAnswer(
            response.status, asked_s, content, f"{self._shown}{path} answered {response.status}"
        )

    def _lost(self, problem: OSError | HTTPException) -> HttpAnswer:
        what = " ".join(str(problem).split()) or type(problem).__name__
        return HttpAnswer(None, 0.0, b"", f"{self._shown} cannot be reached: {what}")


def connection_to(url: str, key: str) -> EventConnection | NoConnection:
    """A connection, whatever the URL is."""
    try:
        if not key:
            return NoConnection("LOGDRAIN_WRITE_KEY names no key")
        return EventConnection(url, key)
    except ValueError:  # not repeated: half a key may be in it
        return NoConnection("LOGDRAIN_URL names no server: it must look like https://drain.example")
