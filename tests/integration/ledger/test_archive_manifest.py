"""The manifest: snapshots of one generation, leases that fence, swaps that happen whole or not at all."""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from logdrain.errors import ArchiveOvertaken
from logdrain.ledger.parts import Ledger
from logdrain.model.archive import (
    ArchiveColumn,
    ArchiveFile,
    ArchiveHours,
    ArchiveLease,
    ContentFacts,
    NewFile,
)
from logdrain.model.events import Table
from logdrain.ports.archive import ArchiveManifest

PAY = Table("production", "pay")
HOUR_S = 3600
COLUMNS = (ArchiveColumn("price", ("price",), "long", 2, "1", "9007199254740993"),)
NOW = timedelta(0)


@pytest.fixture
def manifest(ledger: Ledger) -> ArchiveManifest:
    ledger.manifest.see_place("here", "machine-1", "/archive")
    return ledger.manifest


def hours(first: int, count: int = 1) -> ArchiveHours:
    return ArchiveHours(first * HOUR_S, (first + count) * HOUR_S)


def new_file(of: ArchiveHours, name: str = "") -> NewFile:
    return NewFile(
        table=PAY,
        hours=of,
        name=name or f"{of.begins_s}.parquet",
        digest="00",
        size_bytes=100,
        content=ContentFacts(2, bytes(16), bytes([255] * 16), COLUMNS),
        read_began=datetime(2026, 7, 1, tzinfo=UTC),
    )


def lease_of(manifest: ArchiveManifest, of: ArchiveHours, lasts_s: float = 60) -> ArchiveLease:
    lease = manifest.lease("here", PAY, of, lasts_s)
    assert lease is not None
    return lease


def put(manifest: ArchiveManifest, of: ArchiveHours, old: Iterable[ArchiveFile] = (), name: str = "") -> None:
    lease = lease_of(manifest, of)
    manifest.swap(lease, list(old), [new_file(of, name)])
    manifest.release(lease)


def names(manifest: ArchiveManifest, **narrowed: Any) -> list[str]:
    return [file.name for file in manifest.files("here", PAY, **narrowed)]


def test_a_file_is_listed_as_it_was_given(manifest: ArchiveManifest) -> None:
    put(manifest, hours(9))
    [file] = manifest.files("here", PAY)
    expected = new_file(hours(9))
    for name in ("table", "hours", "name", "digest", "size_bytes", "content", "read_began"):
        assert getattr(file, name) == getattr(expected, name)
    assert manifest.tables("here") == [PAY]
    assert manifest.files("there", PAY) == []
    assert manifest.files("here", Table("production", "play")) == []


def test_only_files_that_touch_the_hours(manifest: ArchiveManifest) -> None:
    for first in (11, 9, 10):
        put(manifest, hours(first))
    assert names(manifest, hours=hours(10)) == ["36000.parquet"]
    assert names(manifest) == ["32400.parquet", "36000.parquet", "39600.parquet"]


def test_hours_are_in_one_file(manifest: ArchiveManifest) -> None:
    put(manifest, hours(9))
    with pytest.raises(ArchiveOvertaken, match="another file"):
        put(manifest, hours(8, 3))
    assert names(manifest) == ["32400.parquet"]


def test_compaction_swaps_all_files_at_once(manifest: ArchiveManifest) -> None:
    for first in range(3):
        put(manifest, hours(first))
    old = manifest.files("here", PAY)
    put(manifest, hours(0, 24), old, "day.parquet")
    assert names(manifest) == ["day.parquet"]
    with pytest.raises(ArchiveOvertaken, match="was replaced"):
        put(manifest, hours(0, 24), old, "again.parquet")
    assert names(manifest) == ["day.parquet"]


def test_one_of_two_builders_has_the_hours(manifest: ArchiveManifest) -> None:
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: manifest.lease("here", PAY, hours(9), 60), range(8)))
    assert len([lease for lease in found if lease]) == 1
    assert manifest.lease("here", PAY, hours(0, 24), 60) is None
    assert manifest.lease("here", PAY, hours(10), 60) is not None
    assert manifest.lease("here", Table("production", "play"), hours(9), 60) is not None


def test_who_was_overtaken_commits_nothing(manifest: ArchiveManifest) -> None:
    slow = lease_of(manifest, hours(9), lasts_s=0)
    put(manifest, hours(9), name="quick.parquet")
    with pytest.raises(ArchiveOvertaken, match="the lease"):
        manifest.swap(slow, [], [new_file(hours(9), "slow.parquet")])
    with pytest.raises(ArchiveOvertaken, match="the lease"):
        manifest.renew(slow, 60)
    assert names(manifest) == ["quick.parquet"]


def test_a_lease_that_is_renewed_stays(manifest: ArchiveManifest) -> None:
    lease = lease_of(manifest, hours(9), lasts_s=0)
    manifest.renew(lease, 60)
    assert manifest.lease("here", PAY, hours(9), 60) is None


def test_replaced_files_wait_before_they_are_deleted(manifest: ArchiveManifest) -> None:
    put(manifest, hours(9), name="old.parquet")
    put(manifest, hours(9), manifest.files("here", PAY), "new.parquet")
    assert manifest.unreferenced("here", timedelta(days=1)) == []
    assert manifest.unreferenced("here", NOW) == ["old.parquet"]
    manifest.forget("here", ["old.parquet"])
    assert manifest.unreferenced("here", NOW) == []
    assert names(manifest) == ["new.parquet"]


def test_a_name_that_is_current_again_is_not_deleted(manifest: ArchiveManifest) -> None:
    for name in ("same.parquet", "same.parquet"):
        put(manifest, hours(9), manifest.files("here", PAY), name)
    assert manifest.unreferenced("here", NOW) == []
    manifest.forget("here", ["same.parquet"])
    assert names(manifest) == ["same.parquet"]


def test_places(manifest: ArchiveManifest) -> None:
    put(manifest, hours(9))
    assert manifest.known_place("machine-1", "/archive") == "here"
    assert manifest.known_place("machine-2", "/archive") is None
    manifest.see_place("here", "machine-2", "/mnt")
    [place] = manifest.places()
    assert (place.id, place.folder, place.files, place.rows, place.size_bytes) == ("here", "/mnt", 1, 2, 100)


def test_a_place_that_nobody_sees_leaves_with_its_files(manifest: ArchiveManifest) -> None:
    put(manifest, hours(9))
    assert manifest.forget_place(timedelta(days=7)) == []
    assert manifest.forget_place(NOW) == ["here"]
    assert manifest.places() == []
    assert names(manifest) == []
