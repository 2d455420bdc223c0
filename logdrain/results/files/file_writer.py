"""Writes a run's rows to a file, which takes the place of the slice's earlier one in one rename(2).

1. Look at the mark beside the result: whether a later run has been here.
2. Write all rows to a file in our own folder beside the result, as the query yields them; fsync.
3. Take the lock, look at the mark again, write ours, rename the file to its place, fsync the folder.

A crash before the rename leaves the old file, after it the new one, whole in either case. The ledger's note
follows; where the program dies between the two, the slice runs again and its file is replaced by its equal.

The mark says which run came last. It is written before the file is renamed, under a lock. So it never says
less than what is there: a run that was overtaken finds a higher number, whatever clocks and leases say. Run
ids grow over all claims of a ledger, one schedule writes a result, and it has one claim at a time.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

import msgspec

from logdrain import log
from logdrain.errors import ResultRefused
from logdrain.model.jobs import Claim
from logdrain.model.result_files import FileTarget
from logdrain.ports.streams import ArrowStream
from logdrain.results.files.file_places import FilePlace, file_place
from logdrain.results.files.folder_files import (
    create,
    exists,
    file_error,
    locked,
    move,
    names_in,
    opened_folder,
    opened_own,
    put,
    read,
    remove,
)
from logdrain.results.files.formats import FORMATS, Facts
from logdrain.results.overtaken import lease_lost, newer_slice_held
from logdrain.types.postgres_types import file_columns

_MARK = "mark.json"
_MARK_SIZE_MAX = 65_536
_PART = ".part"


class FolderResultWriter:
    """Writes results of files.

    Args:
        root: The folder that they must be in, absolute; "" refuses them all.
        lock_timeout_s: How long to wait for another run that is putting its file in place.
    """

    def __init__(self, root: str, *, lock_timeout_s: float = 30.0) -> None:
        self._root = root
        self._lock_timeout_s = lock_timeout_s

    def write(self, target: FileTarget, claim: Claim, rows: ArrowStream, *, ledger_identity: str) -> int:
        """Put the slice's rows in place; returns rows written.

        The stream is read once, batch by batch; not at all where a later run has been here.

        Raises:
            ResultUnavailable: the disk is full or away, or something passing was in the way.
            ResultRefused: files may not be written there, a value, or a newer slice is in the file.
            ResultColumnConflict: a column has a type that the format does not hold.
            LeaseLost: another worker has the slice.
            LogdrainError: what reading the stream raised, unchanged.
        """
        place = file_place(target, claim.scheduled_at, self._root)
        columns = file_columns(rows.schema, unix_time=target.unix_time)
        mark = _Mark(ledger_identity, claim.schedule.name, claim.run_id, claim.scheduled_at)
        facts: Facts = {
            "logdrain.schedule": mark.schedule,
            "logdrain.scheduled_at": mark.scheduled_at.isoformat(),
        }
        with (
            _own_errors(place),
            opened_folder(self._root, place.folders) as folder,
            opened_own(folder, place.own) as own,
        ):
            load = _Load(folder, own, place, claim, mark, holds_one_slice=target.mode.facts.holds_one_slice)
            load.check()
            load.remove_left_over()
            with load.part() as descriptor, open(descriptor, "wb") as file:  # noqa: PTH123  # a descriptor has no path
                written = FORMATS[target.format](file, rows, columns, facts)
                file.flush()
                os.fsync(file.fileno())
                with locked(own, self._lock_timeout_s):
                    load.check()
                    load.place_part()
        if written.removed_nul:
            log.warning("result_nul_characters_removed", table=place, count=written.removed_nul)
        return written.rows


class _Mark(msgspec.Struct, frozen=True):
    """Who came last; kept as JSON.

    Attributes:
        ledger: Its identity.
        scheduled_at: Of the slice.
    """

    ledger: str
    schedule: str
    run_id: int
    scheduled_at: datetime


@dataclass(frozen=True, slots=True)
class _Load:
    """One run's rows on their way into a file.

    Attributes:
        folder: Descriptor of the folder with the file.
        own: Descriptor of ours beside it.
        mark: What the run leaves.
    """

    folder: int
    own: int
    place: FilePlace
    claim: Claim
    mark: _Mark
    holds_one_slice: bool

    def check(self) -> None:
        """Refuse a run that was overtaken, or an older slice."""
        octets = read(self.own, _MARK, _MARK_SIZE_MAX)
        found = None if octets is None else _decode_mark(octets, self.place)
        newest_only = self.holds_one_slice and exists(self.folder, self.place.name)
        _check_mark(self.claim, self.mark, found, newest_only=newest_only)

    def remove_left_over(self) -> None:
        """Delete what earlier runs of this ledger have begun and not finished."""
        for name in names_in(self.own):
            begin, _, number = name.removesuffix(_PART).rpartition(".")
            is_part = name.endswith(_PART) and begin == self.mark.ledger and number.isdecimal()
            if is_part and int(number) < self.mark.run_id:
                remove(self.own, name)

    @contextmanager
    def part(self) -> Iterator[int]:
        """The descriptor of the file that the rows go to first; gone at the end, in place or not."""
        descriptor = create(self.own, self._part)
        try:
            yield descriptor
        finally:
            remove(self.own, self._part)

    def place_part(self) -> None:
        """Leave the mark, then put the file in place."""
        put(self.own, _MARK, msgspec.json.encode(self.mark))
        try:
            move(self.own, self._part, self.folder, self.place.name)
        except FileNotFoundError as error:  # a later run has taken it for left over
            raise lease_lost(self.claim) from error

    @property
    def _part(self) -> str:
        return f"{self.mark.ledger}.{self.mark.run_id}{_PART}"


def _decode_mark(octets: bytes, place: FilePlace) -> _Mark:
    """A mark that was kept.

    Raises:
        ResultRefused: it is none.
    """
    try:
        return msgspec.json.decode(octets, type=_Mark)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ResultRefused(
            f"the mark beside {place} cannot be read: {error}",
            hint=f"if no run is writing there, delete the folder {place.own} beside the file",
        ) from error


def _check_mark(claim: Claim, own: _Mark, found: _Mark | None, *, newest_only: bool) -> None:
    """Refuse a run that may not put its file in place.

    Args:
        claim: The run.
        own: The mark that it would leave.
        found: The mark that is there, or None.
        newest_only: The file holds one slice, and it is there: an older slice would turn it back.

    Raises:
        LeaseLost: another worker has the slice, or a later one.
        ResultRefused: the file holds a newer slice, and the run is not forced.
    """
    if found is None or found.ledger != own.ledger:
        return
    if found.run_id > own.run_id:  # also of another schedule: this one may have been renamed since
        raise lease_lost(claim)
    is_older = found.schedule == own.schedule and found.scheduled_at > own.scheduled_at
    if newest_only and is_older and not claim.forced:
        raise newer_slice_held(claim, "the file", found.scheduled_at)


@contextmanager
def _own_errors(place: FilePlace) -> Iterator[None]:
    """Turn the system's errors into ours."""
    try:
        yield
    except OSError as error:
        raise file_error(error, str(place)) from error
