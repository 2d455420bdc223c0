"""A pass over all tables: what is to be built is built, what nobody reads any more is deleted.

A pass ends early when an hour ends, so that old history never holds up new hours. A table without anything to
do is looked at again when the next hour has ended, or when late notes name it.
"""

from collections import defaultdict
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import NamedTuple

from logdrain import log
from logdrain.archive.builder import ArchiveBuilder
from logdrain.archive.folder_place import FolderPlace
from logdrain.archive.planning import EVENTS_MIN, Build, WaitingHour, builds, ended_before_s, uncovered
from logdrain.errors import ArchiveOvertaken
from logdrain.model.archive import PlaceState
from logdrain.model.events import Table
from logdrain.model.late import LATE_SETTLES_S
from logdrain.ports.archive import ArchiveManifest, ArchiveSource
from logdrain.ports.events import LateNotes

REPLACED_KEPT = timedelta(days=1)
"""So long a replaced file stays for those who read it."""

PLACE_KEPT = timedelta(days=7)
"""A place that nobody has seen for so long leaves the manifest."""

_NOTES_KEPT = timedelta(days=40)
# Notes of several drains may become readable in another order than they are dated.
_NOTES_OVERLAP = timedelta(minutes=1)


class PassFacts(NamedTuple):
    """What a pass did."""

    built: int
    waiting: int


class ArchivePasses:
    """Passes over one place; one thread runs them.

    Args:
        builder_of: Makes what builds in the place of this id.
        machine: The name of this one.
        is_stopping: Whether to end between two builds.
    """

    def __init__(
        self,
        source: ArchiveSource,
        late_notes: LateNotes,
        manifest: ArchiveManifest,
        place: FolderPlace,
        builder_of: Callable[[str], ArchiveBuilder],
        *,
        machine: str,
        is_stopping: Callable[[], bool] = lambda: False,
    ) -> None:
        self._source = source
        self._late_notes = late_notes
        self._manifest = manifest
        self._place = place
        self._builder_of = builder_of
        self._machine = machine
        self._is_stopping = is_stopping
        self._notes: dict[Table, dict[int, datetime]] = defaultdict(dict)
        self._notes_read_until: datetime | None = None
        self._done_until_s: dict[Table, int] = {}

    def round(self) -> PassFacts:
        """One pass.

        Raises:
            ArchiveUnavailable, ArchiveRefused: the place cannot be used.
            StoreUnavailable, LedgerUnavailable: a server did not answer.
        """
        place_id = self.open()
        store_time = self._source.store_time()
        self._read_notes(store_time)
        ended_s = ended_before_s(store_time)
        todo = [
            (table, build) for table in self._due(ended_s) for build in self.plan(place_id, table, store_time)
        ]
        built, failed = self._build_all(place_id, todo, ended_s)
        self._clean(place_id, store_time)
        waiting = len(todo) - built
        self._manifest.note_pass(place_id, PlaceState(waiting=waiting, failed=failed, failure=""))
        return PassFacts(built, waiting)

    def note_failure(self, message: str) -> None:
        """Keep for `/health` that a pass failed.

        Raises:
            LedgerUnavailable: the ledger cannot be asked.
        """
        known = self._manifest.known_place(self._machine, str(self._place.folder))
        if known is not None:
            self._manifest.note_pass(known, PlaceState(waiting=None, failed=1, failure=message))

    def open(self) -> str:
        """The id of the place, which is noted as seen.

        Raises:
            ArchiveUnavailable, ArchiveRefused: it cannot be used.
        """
        folder = str(self._place.folder)
        identity = self._place.open(self._manifest.known_place(self._machine, folder))
        self._manifest.see_place(identity.id, self._machine, folder)
        return identity.id

    def plan(self, place_id: str, table: Table, store_time: datetime) -> list[Build]:
        """What there is to build of a table."""
        ended_s = ended_before_s(store_time)
        files = self._manifest.files(place_id, table)
        waiting = [
            WaitingHour(*hour)
            for gap in uncovered(files, ended_s)
            for hour in self._source.hours(table, gap, EVENTS_MIN)
        ]
        notes = self._notes.get(table, {})
        found = builds(files, waiting, notes, store_time)
        newest = max(notes.values(), default=store_time - _NOTES_KEPT)
        if not found and newest <= store_time - timedelta(seconds=LATE_SETTLES_S):
            self._done_until_s[table] = ended_s
        return found

    def _due(self, ended_s: int) -> list[Table]:
        return [table for table in self._source.tables() if self._done_until_s.get(table) != ended_s]

    def _build_all(self, place_id: str, todo: list[tuple[Table, Build]], ended_s: int) -> tuple[int, int]:
        """How many were built, and how many failed."""
        builder = self._builder_of(place_id)
        built = failed = 0
        for table, build in sorted(todo, key=lambda item: -item[1].hours.ends_s):
            if self._is_stopping() or ended_before_s(self._source.store_time()) != ended_s:
                break
            try:
                built += builder.build(table, build) is not None
            except ArchiveOvertaken as error:
                log.info("archive_overtaken", table=table.name, message=error.message)
            except (ValueError, TypeError, ArithmeticError, LookupError) as error:
                # A defect that one odd event meets must not end the archive of all tables.
                log.error("archive_failed", table=table.name, message=f"{type(error).__name__}: {error}")
                failed += 1
        return built, failed

    def _read_notes(self, store_time: datetime) -> None:
        since = self._notes_read_until or store_time - _NOTES_KEPT
        for note in self._late_notes.notes(since - _NOTES_OVERLAP):
            if self._notes[note.table].get(note.hour_s) != note.noted_at:
                self._notes[note.table][note.hour_s] = note.noted_at
                self._done_until_s.pop(note.table, None)
        self._notes_read_until = store_time
        for table, hours in list(self._notes.items()):
            for hour_s in [hour for hour, noted in hours.items() if noted < store_time - _NOTES_KEPT]:
                del hours[hour_s]
            if not hours:
                del self._notes[table]

    def _clean(self, place_id: str, store_time: datetime) -> None:
        before_s = (store_time - REPLACED_KEPT).timestamp()
        names = self._manifest.unreferenced(place_id, REPLACED_KEPT)
        gone = [name for name in names if self._place.remove(name, before_s)]
        if gone:
            self._manifest.forget(place_id, gone)
        self._place.sweep(before_s)
        for place in self._manifest.forget_place(PLACE_KEPT):
            log.warning("archive_place_forgotten", place=place, days=PLACE_KEPT.days)
