"""Opens the ledger."""

from collections.abc import Iterator
from contextlib import closing, contextmanager

from logdrain.bootstrap import require
from logdrain.config import Settings
from logdrain.jobs.due import CronCalendar
from logdrain.ledger.postgres_ledger import PostgresLedger


@contextmanager
def open_ledger(settings: Settings) -> Iterator[PostgresLedger]:
    """Results, schedules, slices, runs."""
    with closing(PostgresLedger(require(settings.database_url, "DATABASE_URL"), CronCalendar())) as ledger:
        yield ledger
