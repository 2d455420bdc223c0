"""What a worker is made of."""

import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from logdrain.bootstrap.events import open_late_notes
from logdrain.bootstrap.ledger import open_ledger
from logdrain.bootstrap.queries import open_queries, result_writers
from logdrain.config import Settings
from logdrain.ledger.postgres_ledger import PostgresLedger
from logdrain.ports.clock import Clock
from logdrain.worker.chores import Chores
from logdrain.worker.http_notices import HttpNotices
from logdrain.worker.late_runs import LateRuns
from logdrain.worker.slices import SliceRunner


@dataclass(frozen=True, slots=True)
class WorkerParts:
    """What a worker needs."""

    ledger: PostgresLedger
    runner: SliceRunner
    clock: Clock
    chores: Chores


@contextmanager
def open_worker_parts(
    settings: Settings, environment: Mapping[str, str] = os.environ
) -> Iterator[WorkerParts]:
    """The ledger, and what runs a slice."""
    writer = result_writers(settings)
    with ExitStack() as stack:
        stack.callback(writer.close_idle)
        ledger = stack.enter_context(open_ledger(settings))
        clock = ledger  # this machine's own may be wrong
        notes = stack.enter_context(open_late_notes(settings))
        queries = stack.enter_context(open_queries(settings, notes))
        runner = SliceRunner(
            queries,
            ledger,
            writer,
            clock,
            environment,
            late_notes=notes,
            jobs_folder=Path(settings.jobs_folder),
        )
        chores = Chores(
            ledger,
            LateRuns(notes, ledger, clock),
            HttpNotices().send,
            clock,
            notify_url=settings.notify_url,
            history_keep_days=settings.history_keep_days,
        )
        yield WorkerParts(ledger, runner, clock, chores)
