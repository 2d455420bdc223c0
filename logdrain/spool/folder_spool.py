"""The spool in a folder: appends gather while one fsync is under way, and share the next.

All work on files is one thread's, step by step: an append waits for at most one group, one read or one
segment of an earlier process before it. The event loop never waits for a disk.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from logdrain.errors import SpoolUnavailable
from logdrain.model.disks import check_room
from logdrain.model.spool import Spooled, SpooledEntry
from logdrain.spool.folder_files import disk_room
from logdrain.spool.folder_segments import FolderSegments

SEGMENT_SIZE_BYTES = 16 * 1024 * 1024
_GROUP_SIZE_MAX_BYTES = 8 * 1024 * 1024
_CHECK_WITHIN_S = 2.0

_Result = TypeVar("_Result")


class FolderSpool:
    """Implements ports.Spool.

    The folder is made, locked and looked through when it is first needed, and again after a failure: a drain
    that starts while another one still has the folder gets it as soon as that one ends.

    Args:
        folder: Where the segments are; nothing else belongs in it.
        size_max_bytes: An entry that would make the segments larger than this is refused.
        segment_size_bytes: A segment that has grown to this is followed by a new one.
    """

    def __init__(
        self, folder: Path, *, size_max_bytes: int, segment_size_bytes: int = SEGMENT_SIZE_BYTES
    ) -> None:
        self._folder = folder
        self._size_max_bytes = size_max_bytes
        self._segments = FolderSegments(
            folder, size_max_bytes=size_max_bytes, segment_size_bytes=segment_size_bytes
        )
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="spool")
        # By future, in order: a caller that gives up takes its delivery along.
        self._waiting: dict[asyncio.Future[None], Spooled] = {}
        self._task: asyncio.Task[None] | None = None
        self._closing: asyncio.Task[None] | None = None

    @property
    def waiting_count(self) -> int:
        """See ports.Spool. What earlier processes left is counted in full once something was read."""
        return self._segments.waiting_count

    @property
    def size_bytes(self) -> int:
        """See ports.Spool. Segments of unknown formats are not ours to remove and do not count."""
        return self._segments.size_bytes

    async def append(self, spooled: Spooled) -> None:
        """See ports.Spool. A caller that is cancelled may find its delivery kept all the same."""
        self._check_open()
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting[done] = spooled
        if self._task is None:
            self._task = asyncio.create_task(self._write_waiting())
        try:
            await done
        finally:
            self._waiting.pop(done, None)

    async def read(self, after: SpooledEntry | None, size_max_bytes: int) -> list[SpooledEntry]:
        """See ports.Spool."""
        # One segment a step: appends go on between them.
        while await self._in_thread(self._segments.survey_next):
            pass
        return await self._in_thread(lambda: self._segments.read(after, size_max_bytes))

    async def discard(self, through: SpooledEntry) -> None:
        """See ports.Spool."""
        await self._in_thread(lambda: self._segments.discard(through))

    async def check(self) -> None:
        """See ports.Spool."""
        try:
            async with asyncio.timeout(_CHECK_WITHIN_S):
                free_bytes, total_bytes = await self._in_thread(lambda: disk_room(self._folder))
        except TimeoutError as error:
            raise SpoolUnavailable(
                f"the disk of the spool {self._folder} does not answer", hint="it is overloaded or hangs"
            ) from error
        check_room(f"the disk of the spool {self._folder}", free_bytes=free_bytes, total_bytes=total_bytes)
        room_bytes = self._size_max_bytes - self.size_bytes
        check_room("the spool", free_bytes=room_bytes, total_bytes=self._size_max_bytes)

    async def close(self) -> None:
        """See ports.Spool. Closing again does nothing."""
        if self._closing is None:
            self._closing = asyncio.create_task(self._let_go())
        await asyncio.shield(self._closing)

    async def _let_go(self) -> None:
        if self._task is not None:
            await asyncio.wait([self._task])
        await asyncio.get_running_loop().run_in_executor(self._thread, self._segments.close)
        self._thread.shutdown()

    def _check_open(self) -> None:
        if self._closing is not None:
            raise SpoolUnavailable(f"the spool {self._folder} is closed", hint="the drain is stopping")

    async def _in_thread(self, work: Callable[[], _Result]) -> _Result:
        self._check_open()
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    async def _write_waiting(self) -> None:
        try:
            while self._waiting:
                await self._write_group(self._take_group())
        finally:
            self._task = None

    def _take_group(self) -> dict[asyncio.Future[None], Spooled]:
        """What shares a write: as many as fit, at least one."""
        group: dict[asyncio.Future[None], Spooled] = {}
        size = 0
        for done, spooled in self._waiting.items():
            size += len(spooled.body)
            if group and size > _GROUP_SIZE_MAX_BYTES:
                break
            group[done] = spooled
        for done in group:
            del self._waiting[done]
        return group

    async def _write_group(self, group: dict[asyncio.Future[None], Spooled]) -> None:
        loop = asyncio.get_running_loop()
        refusals: list[SpoolUnavailable | None]
        try:
            refusals = await loop.run_in_executor(self._thread, self._segments.write, list(group.values()))
        except SpoolUnavailable as error:  # each caller raises its own
            refusals = [SpoolUnavailable(error.message, hint=error.hint) for _ in group]
        except Exception as error:  # noqa: BLE001  # whatever it is, nobody may wait for ever
            refusals = [SpoolUnavailable(f"the spool {self._folder} failed: {error!r}") for _ in group]
        for done, refusal in zip(group, refusals, strict=True):
            if done.done():
                continue
            if refusal is None:
                done.set_result(None)
            else:
                done.set_exception(refusal)
