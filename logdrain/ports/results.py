"""Where results go."""

from collections.abc import Callable
from typing import Protocol

from logdrain.model.jobs import Claim
from logdrain.model.plans import ResultColumn, ResultScan, ResultTable
from logdrain.model.result_files import Target
from logdrain.ports.streams import ArrowStream, ScanStream
from logdrain.ports.transactions import Transaction


class ResultWriter(Protocol):
    """Puts a run's rows into its result."""

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
        """Put the slice's rows in place and note it, in one transaction; returns rows written.

        Args:
            target: Which table or files, where, how.
            claim: The slice and its fence.
            rows: What the query yields; an empty result still creates the table or file.
            slice_column: The column that carries the scheduled time, or None.
            commit_note: Writes "this slice succeeded" into the ledger, called in the same
                transaction just before the commit when the result lives in the ledger's database.
            ledger_identity: Names the ledger's database, so that the writer knows when it is in it.

        Raises:
            ResultUnavailable, ResultRefused, ResultColumnConflict, SliceNotRepeatable, LeaseLost.
        """
        ...

    def close_idle(self) -> None:
        """Give back what is kept for the next run."""
        ...


class ResultReader(Protocol):
    """Reads tables of named results, and changes nothing in them."""

    def columns(self, table: ResultTable) -> tuple[ResultColumn, ...]:
        """The columns of a table, in its order.

        Raises:
            UnknownResult: no result has this name.
            UnknownTable: it has no such table, or none that may be read.
            ResultUnavailable, ResultRefused, ResultUrlInvalid.
        """
        ...

    def scan(self, scan: ResultScan) -> ScanStream:
        """Read lazily: nothing is asked of Postgres before the first batch is.

        Raises (while it is read):
            ResultUnavailable, ResultRefused: a privilege; a value that the column's SQL type cannot hold.
        """
        ...

    def estimate(self, scan: ResultScan) -> int | None:
        """Roughly how many rows the table has; None where Postgres does not know yet."""
        ...
