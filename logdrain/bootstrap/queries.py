"""Opens what runs SQL, and what writes its rows."""

import os
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager

from logdrain.answer.kept.scans import KeptScans
from logdrain.answer.queries import Queries
from logdrain.bootstrap.events import open_source
from logdrain.bootstrap.ledger import open_ledger
from logdrain.config import Settings
from logdrain.jobs.due import CronCalendar
from logdrain.ports.events import LateNotes
from logdrain.query.duckdb.address_files import open_addresses
from logdrain.query.duckdb.child_engine import ChildEngine
from logdrain.query.duckdb.spill_folder import open_spill_folder
from logdrain.results.files.file_writer import FolderResultWriter
from logdrain.results.postgres.table_writer import PostgresResultWriter
from logdrain.results.read.result_reader import PostgresResultReader
from logdrain.results.writers import ResultWriters


@contextmanager
def open_queries(settings: Settings, notes: LateNotes | None = None) -> Iterator[Queries]:
    """SQL over stored events, with a folder to spill to.

    Args:
        settings: Of the process.
        notes: What tells of late events; with them, events are kept for the next slice.
    """
    with ExitStack() as stack:
        source = stack.enter_context(open_source(settings))
        spill = stack.enter_context(open_spill_folder())
        if settings.geoip_file:
            open_addresses(settings.geoip_file)  # says now what is wrong with it; children open it again
        engine = ChildEngine(
            settings.query_memory_max_bytes,
            settings.query_threads,
            temp_folder=str(spill),
            spill_max_bytes=settings.query_spill_max_bytes,
            geoip_file=settings.geoip_file,
            children_kept_max=settings.worker_threads,
        )
        stack.enter_context(closing(engine))
        yield Queries(
            source,
            engine,
            timeout_s=settings.query_timeout_s,
            has_addresses=bool(settings.geoip_file),
            results=stack.enter_context(_open_results(settings)),
            kept=KeptScans(source, notes, settings.kept_events_max_bytes) if notes else None,
        )


@contextmanager
def _open_results(settings: Settings) -> Iterator[PostgresResultReader | None]:
    """Named results, to read; nothing is asked of the ledger before a query names one."""
    if not settings.database_url:
        yield None
        return
    with open_ledger(settings) as ledger:
        yield PostgresResultReader(ledger.results.url, os.environ.get)


def result_writers(settings: Settings) -> ResultWriters:
    """What puts rows into results, tables and files."""
    calendar = CronCalendar()
    return ResultWriters(PostgresResultWriter(calendar), FolderResultWriter(settings.result_folder), calendar)
