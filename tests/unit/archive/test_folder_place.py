"""A place: whole files or none, one installation, clear words for what is wrong with it."""

import errno
import math
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from logdrain.archive import folder_place
from logdrain.archive.folder_place import IDENTITY_FILE, FolderPlace, PlacedFile
from logdrain.errors import ArchiveDamaged, ArchiveRefused, ArchiveUnavailable

STEM = "production/pay/day=2026-07-01/09"


@pytest.fixture
def place(tmp_path: Path) -> FolderPlace:
    found = FolderPlace(tmp_path / "archive", "ledger-1")
    found.open()
    return found


def put(place: FolderPlace, octets: bytes, stem: str = STEM) -> PlacedFile:
    with place.staged() as path:
        path.write_bytes(octets)
        file = place.prepare(path, stem)
        place.commit(path, file)
        return file


def files(place: FolderPlace) -> list[str]:
    return sorted(
        str(path.relative_to(place.folder))
        for path in place.folder.rglob("*")
        if path.is_file() and path.name != IDENTITY_FILE
    )


def test_a_place_keeps_its_identity(place: FolderPlace) -> None:
    assert FolderPlace(place.folder, "ledger-1").open() == place.open()


def test_those_who_make_a_place_at_once_agree(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: FolderPlace(tmp_path / "new", "ledger-1").open(), range(16)))
    assert len(set(found)) == 1


def test_another_installation_is_refused(place: FolderPlace) -> None:
    with pytest.raises(ArchiveRefused, match="another installation"):
        FolderPlace(place.folder, "ledger-2").open()


def test_a_newer_version_is_refused_whatever_else_it_says(place: FolderPlace) -> None:
    (place.folder / IDENTITY_FILE).write_text('{"version": 2, "places": []}')
    with pytest.raises(ArchiveRefused, match="newer version"):
        place.open()


@pytest.mark.parametrize("octets", [b"", b"{", b"[]", b'{"version": "1"}', b'{"version": 1}'])
def test_an_identity_that_cannot_be_read_is_refused(place: FolderPlace, octets: bytes) -> None:
    (place.folder / IDENTITY_FILE).write_bytes(octets)
    with pytest.raises(ArchiveRefused, match="cannot be read"):
        place.open()


def test_a_folder_with_other_files_is_not_taken(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("dear reader")
    with pytest.raises(ArchiveRefused, match="not empty"):
        FolderPlace(tmp_path, "ledger-1").open()


def test_an_empty_folder_is_no_new_place_where_one_was_known(tmp_path: Path) -> None:
    with pytest.raises(ArchiveUnavailable, match="is gone"):
        FolderPlace(tmp_path, "ledger-1").open(known="place-1")


def test_a_file_in_the_way_is_named(tmp_path: Path) -> None:
    (tmp_path / "archive").write_text("")
    with pytest.raises(ArchiveUnavailable, match="a file stands in its path"):
        FolderPlace(tmp_path / "archive", "ledger-1").open()


def test_a_file_is_named_by_its_content(place: FolderPlace) -> None:
    first = put(place, b"octets")
    assert first == put(place, b"octets")  # a retried write is the same file
    assert put(place, b"others") != first
    assert first.name in files(place)
    assert len(files(place)) == 2
    place.verify(first)


def test_what_is_not_committed_is_removed(place: FolderPlace) -> None:
    with place.staged() as path:
        path.write_bytes(b"half")
    assert files(place) == []


@pytest.mark.parametrize(
    ("number", "hint"),
    [
        (errno.ENOSPC, "make room"),
        (errno.EROFS, "read-only"),
        (errno.ENOENT, "mount"),
        (errno.EIO, "failing"),
    ],
    ids=["full", "read-only", "gone", "failing"],
)
@pytest.mark.parametrize("step", ["sync_file", "sync_folder"])
def test_a_disk_that_fails_at_any_step(
    place: FolderPlace, monkeypatch: pytest.MonkeyPatch, number: int, hint: str, step: str
) -> None:
    def fail(_: Path) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(folder_place, step, fail)
    with pytest.raises(ArchiveUnavailable) as caught:
        put(place, b"octets")
    assert hint in caught.value.hint
    monkeypatch.undo()
    place.verify(put(place, b"octets"))


def test_a_bit_that_flipped(place: FolderPlace) -> None:
    file = put(place, b"octets")
    place.path(file.name).write_bytes(b"oktets")
    with pytest.raises(ArchiveDamaged, match="is damaged"):
        place.verify(file)


def test_a_file_that_is_gone(place: FolderPlace) -> None:
    file = put(place, b"octets")
    assert not place.remove(file.name, 0)  # written again meanwhile
    place.verify(file)
    assert place.remove(file.name, math.inf)
    assert place.remove(file.name, math.inf)
    assert files(place) == []
    assert not (place.folder / "production").exists()  # empty folders go with their last file
    with pytest.raises(ArchiveDamaged, match="is gone"):
        place.verify(file)


@pytest.mark.parametrize("name", ["/etc/passwd", "../x", "a/../../x"])
def test_no_name_leads_out(place: FolderPlace, name: str) -> None:
    with pytest.raises(ArchiveDamaged, match="outside"):
        place.path(name)


def test_what_killed_builders_left_is_swept(place: FolderPlace) -> None:
    young, old = (place.folder / ".new" / name for name in ("young.parquet", "old.parquet"))
    young.touch()
    old.touch()
    os.utime(old, (0, 0))
    assert place.sweep(1) == 1
    assert files(place) == [".new/young.parquet"]
