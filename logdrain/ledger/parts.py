"""The ledger's parts, over connections that they share."""

from dataclasses import dataclass

from logdrain.ledger.archive_manifest import PostgresManifest
from logdrain.ledger.connections import Connections
from logdrain.ledger.history import PostgresHistory
from logdrain.ledger.late_work import PostgresLateWork
from logdrain.ledger.notices import PostgresNotices
from logdrain.ledger.schedules import PostgresNamedResults, PostgresSchedules
from logdrain.ledger.slices import PostgresSlices
from logdrain.ports.archive import ArchiveManifest
from logdrain.ports.clock import Clock
from logdrain.ports.ledger import Calendar, History, LateWork, NamedResults, Notices, Schedules, Slices


@dataclass(frozen=True, slots=True)
class Ledger:
    """What has run and what is to run, for any number of threads and workers; make it with `connect`.

    Leases run by the clock of Postgres. What is due is decided by the `now` that is passed in: pass
    `clock.now()`, and the clocks of workers do not matter.
    """

    connections: Connections
    slices: Slices
    schedules: Schedules
    history: History
    late_work: LateWork
    notices: Notices
    results: NamedResults
    manifest: ArchiveManifest

    @property
    def clock(self) -> Clock:
        """The clock of Postgres: the one that all workers share."""
        return self.connections

    def close(self) -> None:
        """Close the connections of all threads."""
        self.connections.close()


def connect(dsn: str, calendar: Calendar) -> Ledger:
    """The ledger of a migrated database. Connections are opened when they are first needed.

    Args:
        dsn: `postgres://` or `postgresql://` URL.
        calendar: When schedules are due.

    Raises:
        LedgerUnavailable: The URL cannot be read.
    """
    connections = Connections(dsn)
    return Ledger(
        connections,
        PostgresSlices(connections, calendar),
        PostgresSchedules(connections, calendar),
        PostgresHistory(connections),
        PostgresLateWork(connections),
        PostgresNotices(connections),
        PostgresNamedResults(connections),
        PostgresManifest(connections),
    )
