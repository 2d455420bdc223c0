"""One writer for all results: tables go to Postgres, files to a folder."""

from collections.abc import Callable

from logdrain.model.jobs import Claim
from logdrain.model.result_files import FileTarget, Target
from logdrain.ports.ledger import Calendar
from logdrain.ports.streams import ArrowStream
from logdrain.ports.transactions import Transaction
from logdrain.results.files.file_writer import FolderResultWriter
from logdrain.results.postgres.table_writer import PostgresResultWriter
from logdrain.results.values.start_stream import check_start, with_start


class ResultWriters:
    """A `ResultWriter` for every kind of target.

    Args:
        tables: Writes tables.
        files: Writes files.
        calendar: Where slices begin.
    """

    def __init__(self, tables: PostgresResultWriter, files: FolderResultWriter, calendar: Calendar) -> None:
        self._tables = tables
        self._files = files
        self._calendar = calendar

    def write(
        self,
        target: Target,
        claim: Claim,
        rows: ArrowStream,
        *,
        slice_column: str | None,
        commit_note: Callable[[Transaction], None],
        ledger_identity: str,
    ) -> int:
        """Put the slice's rows in place; of files, the ledger's note is not written here. See the port."""
        if isinstance(target, FileTarget):
            if target.time_is_start:
                rows = self._started(claim, rows, slice_column)
            return self._files.write(target, claim, rows, ledger_identity=ledger_identity)
        return self._tables.write(
            target,
            claim,
            rows,
            slice_column=slice_column,
            commit_note=commit_note,
            ledger_identity=ledger_identity,
        )

    def _started(self, claim: Claim, rows: ArrowStream, slice_column: str | None) -> ArrowStream:
        starts_at = check_start(
            slice_column,
            self._calendar.last_before(claim.schedule, claim.scheduled_at),
            claim.schedule.name,
        )
        return with_start(rows, int(claim.scheduled_at.timestamp()), int(starts_at.timestamp()))

    def close_idle(self) -> None:
        """Give back what is kept for the next run; of files nothing is."""
        self._tables.close_idle()
