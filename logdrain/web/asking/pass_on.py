"""A question goes from a request to a query process, and its answer back, octet by octet.

Where nobody waits for it any more, the question is cancelled.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, TypeVar

import aiohttp
import msgspec
from aiohttp import web

from logdrain.errors import QueriesOff, QueryProcessDied
from logdrain.web.asking.envelope import NDJSON, Envelope
from logdrain.web.asking.query_processes import QueryProcesses
from logdrain.web.server.answers import error_fields
from logdrain.web.server.connections import Connection

_T = TypeVar("_T")
_LOOK_EVERY_S = 0.25
_PASSED_HEADERS = ("Content-Type", "Logdrain-Warnings", "Retry-After", "X-Content-Type-Options")


class QuestionSender:
    """Asks the query processes for requests.

    Args:
        processes: Those that answer; None: nobody does.
    """

    def __init__(self, processes: QueryProcesses | None) -> None:
        self._processes = processes

    @property
    def processes(self) -> QueryProcesses:
        """Those that answer.

        Raises:
            QueriesOff: there are none.
        """
        if self._processes is None:
            raise QueriesOff(
                "this server answers no questions",
                hint="set LOGDRAIN_QUERY_PROCESSES=1",
            )
        return self._processes

    async def stream(self, request: web.Request, envelope: Envelope) -> web.StreamResponse:
        """Answer a request while the rows come.

        Raises:
            TooManyQuestions, QueryProcessDied, QueriesOff: before the first row.
            ConnectionError: nobody reads the answer any more.
        """
        return await _while_there(request, lambda: self._streamed(request, envelope))

    async def _streamed(self, request: web.Request, envelope: Envelope) -> web.StreamResponse:
        async with self.processes.asked(envelope) as answer:
            response = web.StreamResponse(status=answer.status, headers=_passed(answer))
            await response.prepare(request)
            try:
                async for octets in answer.content.iter_any():
                    await response.write(octets)
            except aiohttp.ClientError as error:  # it must not look whole
                await _break_off(request, response, error)
                return response
        await response.write_eof()
        return response

    async def close(self) -> None:
        """End the processes."""
        if self._processes is not None:
            await self._processes.close()


QUESTIONS = web.AppKey("questions", QuestionSender)


def _passed(answer: aiohttp.ClientResponse) -> dict[str, str]:
    return {name: answer.headers[name] for name in _PASSED_HEADERS if name in answer.headers}


async def _break_off(request: web.Request, response: web.StreamResponse, error: Exception) -> None:
    """End without the last chunk. Lines of JSON end with an error: the process's own, else that it died."""
    if response.content_type == NDJSON and not isinstance(error, aiohttp.ClientPayloadError):
        died = QueryProcessDied("the query process ended in the middle of the answer", hint="ask again")
        with suppress(ConnectionError):
            await response.write(b"\n" + msgspec.json.encode(error_fields(died)) + b"\n")
    if request.transport is not None:
        request.transport.close()


async def _while_there(request: web.Request, work: Callable[[], Awaitable[_T]]) -> _T:
    """Do it while somebody waits for the answer.

    Raises:
        ConnectionError: nobody does.
    """
    working = asyncio.ensure_future(work())
    leaving = asyncio.create_task(_leave(request))
    either: set[asyncio.Future[Any]] = {working, leaving}
    try:
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise ConnectionResetError("who asked went away")
        return working.result()
    finally:
        for task in either:
            task.cancel()
        await asyncio.wait(either)


async def _leave(request: web.Request) -> None:
    """Wait until nobody reads the answer any more: who asks sends nothing, so the end of that is the end."""
    while request.transport is not None and not request.transport.is_closing():
        if isinstance(request.protocol, Connection) and request.protocol.has_ended:
            return
        await asyncio.sleep(_LOOK_EVERY_S)
