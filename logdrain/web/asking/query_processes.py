"""The query processes of a server: started by the first question, begun again when they die."""

import asyncio
import os
import shutil
import socket
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import aiohttp
import msgspec

from logdrain import log, metrics
from logdrain.config import Settings, environment_of
from logdrain.errors import QueryProcessDied, TooManyQuestions
from logdrain.web.asking.envelope import AT_ONCE, Envelope

_PROGRAM = "logdrain.web.asking.query_process"
_BEGIN_AGAIN_S = 0.2
_BEGIN_AGAIN_MAX_S = 30.0
_STAYS_S = 5.0  # one that lived so long was well
_ENDS_MAX = 2
_BACKLOG = 1024


class QueryProcesses:
    """Hands questions to processes; made and used in one event loop.

    Args:
        settings: Those that the processes get, but for keys.
        count: How many there are.
    """

    def __init__(self, settings: Settings, count: int) -> None:
        self._settings = settings
        self._waiting_max = settings.query_waiting_max
        self._places = asyncio.Semaphore(count * AT_ONCE)
        self._waiting = 0
        self._folder: Path | None = None
        self._count = count
        self._processes: list[_Process] = []

    @property
    def pids(self) -> list[int]:
        """Of the processes that run now."""
        return [process.pid for process in self._processes if process.pid]

    @asynccontextmanager
    async def asked(self, envelope: Envelope) -> AsyncIterator[aiohttp.ClientResponse]:
        """Wait for a place, ask, and read the answer in the block; leaving it ends the question.

        Raises:
            TooManyQuestions: too many wait already.
            QueryProcessDied: the process ended before the answer had.
        """
        async with self._place():
            self._start()
            process = min(self._processes, key=lambda each: each.running)
            async with process.asked(msgspec.json.encode(envelope)) as response:
                yield response

    @asynccontextmanager
    async def _place(self) -> AsyncIterator[None]:
        if self._places.locked() and self._waiting >= self._waiting_max:
            raise TooManyQuestions(
                f"{self._waiting} questions wait already", hint="LOGDRAIN_QUERY_WAITING_MAX says how many may"
            )
        self._waiting += 1
        metrics.QUESTIONS_WAITING.set(self._waiting)
        try:
            await self._places.acquire()
        finally:
            self._waiting -= 1
            metrics.QUESTIONS_WAITING.set(self._waiting)
        metrics.QUESTIONS_RUNNING.inc()
        try:
            yield
        finally:
            metrics.QUESTIONS_RUNNING.dec()
            self._places.release()

    def _start(self) -> None:
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="logdrain-"))
            names = [self._folder / f"{number}" for number in range(self._count)]
            self._processes = [_Process(self._settings, name) for name in names]

    async def close(self) -> None:
        """End the processes, and what they are at."""
        for process in self._processes:
            await process.close()
        self._processes = []
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)


class _Process:
    """One query process, again and again; its socket stays."""

    def __init__(self, settings: Settings, path: Path) -> None:
        self.running = 0
        self._environment = {
            name: value for name, value in os.environ.items() if not name.startswith("LOGDRAIN_")
        } | environment_of(settings)
        self._listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listening.bind(str(path))
        self._listening.listen(_BACKLOG)
        self._session = aiohttp.ClientSession(
            connector=aiohttp.UnixConnector(str(path), force_close=True, limit=0),
            timeout=aiohttp.ClientTimeout(total=None),
            auto_decompress=False,
        )
        self._process: asyncio.subprocess.Process | None = None
        self._ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._supervision = asyncio.create_task(self._supervise())

    @property
    def pid(self) -> int | None:
        return None if self._process is None else self._process.pid

    @asynccontextmanager
    async def asked(self, question: bytes) -> AsyncIterator[aiohttp.ClientResponse]:
        self.running += 1
        posting = asyncio.create_task(self._post(question))
        try:
            await self._answered_or_ended(posting)
            async with posting.result() as response:
                yield response
        except aiohttp.ClientError as error:
            raise _died() from error
        finally:
            self.running -= 1
            posting.cancel()
            with suppress(asyncio.CancelledError, aiohttp.ClientError):
                (await posting).close()

    async def _answered_or_ended(self, posting: asyncio.Task[aiohttp.ClientResponse]) -> None:
        """Wait for the answer's head; of a process that took the connection, its death ends that, too.

        One that died before has left it in the socket, which is ours: the next one takes it, if it starts.
        """
        for _ in range(_ENDS_MAX):
            either: set[asyncio.Future[Any]] = {posting, self._ended}
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            if posting.done():
                return
        raise _died()

    async def _post(self, question: bytes) -> aiohttp.ClientResponse:
        return await self._session.post("http://questions/", data=question)

    async def close(self) -> None:
        self._supervision.cancel()
        with suppress(asyncio.CancelledError):
            await self._supervision
        await self._session.close()
        self._listening.close()

    async def _supervise(self) -> None:
        loop = asyncio.get_running_loop()
        pause_s = _BEGIN_AGAIN_S
        while True:
            began_s = loop.time()
            status = await self._run()
            log.warning("query_process_died", status=status)
            ended, self._ended = self._ended, loop.create_future()
            ended.set_result(None)
            is_well = loop.time() - began_s > _STAYS_S
            pause_s = _BEGIN_AGAIN_S if is_well else min(pause_s * 2, _BEGIN_AGAIN_MAX_S)
            await asyncio.sleep(pause_s)

    async def _run(self) -> int:
        """Run the process once; its exit status, or minus the signal that ended it."""
        metrics.QUERY_PROCESS_STARTS.inc()
        number = self._listening.fileno()
        self._process = process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-m", _PROGRAM, str(number)),
            stdin=asyncio.subprocess.PIPE,  # never written to: it ends with this process, and so the child
            pass_fds=[number],
            env=self._environment | {"PYTHONPATH": os.pathsep.join(sys.path)},
            process_group=0,  # Ctrl-C is the parent's
        )
        try:
            return await process.wait()
        finally:
            self._process = None
            if process.returncode is None:
                process.kill()
                await process.wait()


def _died() -> QueryProcessDied:
    return QueryProcessDied(
        "the query process ended in the middle of the question", hint="ask again: it is started anew"
    )
