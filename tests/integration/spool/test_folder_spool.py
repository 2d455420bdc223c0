import asyncio
import os
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from logdrain.errors import SpoolUnavailable
from logdrain.spool import segments
from logdrain.spool.folder_spool import FolderSpool
from tests.integration.spool.spooled_entries import deliveries, modes, names, one, read_all, segment_paths

MakeSpool = Callable[..., FolderSpool]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "made" / "spool"


@pytest.fixture
async def make_spool(folder: Path) -> AsyncIterator[MakeSpool]:
    async with AsyncExitStack() as stack:

        def make(*, size_max_bytes: int = 2**30, segment_size_bytes: int = 2**24) -> FolderSpool:
            spool = FolderSpool(folder, size_max_bytes=size_max_bytes, segment_size_bytes=segment_size_bytes)
            stack.push_async_callback(spool.close)
            return spool

        yield make


async def test_what_is_appended_is_read_in_order_also_by_the_next_process(
    make_spool: MakeSpool, capsys: pytest.CaptureFixture[str]
) -> None:
    spool = make_spool(segment_size_bytes=1000)
    for number in range(50):
        await spool.append(one(number))
    assert await deliveries(spool) == [one(number) for number in range(50)]
    assert spool.waiting_count == 50
    await spool.close()

    again = make_spool(segment_size_bytes=1000)
    await again.append(one(50))
    assert await deliveries(again) == [one(number) for number in range(51)]
    assert again.waiting_count == 51
    assert "spool_torn_tail" not in capsys.readouterr().err


async def test_an_empty_spool_gives_nothing(make_spool: MakeSpool) -> None:
    spool = make_spool()
    assert await spool.read(None, 1000) == []
    assert (spool.waiting_count, spool.size_bytes) == (0, 0)


async def test_reading_gives_at_least_one_entry_and_no_more_than_fit(make_spool: MakeSpool) -> None:
    spool = make_spool()
    for number in range(5):
        await spool.append(one(number, 1000))
    first = await spool.read(None, 10)
    assert [entry.spooled for entry in first] == [one(0, 1000)]
    rest = await spool.read(first[0], 3000)
    assert [entry.spooled for entry in rest] == [one(number, 1000) for number in (1, 2, 3)]
    assert [entry.spooled for entry in await spool.read(rest[-1], 3000)] == [one(4, 1000)]


async def test_a_reader_at_the_end_sees_what_comes_later(make_spool: MakeSpool) -> None:
    spool = make_spool()
    await spool.append(one(1))
    last = (await spool.read(None, 1000))[-1]
    assert await spool.read(last, 1000) == []
    await spool.append(one(2))
    assert [entry.spooled for entry in await spool.read(last, 1000)] == [one(2)]


async def test_discarding_removes_only_segments_that_are_done_with(
    make_spool: MakeSpool, folder: Path
) -> None:
    spool = make_spool(segment_size_bytes=400)  # two or three entries each
    for number in range(7):
        await spool.append(one(number))
    files = segment_paths(folder)
    assert len(files) == 3
    entries = await read_all(spool)

    await spool.discard(entries[0])
    assert segment_paths(folder) == files
    assert spool.waiting_count == 6
    assert await spool.read(entries[0], 1) == entries[1:2]

    await spool.discard(entries[3])
    assert segment_paths(folder) == files[1:]
    assert spool.waiting_count == 3
    assert await spool.read(entries[3], 10_000) == entries[4:]
    assert (await spool.read(None, 1))[0].segment == entries[3].segment

    await spool.discard(entries[3])
    await spool.discard(entries[0])
    assert spool.waiting_count == 3


async def test_an_emptied_spool_has_no_segments_and_goes_on(make_spool: MakeSpool, folder: Path) -> None:
    spool = make_spool()
    await spool.append(one(1))
    last = (await read_all(spool))[-1]
    await spool.discard(last)
    assert segment_paths(folder) == []
    assert (spool.waiting_count, spool.size_bytes) == (0, 0)
    await spool.append(one(2))
    assert [entry.spooled for entry in await spool.read(last, 1000)] == [one(2)]
    assert spool.size_bytes == segment_paths(folder)[0].stat().st_size


async def test_a_hundred_callers_share_few_fsyncs(
    make_spool: MakeSpool, monkeypatch: pytest.MonkeyPatch
) -> None:
    syncs: list[int] = []
    real = os.fdatasync

    def counted(descriptor: int) -> None:
        syncs.append(descriptor)
        real(descriptor)

    monkeypatch.setattr(os, "fdatasync", counted)
    spool = make_spool()
    await asyncio.gather(*(spool.append(one(number)) for number in range(100)))
    assert 1 <= len(syncs) <= 3
    assert await deliveries(spool) == [one(number) for number in range(100)]


async def test_a_new_segment_is_durable_with_its_name_and_its_folder(
    make_spool: MakeSpool, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    durable: list[str] = []

    def recorded(real: Callable[[int], None]) -> Callable[[int], None]:
        def sync(descriptor: int) -> None:
            real(descriptor)
            durable.append(str(Path(f"/proc/self/fd/{descriptor}").readlink()))

        return sync

    monkeypatch.setattr(os, "fsync", recorded(os.fsync))
    monkeypatch.setattr(os, "fdatasync", recorded(os.fdatasync))
    await make_spool().append(one(1))
    made = [str(folder.parent), str(folder.parent.parent)]  # each holds the name of a folder that was made
    assert durable == [*made, str(folder), str(segment_paths(folder)[0])]


async def test_nothing_is_acknowledged_before_it_is_fsynced(
    make_spool: MakeSpool, monkeypatch: pytest.MonkeyPatch
) -> None:
    may_sync = threading.Event()
    is_syncing = asyncio.Event()
    loop = asyncio.get_running_loop()
    real = os.fdatasync

    def held(descriptor: int) -> None:
        loop.call_soon_threadsafe(is_syncing.set)
        may_sync.wait(30)
        real(descriptor)

    monkeypatch.setattr(os, "fdatasync", held)
    spool = make_spool()
    appending = asyncio.create_task(spool.append(one(1)))
    await is_syncing.wait()
    assert not appending.done()
    assert spool.waiting_count == 0

    cancelled = asyncio.create_task(spool.append(one(2)))
    kept = asyncio.create_task(spool.append(one(3)))
    await asyncio.sleep(0)  # both queue
    cancelled.cancel()
    appending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await cancelled
    may_sync.set()
    await kept
    # The one that was being written stays; the one that had not begun went with its caller.
    assert await deliveries(spool) == [one(1), one(3)]


async def test_the_bound_holds_and_is_free_again_after_a_discard(make_spool: MakeSpool) -> None:
    spool = make_spool(size_max_bytes=5000)
    outcomes = await asyncio.gather(
        *(spool.append(one(number, 1000)) for number in range(10)), return_exceptions=True
    )
    assert [outcome is None for outcome in outcomes] == [True] * 4 + [False] * 6
    refusal = outcomes[-1]
    assert isinstance(refusal, SpoolUnavailable)
    assert "5000 octets" in refusal.message
    assert "LOGDRAIN_SPOOL_SIZE_MAX_BYTES" in refusal.hint
    assert spool.size_bytes <= 5000

    await spool.append(one(10, 10))  # a small one still fits
    entries = await read_all(spool)
    await spool.discard(entries[-1])
    await spool.append(one(11, 1000))
    assert await deliveries(spool) == [one(11, 1000)]


async def test_closing_writes_what_waits_and_leaves_no_thread(make_spool: MakeSpool) -> None:
    threads = threading.active_count()
    spool = make_spool()
    appending = [asyncio.create_task(spool.append(one(number))) for number in range(20)]
    await asyncio.sleep(0)  # all queue
    await spool.close()
    await asyncio.gather(*appending)
    await spool.close()
    assert threading.active_count() == threads
    with pytest.raises(SpoolUnavailable, match="closed"):
        await spool.append(one(1))
    with pytest.raises(SpoolUnavailable, match="closed"):
        await spool.read(None, 1)
    assert len(await deliveries(make_spool())) == 20


async def test_only_the_owner_can_read_it(make_spool: MakeSpool, folder: Path) -> None:
    await make_spool().append(one(1))
    assert modes(folder) == [0o700, 0o600, 0o600]


async def test_a_segment_of_another_version_is_left_alone(
    make_spool: MakeSpool,
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    spool = make_spool()
    with monkeypatch.context() as later:
        later.setattr(segments, "FORMAT_VERSION", 2)
        await spool.append(one(1))
    await spool.close()
    before = segment_paths(folder)[0].read_bytes()

    spool = make_spool()
    await spool.append(one(2))
    entries = await read_all(spool)
    assert [entry.spooled for entry in entries] == [one(2)]
    assert spool.waiting_count == 1
    await spool.discard(entries[-1])
    assert [path.read_bytes() for path in segment_paths(folder)] == [before]
    lines = [line for line in capsys.readouterr().err.splitlines() if "spool_segment_foreign" in line]
    assert len(lines) == 1
    assert "another version of logdrain" in lines[0]


async def test_an_unused_spool_touches_nothing(make_spool: MakeSpool, folder: Path) -> None:
    spool = make_spool()
    await spool.close()
    assert names(folder.parent) == []
