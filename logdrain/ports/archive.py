"""The archive's manifest, and the layout of its files."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

from logdrain.model.archive import (
    ArchiveFile,
    ArchiveHours,
    ArchiveLease,
    ContentFacts,
    NewFile,
    PlaceFacts,
    PlaceState,
)
from logdrain.model.events import Table


class ArchiveFormat(Protocol):
    """How events lie in a file."""

    def write(self, documents: Iterable[bytes], path: Path) -> ContentFacts | None:
        """Write events, sorted by `_id` and each once, as BSON; None, and no file, where there are none.

        Raises:
            OSError: the disk is full, read-only, or gone.
        """
        ...

    def read(self, path: Path) -> Iterator[bytes]:
        """The events of a file as they were stored: BSON, in order of `_id`.

        Raises:
            ArchiveDamaged: it is gone or cannot be read.
        """
        ...


class ArchiveManifest(Protocol):
    """Which files hold which hours.

    Raises (every method):
        LedgerUnavailable: Postgres cannot be asked.
    """

    def known_place(self, machine: str, folder: str) -> str | None:
        """The place that this machine has had in this folder."""
        ...

    def see_place(self, place: str, machine: str, folder: str) -> None:
        """Note that a place is there."""
        ...

    def places(self) -> list[PlaceFacts]:
        """All that are known."""
        ...

    def tables(self, place: str) -> list[Table]:
        """The tables that have files, in order of name."""
        ...

    def files(self, place: str, table: Table, hours: ArchiveHours | None = None) -> list[ArchiveFile]:
        """The current files that touch these hours, or all of the table's: one snapshot, in order of time.

        What was replaced since stays on disk for a day, so a reader may take its time.
        """
        ...

    def lease(self, place: str, table: Table, hours: ArchiveHours, lasts_s: float) -> ArchiveLease | None:
        """The right to rewrite these hours; None while somebody else has a part of them."""
        ...

    def renew(self, lease: ArchiveLease, lasts_s: float) -> None:
        """Keep it.

        Raises:
            ArchiveOvertaken: somebody else has it.
        """
        ...

    def release(self, lease: ArchiveLease) -> None:
        """Give it back."""
        ...

    def announce(self, lease: ArchiveLease, new: NewFile) -> None:
        """Note a file that is about to get its place: if nothing swaps it in, it goes like a replaced one."""
        ...

    def swap(self, lease: ArchiveLease, old: Sequence[ArchiveFile], new: Sequence[NewFile]) -> None:
        """Put files in the place of others, in one transaction.

        Raises:
            ArchiveOvertaken: the lease is somebody else's, an old file is not current any more, or hours of a
                new file are in another one already.
        """
        ...

    def unreferenced(self, place: str, older_than: timedelta) -> list[str]:
        """Names of files that were replaced so long ago, and are not current under the same name."""
        ...

    def forget(self, place: str, names: Sequence[str]) -> None:
        """Forget replaced files whose octets are deleted."""
        ...

    def note_pass(self, place: str, state: PlaceState) -> None:
        """Keep how a pass went."""
        ...

    def forget_place(self, unseen_for: timedelta) -> list[str]:
        """Let places leave the manifest that were not seen so long; returns their ids."""
        ...


class ArchiveSource(Protocol):
    """Events in MongoDB, to be archived.

    Raises (every method):
        StoreUnavailable: MongoDB did not answer.
    """

    def tables(self) -> list[Table]:
        """All tables, in order of name."""
        ...

    def store_time(self) -> datetime:
        """MongoDB's clock, UTC."""
        ...

    def hours(self, table: Table, gap: ArchiveHours, events_max: int) -> Iterator[tuple[int, int]]:
        """The hours of a stretch that have events, newest first: start, and count up to `events_max`."""
        ...

    def documents(self, table: Table, hours: ArchiveHours) -> Iterator[bytes]:
        """Events as BSON, in order of `_id`; what is read stays true when a node fails."""
        ...

    def count(self, table: Table, hours: ArchiveHours) -> int:
        """How many events there are."""
        ...
