"""The program of a query process: it answers questions on a Unix socket until its parent is gone.

    python -m logdrain.web.asking.query_process SOCKET

SOCKET is the number of a listening socket that the parent keeps open, too: who connects while this process
starts again is served then. SQL runs in children of this process, as in a worker's.
"""

import asyncio
import os
import socket
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

import msgspec
from aiohttp import web

from logdrain import log
from logdrain.bootstrap.queries import open_queries
from logdrain.config import Settings, read_settings
from logdrain.errors import LogdrainError, RunKilled
from logdrain.model.stops import Stop
from logdrain.query.duckdb.parent_process import end_with_parent
from logdrain.web.asking.envelope import AT_ONCE, NDJSON, AnswerHead, AnswerParts, Envelope
from logdrain.web.asking.question_routes import QuestionRunner
from logdrain.web.server.answers import error_fields, error_response

_T = TypeVar("_T")
_BODY_MAX_BYTES = 4 * 1024 * 1024


def main() -> None:
    """Serve until the parent is gone."""
    end_with_parent()
    settings = read_settings(os.environ)
    with open_queries(settings) as queries:
        asyncio.run(
            _serve(QuestionRunner(queries, settings), settings, socket.socket(fileno=int(sys.argv[1])))
        )


async def _serve(runner: QuestionRunner, settings: Settings, listening: socket.socket) -> None:
    application = web.Application(client_max_size=_BODY_MAX_BYTES)
    process = QueryServer(runner)
    application.add_routes([web.post("/", process.post)])
    # Whoever goes away cancels the question.
    serving = web.AppRunner(application, handler_cancellation=True, access_log=None)
    await serving.setup()
    await web.SockSite(serving, listening).start()
    log.info("query_process_ready", memory_max_bytes=settings.query_memory_max_bytes)
    await asyncio.Event().wait()


class QueryServer:
    """Answers the questions of one process.

    Args:
        runner: What answers them, blocking.
    """

    def __init__(self, runner: QuestionRunner) -> None:
        self._runner = runner
        # A question that was cancelled may take a moment to end; the next one need not wait for it.
        self._threads = ThreadPoolExecutor(AT_ONCE * 2, thread_name_prefix="question")

    async def post(self, request: web.Request) -> web.StreamResponse:
        """Answer an envelope: an error before the first row is a status, one behind it a broken answer."""
        envelope = msgspec.json.decode(await request.read(), type=Envelope)
        stop = Stop()
        parts = self._runner.answer(envelope, now_s=int(time.time()), stop=stop)
        try:
            return await self._answer(request, parts)
        except asyncio.CancelledError:
            stop.request(RunKilled("who asked went away"))
            raise
        except LogdrainError as error:
            return error_response(error)
        except Exception as error:  # noqa: BLE001  # the boundary: no question may end the process
            log.error("question_failed", route=envelope.route, error=f"{type(error).__name__}: {error}")
            return error_response(LogdrainError("something unforeseen went wrong", hint="see the log"))
        finally:
            await asyncio.shield(self._in_thread(partial(_close, parts)))

    async def _answer(self, request: web.Request, parts: AnswerParts) -> web.StreamResponse:
        head, first = await self._in_thread(partial(_begin, parts))
        response = web.StreamResponse(headers={**head.headers, "Content-Type": head.content_type})
        await response.prepare(request)
        try:
            part: bytes | None = first
            while part is not None:
                await response.write(part)
                part = await self._in_thread(partial(_next, parts))
            await response.write_eof()
        except Exception as error:  # noqa: BLE001  # rows are on their way: they must not look whole
            log.warning("answer_broken", error=f"{type(error).__name__}: {error}")
            await _break_off(request, response, error)
        return response

    async def _in_thread(self, call: Callable[[], _T]) -> _T:
        """What a thread comes to; where this is cancelled, the thread is left to what `stop` does to it."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, call)


async def _break_off(request: web.Request, response: web.StreamResponse, error: Exception) -> None:
    """End without the last chunk; lines of JSON end with the error."""
    if response.content_type == NDJSON and isinstance(error, LogdrainError):
        await response.write(msgspec.json.encode(error_fields(error)) + b"\n")
    if request.transport is not None:
        request.transport.close()


def _begin(parts: AnswerParts) -> tuple[AnswerHead, bytes | None]:
    head = next(parts)
    assert isinstance(head, AnswerHead)  # noqa: S101  # so it is declared
    return head, _next(parts)


def _next(parts: AnswerParts) -> bytes | None:
    part = next(parts, None)
    assert not isinstance(part, AnswerHead)  # noqa: S101  # so it is declared
    return part


def _close(parts: AnswerParts) -> None:
    """End what has not been read to its end; a thread may still be at it."""
    while True:
        try:
            parts.close()
        except ValueError:  # it is being read: `stop` ends that
            time.sleep(0.01)
        else:
            return


if __name__ == "__main__":
    main()
