"""A Logplex node: it delivers bodies to a drain and tries again as the real one does.

Source: heroku/logplex, `logplex_http_drain` (headers, what is retried, how often, time limits).
"""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus
from types import TracebackType
from typing import Self

import aiohttp

from logdrain.sandbox.logplex import LogplexMessage, encode_body

TRIES = 3
_TIMEOUT_S = 5.0
_CONNECT_TIMEOUT_S = 3.0
_BACKOFF_S = 0.010  # doubled with each try


class Outcome(StrEnum):
    """What became of a delivery, as the node sees it."""

    ACCEPTED = "accepted"  # a 2xx
    DROPPED = "dropped"  # a 4xx other than 429: refused for good, not tried again
    GIVEN_UP = "given_up"  # no 2xx in any of the tries


@dataclass(frozen=True, slots=True)
class DeliveryReport:
    """What became of one delivery.

    Attributes:
        frame_id: The Logplex-Frame-Id of every try.
        tries: For each try the HTTP status, or what went wrong instead of one.
    """

    frame_id: str
    outcome: Outcome
    tries: tuple[int | str, ...]


class Logplex:
    """A node with one drain: one connection, one delivery at a time. Use it with `async with`.

    Args:
        url: The drain; its user and password become Basic authentication.
        drain_token: Names the drain: `d.` and a UUID.
        timeout_s: For one try, from the request's first byte to the answer's last.
        pause: Waits between tries; takes seconds.
    """

    def __init__(
        self,
        url: str,
        *,
        drain_token: str = "d.00000000-0000-4000-8000-000000000000",  # noqa: S107  # a name, no secret
        timeout_s: float = _TIMEOUT_S,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._url = url
        self._drain_token = drain_token
        self._timeout = aiohttp.ClientTimeout(total=timeout_s, sock_connect=_CONNECT_TIMEOUT_S)
        self._pause = pause
        self._one_at_a_time = asyncio.Lock()

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=1),
            timeout=self._timeout,
            skip_auto_headers=("Accept", "Accept-Encoding"),
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._session.close()

    async def deliver(self, messages: Sequence[LogplexMessage]) -> DeliveryReport:
        """Send messages as one delivery."""
        return await self.deliver_body(encode_body(messages), len(messages))

    async def deliver_body(self, body: bytes, message_count: int) -> DeliveryReport:
        """Send a ready body as one delivery; up to three tries with the same frame id."""
        frame_id = hashlib.md5(body, usedforsecurity=False).hexdigest().upper()
        headers = {
            "Content-Type": "application/logplex-1",
            "Logplex-Msg-Count": str(message_count),
            "Logplex-Frame-Id": frame_id,
            "Logplex-Drain-Token": self._drain_token,
            "User-Agent": "Logplex/v72",
        }
        tries: list[int | str] = []
        async with self._one_at_a_time:
            while len(tries) < TRIES:
                if tries:
                    await self._pause(_BACKOFF_S * 2 ** len(tries))
                tries.append(await self._try_once(body, headers))
                if outcome := _final(tries[-1]):
                    return DeliveryReport(frame_id, outcome, tuple(tries))
        return DeliveryReport(frame_id, Outcome.GIVEN_UP, tuple(tries))

    async def _try_once(self, body: bytes, headers: dict[str, str]) -> int | str:
        try:
            async with self._session.post(
                self._url, data=body, headers=headers, allow_redirects=False
            ) as answer:
                await answer.read()
                if "chunked" in answer.headers.get("Transfer-Encoding", ""):
                    return "chunked answer"  # the node's HTTP client cannot read one
                return answer.status
        except TimeoutError:
            return "timeout"
        except (aiohttp.ClientError, OSError) as error:
            return type(error).__name__


def _final(status: int | str) -> Outcome | None:
    """The outcome that an answer settles, or None where another try may follow."""
    match status:
        case int() if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
            return Outcome.ACCEPTED
        case int() if HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR:
            return None if status == HTTPStatus.TOO_MANY_REQUESTS else Outcome.DROPPED
        case _:
            return None
