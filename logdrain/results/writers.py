"""One writer for all results: tables go to Postgres, files to a folder."""

from collections.abc import Callable

from logdrain.model.jobs import Claim
from logdrain.model.result_files import FileTarget, Target
from logdrain.ports.streams import ArrowStream
from logdrain.ports.transactions import Transaction
from logdrain.results.files.file_writer import FolderResultWriter
from logdrain.results.postgres.table_writer import PostgresResultWriter


class ResultWriters:
    """A `ResultWriter` for every kind of target.

    Args:
        tables: Writes tables.
        files: Writes files.
    """

    def __init__(self, tables: PostgresResultWriter, files: FolderResultWriter) -> None:
        self._tables = tables
        self._files = files

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
            return self._files.write(target, claim, rows, ledger_identity=ledger_identity)
        return self._tables.write(
            target,
            claim,
            rows,
            slice_column=slice_column,
            commit_note=commit_note,
            ledger_identity=ledger_identity,
        )

    def close_idle(self) -> None:
        """Give back what is kept for the next run; of files nothing is."""
        self._tables.close_idle()
