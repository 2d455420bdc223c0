"""What goes on beside the requests, while the application runs."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial

from aiohttp import web

from logdrain import log
from logdrain.bootstrap.drain import DrainParts
from logdrain.web.asking.pass_on import QUESTIONS, QuestionSender
from logdrain.web.asking.process_count import process_count
from logdrain.web.asking.query_processes import QueryProcesses
from logdrain.web.parts import PARTS
from logdrain.web.server.access import ACCESS

_SPLIT_CHECKS_PER_WAIT = 4
# Heroku kills 30 s after SIGTERM: what is in flight has had its share of that before.
_FINISH_REPLAY_S = 8.0
_BEGIN_AGAIN_S = 1.0


async def expire_splits(application: web.Application) -> AsyncIterator[None]:
    """Move cut lines whose rest does not come to quarantine."""
    async with _beside(partial(_expire_forever, application[PARTS])):
        yield


async def refresh_keys(application: web.Application) -> AsyncIterator[None]:
    """Read the keys of Postgres again and again."""
    async with _beside(application[ACCESS].ring.keep_fresh):
        yield


async def replay_spool(application: web.Application) -> AsyncIterator[None]:
    """Move what waits in the spool to the store; at the end as much of it as time allows."""
    replay = application[PARTS].replay
    if replay is None:
        yield
        return
    async with _beside(replay.run_forever):
        yield
    if not await replay.finish(_FINISH_REPLAY_S):
        log.warning("spool_left", hint="the next start replays it: keep its folder")


async def answer_questions(application: web.Application) -> AsyncIterator[None]:
    """Have query processes for the questions that come."""
    settings = application[PARTS].settings
    count = process_count(settings)
    questions = QuestionSender(QueryProcesses(settings, count) if count else None)
    application[QUESTIONS] = questions
    yield
    await questions.close()


async def _expire_forever(parts: DrainParts) -> None:
    while True:
        await asyncio.sleep(parts.settings.split_wait_s / _SPLIT_CHECKS_PER_WAIT)
        if parts.intake.is_behind:
            continue  # the rest may wait in the spool
        try:
            await parts.store.expire_splits(parts.settings.split_wait_s)
        except Exception as error:  # noqa: BLE001  # tried again the next time, whatever it was
            log.warning("splits_not_expired", message=str(error))


@asynccontextmanager
async def _beside(work: Callable[[], Awaitable[None]]) -> AsyncIterator[None]:
    task = asyncio.create_task(_supervise(work))
    yield
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def _supervise(work: Callable[[], Awaitable[None]]) -> None:
    """Begin again what ends by an error that nobody foresaw."""
    while True:
        try:
            await work()
        except Exception as error:  # noqa: BLE001  # see above
            log.error("background_failed", error=f"{type(error).__name__}: {error}")
        await asyncio.sleep(_BEGIN_AGAIN_S)
