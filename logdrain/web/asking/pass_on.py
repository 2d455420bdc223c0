"""A question goes from a request to a query process, and its answer back, octet by octet.

Equal questions at the same moment are one: they share the answer. Where nobody waits for it any more, the
question is cancelled.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, NamedTuple, TypeVar

import aiohttp
import msgspec
from aiohttp import web

from logdrain.errors import LogdrainError, QueriesOff, QueryProcessDied
from logdrain.web.asking.envelope import NDJSON, Envelope, error_document
from logdrain.web.asking.query_processes import QueryProcesses
from logdrain.web.server.connections import Connection

_T = TypeVar("_T")
_LOOK_EVERY_S = 0.25
_ANSWER_MAX_BYTES = 256 * 1024 * 1024
_PASSED_HEADERS = ("Content-Type", "Logdrain-Warnings", "Retry-After", "X-Content-Type-Options")


class WholeAnswer(NamedTuple):
    """An answer that is read to its end."""

    status: int
    headers: dict[str, str]
    body: bytes


class _Shared(NamedTuple):
    task: asyncio.Task[WholeAnswer]
    waiting: list[object]


class QuestionSender:
    """Asks the query processes for requests.

    Args:
        processes: Those that answer; None: nobody does.
    """

    def __init__(self, processes: QueryProcesses | None) -> None:
        self._processes = processes
        self._shared: dict[bytes, _Shared] = {}

    @property
    def processes(self) -> QueryProcesses:
        """Those that answer.

        Raises:
            QueriesOff: there are none.
        """
        if self._processes is None:
            raise QueriesOff(
                "this server answers no questions",
                hint="LOGDRAIN_QUERY_PROCESSES=1, or ask a `logdrain serve --only query`",
            )
        return self._processes

    async def stream(self, request: web.Request, envelope: Envelope) -> web.StreamResponse:
        """Answer a request while the rows come.

        Raises:
            TooManyQuestions, QueryProcessDied, QueriesOff: before the first row.
            ConnectionError: nobody reads the answer any more.
        """
        return await _while_there(request, lambda: self._streamed(request, envelope))

    async def whole(self, request: web.Request, envelope: Envelope) -> web.Response:
        """Answer a request at once, with the answer of an equal question where one is under way.

        Raises what `stream` does.
        """
        answer = await _while_there(request, lambda: self._joined(envelope))
        return web.Response(status=answer.status, headers=answer.headers, body=answer.body)

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

    async def _joined(self, envelope: Envelope) -> WholeAnswer:
        key = msgspec.json.encode(envelope)
        shared = self._shared.get(key)
        if shared is None:
            shared = _Shared(asyncio.create_task(self._read(envelope)), [])
            self._shared[key] = shared
            shared.task.add_done_callback(lambda _: self._shared.pop(key, None))
        me = object()
        shared.waiting.append(me)
        try:
            return await asyncio.shield(shared.task)
        finally:
            shared.waiting.remove(me)
            if not shared.waiting and not shared.task.done():
                self._shared.pop(key, None)
                shared.task.cancel()

    async def _read(self, envelope: Envelope) -> WholeAnswer:
        async with self.processes.asked(envelope) as answer:
            pieces: list[bytes] = []
            size_bytes = 0
            async for octets in answer.content.iter_any():
                size_bytes += len(octets)
                if size_bytes > _ANSWER_MAX_BYTES:
                    raise LogdrainError("the answer is too large", hint="ask for fewer groups")
                pieces.append(octets)
            return WholeAnswer(answer.status, _passed(answer), b"".join(pieces))

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
            await response.write(b"\n" + msgspec.json.encode(error_document(died)) + b"\n")
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
