"""Results of files: where they go, and what is left of a run that fails."""

import errno
import fcntl
import os
import resource
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from logdrain.errors import (
    LeaseLost,
    LogdrainError,
    ResultRefused,
    ResultUnavailable,
)
from logdrain.model.jobs import Mode
from logdrain.model.result_files import FileFormat
from logdrain.ports.streams import ArrowStream
from logdrain.results.files.file_writer import FolderResultWriter
from tests.integration.results.result_files import ROWS, everything, target, write
from tests.integration.results.result_table import (
    ANOTHER_LEDGER,
    CLAIM,
    HOUR,
    SLICE,
    WatchedStream,
    as_stream,
    next_claim,
)


def test_a_file_for_each_slice_named_by_its_time_in_utc(tmp_path: Path) -> None:
    write(tmp_path, target(tmp_path / "a" / "b"))
    write(tmp_path, target(tmp_path / "a" / "b"), scheduled_at=SLICE + HOUR, run_id=2)
    assert everything(tmp_path) == [
        "a/b/pay/.logdrain/lock",
        "a/b/pay/.logdrain/mark.json",
        "a/b/pay/20120301T000000Z.parquet",
        "a/b/pay/20120301T010000Z.parquet",
    ]


def test_one_file_that_is_replaced(tmp_path: Path) -> None:
    write(tmp_path, target(tmp_path, mode=Mode.TRUNCATE, format=FileFormat.CSV))
    assert everything(tmp_path) == [".pay.logdrain/lock", ".pay.logdrain/mark.json", "pay.csv"]


def test_without_a_folder_for_results_there_are_none(tmp_path: Path) -> None:
    writer = FolderResultWriter("")
    with pytest.raises(ResultRefused, match="LOGDRAIN_RESULT_FOLDER is not set"):
        writer.write(target(tmp_path), CLAIM, ROWS, ledger_identity=ANOTHER_LEDGER)
    assert everything(tmp_path) == []


def test_nothing_is_written_through_a_link(tmp_path: Path) -> None:
    root, outside = tmp_path / "results", tmp_path / "outside"
    (root / "real").mkdir(parents=True)
    outside.mkdir()
    (root / "link").symlink_to(outside)
    (root / "real" / "pay").symlink_to(outside)
    (root / "pay.csv").symlink_to(outside / "passwords")
    for folder in (root / "link", root / "link" / "deeper", root / "real"):
        with pytest.raises(ResultRefused, match="Not a directory") as raised:
            write(root, target(folder))
        assert "links are not followed" in raised.value.hint
    write(root, target(root, mode=Mode.REPLACE, format=FileFormat.CSV))  # the link itself is replaced
    assert everything(outside) == []
    assert not (root / "pay.csv").is_symlink()


def test_the_folder_for_results_itself_may_be_a_link(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    root = tmp_path / "results"
    root.symlink_to(tmp_path / "disk")
    write(root, target(root, mode=Mode.REPLACE))
    assert (tmp_path / "disk" / "pay.parquet").is_file()


def test_a_folder_that_is_away_is_waited_for(tmp_path: Path) -> None:
    root = tmp_path / "not_mounted"
    with pytest.raises(ResultUnavailable, match="No such file") as raised:
        write(root, target(root))
    assert "mount its disk" in raised.value.hint
    assert not root.exists()


def test_a_folder_where_the_file_should_be(tmp_path: Path) -> None:
    (tmp_path / "pay.csv").mkdir()
    with pytest.raises(ResultRefused, match="Is a directory"):
        write(tmp_path, target(tmp_path, mode=Mode.REPLACE, format=FileFormat.CSV))
    assert [path for path in everything(tmp_path) if path.endswith(".part")] == []


@contextmanager
def limited_file_size(size_bytes: int) -> Iterator[None]:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("form", FileFormat)
def test_a_full_disk_leaves_what_was_there(tmp_path: Path, form: FileFormat) -> None:
    """Of the process' own limit, as of a disk: the write breaks off."""
    of = target(tmp_path, format=form, mode=Mode.REPLACE)
    write(tmp_path, of)
    path = tmp_path / f"pay.{form}"
    before = path.read_bytes()
    noise = pa.array([os.urandom(32).hex() for _ in range(20_000)])
    with limited_file_size(100_000), pytest.raises(LogdrainError, match="cannot be written: File too large"):
        write(tmp_path, of, as_stream({"noise": noise}), run_id=2)
    assert path.read_bytes() == before
    assert everything(tmp_path) == [".pay.logdrain/lock", ".pay.logdrain/mark.json", f"pay.{form}"]


def test_a_disk_that_is_full_when_it_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, target(tmp_path))
    before = (tmp_path / "pay" / "20120301T000000Z.parquet").read_bytes()

    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(ResultUnavailable, match="No space left on device") as raised:
            write(tmp_path, target(tmp_path), as_stream({"time": [1]}), run_id=2)
    assert raised.value.hint == "make room on its disk"
    assert (tmp_path / "pay" / "20120301T000000Z.parquet").read_bytes() == before
    assert [path for path in everything(tmp_path) if path.endswith(".part")] == []


def test_a_lock_that_somebody_keeps_is_not_waited_for_for_ever(tmp_path: Path) -> None:
    write(tmp_path, target(tmp_path))
    with (tmp_path / "pay" / ".logdrain" / "lock").open("rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(ResultUnavailable, match=r"has had the lock of the result for 0\.05 s"):
            write(tmp_path, target(tmp_path), run_id=2)
    write(tmp_path, target(tmp_path), run_id=3)


def test_what_a_later_run_took_for_left_over_is_not_put_in_place(tmp_path: Path) -> None:
    """The later run has begun, and has not left its mark yet."""
    own = tmp_path / "pay" / ".logdrain"

    def clean() -> None:
        failing = ArrowStream(ROWS.schema, raising())
        with pytest.raises(LeaseLost):
            write(tmp_path, target(tmp_path), failing, run_id=2)
        assert [path.name for path in own.iterdir()] == []

    with pytest.raises(LeaseLost):
        write(tmp_path, target(tmp_path), WatchedStream(ROWS, clean))
    assert not (tmp_path / "pay" / "20120301T000000Z.parquet").exists()


def raising() -> Iterator[pa.RecordBatch]:
    yield from ROWS
    raise LeaseLost("as if the run were ended")


def test_what_a_dead_run_has_left_goes_with_the_next(tmp_path: Path) -> None:
    own = tmp_path / "pay" / ".logdrain"
    own.mkdir(parents=True)
    mine, others, later = f"{ANOTHER_LEDGER}.1.part", "another.1.part", f"{ANOTHER_LEDGER}.3.part"
    for name in (mine, others, later):
        (own / name).write_bytes(b"half")
    write(tmp_path, target(tmp_path), run_id=2)
    assert {path.name for path in own.iterdir()} == {others, later, "lock", "mark.json"}


def test_a_mark_that_is_none_is_told(tmp_path: Path) -> None:
    write(tmp_path, target(tmp_path))
    (tmp_path / "pay" / ".logdrain" / "mark.json").write_text("{")
    with pytest.raises(ResultRefused, match=r"the mark beside .*/pay/20120301T000000Z.parquet cannot be"):
        write(tmp_path, target(tmp_path), run_id=2)


def test_a_renamed_schedule_overtakes_runs_of_its_former_name(tmp_path: Path) -> None:
    renamed = replace(CLAIM.schedule, name="renamed")
    write(tmp_path, target(tmp_path), run_id=9, schedule=renamed)
    with pytest.raises(LeaseLost):
        write(tmp_path, target(tmp_path), run_id=8)
    assert '"run_id":9' in (tmp_path / "pay" / ".logdrain" / "mark.json").read_text()


def test_a_newer_slice_of_another_schedule_does_not_count(tmp_path: Path) -> None:
    replaced = target(tmp_path, mode=Mode.REPLACE)
    write(tmp_path, replaced, run_id=8)
    other = replace(CLAIM.schedule, name="other")
    write(tmp_path, replaced, run_id=9, schedule=other, scheduled_at=CLAIM.scheduled_at - HOUR)
    assert '"run_id":9' in (tmp_path / ".pay.logdrain" / "mark.json").read_text()


def test_the_mark_of_another_ledger_does_not_count(tmp_path: Path) -> None:
    write(tmp_path, target(tmp_path), run_id=9)
    mark = tmp_path / "pay" / ".logdrain" / "mark.json"
    mark.write_text(mark.read_text().replace(ANOTHER_LEDGER, "a ledger that is gone"))
    write(tmp_path, target(tmp_path))
    assert '"run_id":1' in mark.read_text()


def test_two_runs_at_once_leave_one_whole_file(tmp_path: Path) -> None:
    writer = FolderResultWriter(str(tmp_path))
    claims = [next_claim(CLAIM, run_id=run_id) for run_id in range(1, 9)]
    lost: list[int] = []

    def run(run_id: int) -> None:
        rows = as_stream({"run": [run_id] * 1000})
        try:
            writer.write(target(tmp_path), claims[run_id - 1], rows, ledger_identity=ANOTHER_LEDGER)
        except LeaseLost:
            lost.append(run_id)

    threads = [threading.Thread(target=run, args=(claim.run_id,)) for claim in claims]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    table = pq.read_table(tmp_path / "pay" / "20120301T000000Z.parquet")
    assert table.column("run").to_pylist() == [8] * 1000
    assert 8 not in lost
