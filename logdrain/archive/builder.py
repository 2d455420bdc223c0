"""Builds a file of a table's hours: a recipe that may be killed after each step, and loses nothing.

The events come from MongoDB, in order of `_id`, a reply at a time. The manifest is told of the file before it
gets its place, as one that nobody reads, and swaps it in when it is durable. What a kill leaves goes
after a day.
"""

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from logdrain.archive.folder_place import FolderPlace
from logdrain.archive.planning import Build, stem_of
from logdrain.errors import ArchiveOvertaken, LogdrainError
from logdrain.model.archive import ArchiveLease, NewFile
from logdrain.model.events import Table
from logdrain.ports.archive import ArchiveFormat, ArchiveManifest, ArchiveSource

LEASE_S = 30.0
_BEATS_PER_LEASE = 3
_PACED_EVENTS = 2_000


class BuildFacts(NamedTuple):
    """What became of a build: no file where there were no events."""

    rows: int
    size_bytes: int


class ArchiveBuilder:
    """Builds files in one place.

    Args:
        place_id: Of `place`.
        share: Of a processor that it may take, up to 1; it rests in between.
        wait: Sleeps so many seconds; true when the work is to end.
    """

    def __init__(
        self,
        source: ArchiveSource,
        place: FolderPlace,
        place_id: str,
        manifest: ArchiveManifest,
        file_format: ArchiveFormat,
        *,
        share: float = 1.0,
        wait: Callable[[float], bool] = lambda _: False,
    ) -> None:
        self._source = source
        self._place = place
        self._place_id = place_id
        self._manifest = manifest
        self._format = file_format
        self._share = share
        self._wait = wait

    def build(self, table: Table, build: Build) -> BuildFacts | None:
        """Build one file; None while somebody else is at these hours.

        Raises:
            ArchiveOvertaken: somebody else has rewritten them meanwhile, or the work is to end.
            ArchiveUnavailable: the place cannot be used.
            StoreUnavailable: MongoDB did not answer.
            LedgerUnavailable: Postgres did not answer.
        """
        lease = self._manifest.lease(self._place_id, table, build.hours, LEASE_S)
        if lease is None:
            return None
        try:
            with self._kept(lease) as lost:
                return self._build(table, build, lease, lost)
        finally:
            self._manifest.release(lease)

    def _build(self, table: Table, build: Build, lease: ArchiveLease, lost: threading.Event) -> BuildFacts:
        read_began = self._source.store_time()
        with self._place.staged() as staged:
            documents = self._paced(self._source.documents(table, build.hours), lost)
            content = self._format.write(documents, staged)
            if content is None:
                self._manifest.swap(lease, build.old, [])
                return BuildFacts(0, 0)
            placed = self._place.prepare(staged, stem_of(table.name, build.hours))
            new = NewFile(
                table=table,
                hours=build.hours,
                name=placed.name,
                digest=placed.digest,
                size_bytes=placed.size_bytes,
                content=content,
                read_began=read_began,
            )
            self._manifest.announce(lease, new)
            self._place.commit(staged, placed)
        self._manifest.swap(lease, build.old, [new])
        return BuildFacts(content.rows, placed.size_bytes)

    @contextmanager
    def _kept(self, lease: ArchiveLease) -> Iterator[threading.Event]:
        """Renew the lease meanwhile; what is yielded is set when that failed."""
        done, lost = threading.Event(), threading.Event()

        def renew() -> None:
            while not done.wait(LEASE_S / _BEATS_PER_LEASE):
                try:
                    self._manifest.renew(lease, LEASE_S)
                except ArchiveOvertaken:
                    lost.set()
                    return
                except LogdrainError:  # the ledger is away: the swap will tell
                    continue

        beats = threading.Thread(target=renew, name="archive-lease", daemon=True)
        beats.start()
        try:
            yield lost
        finally:
            done.set()
            beats.join()

    def _paced(self, documents: Iterable[bytes], lost: threading.Event) -> Iterator[bytes]:
        """The same, with rests: the thread's time between two of them is its share of both."""
        began_s = time.thread_time()
        for number, document in enumerate(documents, start=1):
            yield document
            if number % _PACED_EVENTS:
                continue
            used_s = time.thread_time() - began_s
            if lost.is_set() or self._wait(used_s * (1 / self._share - 1)):
                raise ArchiveOvertaken("the build was ended", hint="it is tried again")
            began_s = time.thread_time()
