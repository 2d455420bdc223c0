"""What breaks under a spool: processes, disks, octets. What was acknowledged is always there."""

import asyncio
import errno
import os
import random
import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from logdrain.errors import DiskNearlyFull, SpoolUnavailable
from logdrain.model.spool import Spooled
from logdrain.spool.folder_spool import FolderSpool
from tests.integration.spool.spool_appender import make
from tests.integration.spool.spooled_entries import deliveries, names, one, put, segment_paths

ROOT = Path(__file__).parents[3]


def spool_in(folder: Path) -> FolderSpool:
    return FolderSpool(folder, size_max_bytes=2**30)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "spool"


@pytest.fixture
async def spool(folder: Path) -> AsyncIterator[FolderSpool]:
    spool = spool_in(folder)
    yield spool
    await spool.close()


@contextmanager
def appender(folder: Path, *words: object) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "tests.integration.spool.spool_appender", str(folder), *map(str, words)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def acknowledged(lines: Iterator[str]) -> list[int]:
    return [
        int(line.split()[1]) for line in lines if line.startswith("acknowledged ") and line.endswith("\n")
    ]


@pytest.mark.parametrize("seed", range(3))
async def test_killed_at_any_moment_nothing_acknowledged_is_lost(folder: Path, seed: int) -> None:
    promised: set[int] = set()
    first = 0
    for round_ in range(4):
        with appender(folder, first, seed) as process:
            assert process.stdout is not None
            for _ in range(random.Random(seed * 100 + round_).randrange(1, 150)):  # noqa: S311  # repeatable
                promised.update(acknowledged(iter([process.stdout.readline()])))
            os.kill(process.pid, signal.SIGKILL)
            promised.update(acknowledged(iter(process.stdout)))
        first = max(promised) + 1000

    spool = spool_in(folder)
    found = [each for each in await deliveries(spool) if each is not None]
    assert spool.waiting_count == len(found)  # nothing damaged
    await spool.close()
    assert {int(each.delivery.id) for each in found} >= promised
    assert found == [make(int(each.delivery.id), seed) for each in found]


async def test_a_full_disk_refuses_and_keeps_what_it_took(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with appender(folder, 0, 1, 100_000) as process:  # a limit to the size of each file
        assert process.stdout is not None
        lines = process.stdout.readlines()
        assert process.wait() == 0
    refused = [line for line in lines if line.startswith("refused ")]
    assert refused
    assert "ulimit -f" in refused[0]
    spool = spool_in(folder)
    assert sorted(each.delivery.id for each in await deliveries(spool) if each) == sorted(
        str(number) for number in acknowledged(iter(lines))
    )
    # What was half written was taken back at once.
    assert "spool_torn_tail" not in capsys.readouterr().err
    await spool.close()


@contextmanager
def mounted(folder: Path, *words: str) -> Iterator[None]:
    folder.mkdir(exist_ok=True)
    command = ["mount", *words, str(folder)]
    if (
        shutil.which("mount") is None
        or subprocess.run(command, check=False, capture_output=True).returncode != 0
    ):
        pytest.skip("file systems can be mounted by root only")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def remount(folder: Path, option: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{option}", str(folder)], check=True)


async def test_a_full_file_system_refuses_and_takes_again_once_there_is_room(folder: Path) -> None:
    with mounted(folder, "-t", "tmpfs", "-o", "size=256k", "tmpfs"):
        put(folder / "other", bytes(100_000))
        spool = spool_in(folder)
        kept = []
        for number in range(50):
            try:
                await spool.append(one(number, 10_000))
            except SpoolUnavailable as error:
                assert "No space left" in error.message  # noqa: PT017  # some fit, some do not
                assert "make room" in error.hint  # noqa: PT017  # same
            else:
                kept.append(one(number, 10_000))
        assert 5 < len(kept) < 25
        assert await deliveries(spool) == kept
        (folder / "other").unlink()
        await spool.append(one(99, 10_000))
        assert await deliveries(spool) == [*kept, one(99, 10_000)]
        await spool.close()


async def test_a_read_only_file_system_refuses_until_it_is_writable(folder: Path) -> None:
    with mounted(folder, "-t", "tmpfs", "-o", "size=256k", "tmpfs"):
        remount(folder, "ro")
        spool = spool_in(folder)
        with pytest.raises(SpoolUnavailable, match="Read-only") as caught:
            await spool.append(one(1))
        assert "LOGDRAIN_SPOOL_FOLDER" in caught.value.hint
        with pytest.raises(SpoolUnavailable, match="Read-only"):
            await spool.read(None, 1)
        remount(folder, "rw")
        await spool.append(one(1))
        assert await deliveries(spool) == [one(1)]
        await spool.close()


async def test_a_file_in_the_path_refuses_until_it_is_gone(spool: FolderSpool, folder: Path) -> None:
    put(folder, b"a file")
    with pytest.raises(SpoolUnavailable) as caught:
        await spool.append(one(1))
    assert "LOGDRAIN_SPOOL_FOLDER" in caught.value.hint
    os.unlink(folder)  # noqa: PTH108  # pathlib is refused in async functions
    await spool.append(one(1))
    assert await deliveries(spool) == [one(1)]


async def test_a_folder_that_was_removed_is_not_written_into_the_void(
    spool: FolderSpool, folder: Path
) -> None:
    await spool.append(one(1))
    shutil.rmtree(folder)
    with pytest.raises(SpoolUnavailable, match="removed"):
        await spool.append(one(2))
    await spool.append(one(3))
    assert await deliveries(spool) == [one(3)]


@pytest.mark.parametrize("number", [errno.EIO, errno.ENOSPC])
async def test_after_a_failed_fsync_the_segment_is_never_written_again(
    spool: FolderSpool, folder: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def failing(descriptor: int) -> None:
        del descriptor
        raise OSError(number, os.strerror(number))

    await spool.append(one(1))
    with monkeypatch.context() as broken:
        broken.setattr(os, "fdatasync", failing)
        for _ in range(5):
            with pytest.raises(SpoolUnavailable, match=os.strerror(number)):
                await spool.append(one(2))
    assert len(segment_paths(folder)) == 1  # no trail of segments without entries
    first = segment_paths(folder)[0]
    before = first.read_bytes()
    await spool.append(one(3))
    assert first.read_bytes() == before
    assert len(segment_paths(folder)) == 2
    assert await deliveries(spool) == [one(1), one(3)]
    await spool.close()
    again = spool_in(folder)
    assert await deliveries(again) == [one(1), one(3)]
    await again.close()


async def test_a_write_that_fails_half_way_is_taken_back(
    spool: FolderSpool, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.pwrite

    def half(descriptor: int, octets: bytes, offset: int) -> int:
        if len(octets) < 100:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return real(descriptor, octets[: len(octets) // 2], offset)

    await spool.append(one(1))
    with monkeypatch.context() as broken:
        broken.setattr(os, "pwrite", half)
        with pytest.raises(SpoolUnavailable, match="Input/output error"):
            await spool.append(one(2))
    await spool.append(one(3))
    assert await deliveries(spool) == [one(1), one(3)]


async def test_two_processes_on_one_folder(spool: FolderSpool, folder: Path) -> None:
    with appender(folder, 0, 7) as process:
        assert process.stdout is not None
        promised = acknowledged(iter([process.stdout.readline()]))
        with pytest.raises(SpoolUnavailable, match=f"in use by process {process.pid}") as caught:
            await spool.append(one(1))
        assert "LOGDRAIN_SPOOL_FOLDER" in caught.value.hint
        with pytest.raises(SpoolUnavailable, match="in use"):
            await spool.read(None, 1)
        os.kill(process.pid, signal.SIGKILL)
        promised += acknowledged(iter(process.stdout))
    await spool.append(one(1))
    found = await deliveries(spool)
    assert found[-1] == one(1)
    assert {int(each.delivery.id) for each in found[:-1] if each} >= set(promised)


async def test_reading_and_discarding_go_on_while_others_append(folder: Path) -> None:
    spool = FolderSpool(folder, size_max_bytes=2**30, segment_size_bytes=3000)
    found: list[Spooled | None] = []

    async def replay() -> None:
        after = None
        while len(found) < 400:
            entries = await spool.read(after, 2000)
            if entries:
                after = entries[-1]
                found.extend(entry.spooled for entry in entries)
                await spool.discard(after)

    async def append(start: int) -> None:
        for number in range(start, start + 100):
            await spool.append(one(number))

    await asyncio.gather(replay(), *(append(start) for start in (0, 100, 200, 300)))
    assert sorted(each.delivery.message_count or 0 for each in found if each) == list(range(400))
    assert (spool.waiting_count, spool.size_bytes) == (0, 0)
    await spool.close()
    assert names(folder) == ["lock"]


async def test_a_disk_or_a_bound_that_is_nearly_reached_is_told_of(
    folder: Path, spool: FolderSpool, monkeypatch: pytest.MonkeyPatch
) -> None:
    await spool.check()  # the folder is still to be made
    found = list(os.statvfs(folder.parent))
    found[4] = found[2] // 100  # f_bavail, f_blocks
    monkeypatch.setattr(os, "statvfs", lambda _: os.statvfs_result(found))
    with pytest.raises(DiskNearlyFull, match=r"the disk of the spool .* is nearly full: 1\.0% is free"):
        await spool.check()
    found[4] = found[2]
    await spool.append(one(0))
    await spool.close()
    bounded = FolderSpool(folder, size_max_bytes=spool.size_bytes + 1)
    await deliveries(bounded)
    with pytest.raises(DiskNearlyFull, match="the spool is nearly full"):
        await bounded.check()
    await bounded.close()
