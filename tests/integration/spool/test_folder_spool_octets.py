"""Octets that are not as they were written, in the folder of an earlier process."""

import os
from pathlib import Path

import pytest

from logdrain.spool.folder_spool import FolderSpool
from tests.integration.spool.spooled_entries import deliveries, one, put, read_all, segment_paths


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "spool"


def spool_in(folder: Path) -> FolderSpool:
    return FolderSpool(folder, size_max_bytes=2**30)


async def test_a_torn_tail_is_cut_off_and_reported_once(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = spool_in(folder)
    await first.append(one(1))
    await first.append(one(2))
    await first.close()
    segment = segment_paths(folder)[0]
    os.truncate(segment, segment.stat().st_size - 1)

    for _ in range(2):
        spool = spool_in(folder)
        assert await deliveries(spool) == [one(1)]
        assert (spool.waiting_count, spool.size_bytes) == (1, segment.stat().st_size)
        await spool.close()
    assert capsys.readouterr().err.count("event=spool_torn_tail") == 1


async def test_a_segment_without_any_whole_entry_is_removed(folder: Path) -> None:
    put(folder / f"{7:020d}.spool", b"logdrain-sp")
    put(folder / f"{8:020d}.spool", b"")
    spool = spool_in(folder)
    await spool.append(one(1))
    assert await deliveries(spool) == [one(1)]
    assert [path.name for path in segment_paths(folder)] == [f"{9:020d}.spool"]
    await spool.close()


async def test_damage_is_handed_on_and_hides_nothing(folder: Path) -> None:
    first = spool_in(folder)
    for number in range(5):
        await first.append(one(number))
    await first.close()
    segment = segment_paths(folder)[0]
    octets = bytearray(segment.read_bytes())
    octets[octets.index(one(2).body) + 50] ^= 1
    segment.write_bytes(octets)

    spool = spool_in(folder)
    entries = await read_all(spool, 1)
    assert [entry.spooled for entry in entries] == [one(0), one(1), None, one(3), one(4)]
    damaged = entries[2]
    assert damaged.damaged == octets[damaged.offset : entries[3].offset]
    assert spool.waiting_count == 5
    await spool.discard(damaged)
    assert spool.waiting_count == 2
    await spool.discard(entries[-1])
    assert spool.size_bytes == 0
    await spool.close()


async def test_a_damaged_first_line_costs_no_entry(folder: Path) -> None:
    first = spool_in(folder)
    await first.append(one(1))
    await first.close()
    segment = segment_paths(folder)[0]
    octets = bytearray(segment.read_bytes())
    octets[16] ^= 2  # the version, in a line whose checksum then tells
    segment.write_bytes(octets)

    spool = spool_in(folder)
    entries = await read_all(spool)
    assert [entry.spooled for entry in entries] == [None, one(1)]
    assert entries[0].damaged == octets[: entries[1].offset]
    await spool.discard(entries[-1])
    assert segment_paths(folder) == []
    await spool.close()


async def test_large_damage_is_read_in_bounded_pieces_from_anywhere(folder: Path) -> None:
    first = spool_in(folder)
    for number in range(3):  # the third has a segment of its own
        await first.append(one(number, 9_000_000))
    await first.close()
    segment = segment_paths(folder)[0]
    octets = bytearray(segment.read_bytes())
    start = octets.index(one(1).body) - 60  # in the second entry's header: its length is not known any more
    octets[start : start + 50] = os.urandom(50)
    segment.write_bytes(octets)

    spool = spool_in(folder)
    entries = await read_all(spool, 1)
    assert [entry.spooled for entry in entries] == [one(0, 9_000_000), None, None, one(2, 9_000_000)]
    assert b"".join(entry.damaged for entry in entries) == octets[entries[1].offset :]
    assert spool.waiting_count == 4
    await spool.close()
