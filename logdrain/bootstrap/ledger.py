"""Opens the ledger."""

from collections.abc import Iterator
from contextlib import closing, contextmanager

from logdrain.bootstrap import require
from logdrain.config import Settings
from logdrain.jobs.due import CronCalendar
from logdrain.ledger.parts import Ledger, connect


@contextmanager
def open_ledger(settings: Settings) -> Iterator[Ledger]:
    """What has run and what is to run."""
    with closing(connect(require(settings.database_url, "DATABASE_URL"), CronCalendar())) as ledger:
        yield ledger
