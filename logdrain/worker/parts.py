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
from logdrain.ledger.parts import Ledger
from logdrain.worker.chores import Chores
from logdrain.worker.http_notices import HttpNotices
from logdrain.worker.slices import SliceRunner


@dataclass(frozen=True, slots=True)
class WorkerParts:
    """What a worker needs."""

    ledger: Ledger
    runner: SliceRunner
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
        notes = stack.enter_context(open_late_notes(settings))
        queries = stack.enter_context(open_queries(settings, notes))
        runner = SliceRunner(
            queries,
            ledger.slices,
            writer,
            ledger.clock,  # this machine's own may be wrong
            result_url=ledger.results.url,
            environment=environment,
            late_notes=notes,
            jobs_folder=Path(settings.jobs_folder),
        )
        chores = Chores(
            ledger.history,
            ledger.late_work,
            ledger.notices,
            HttpNotices().send,
            ledger.clock,
            late_notes=notes,
            settings=settings,
        )
        yield WorkerParts(ledger, runner, chores)
