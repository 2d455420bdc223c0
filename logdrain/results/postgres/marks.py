"""Marks: what is remembered beside a result that lives in another database than the ledger.

The ledger's own note and the rows cannot commit together there. So a mark commits with the rows, and the
ledger's note follows. Where the program dies between the two, the mark says what the ledger does not know.

Marks are ordered by `run_id`, which grows over all claims of a ledger; a slice's `fence` begins again when
its schedule is deleted and created anew. The fence tells requests apart: it grows by one with every claim of
a slice, and `attempt` counts from the request, so `fence - attempt` is the last fence before the request.
"""

from typing import NamedTuple

from logdrain.errors import LeaseLost, SliceNotRepeatable
from logdrain.model.jobs import Claim


class Mark(NamedTuple):
    """The last commit of a slice.

    Attributes:
        run_id: Of the claim that wrote it.
        fence: Of the same claim.
        rows: How many it wrote.
        is_here: It wrote to the table in question, and the table is still there.
    """

    run_id: int
    fence: int
    rows: int
    is_here: bool


def rows_written_before(claim: Claim, mark: Mark | None, *, is_replaceable: bool) -> int | None:
    """Whether this run's rows are in the table already: how many, or None where it is to write them.

    - The mark of a later run: another worker has the slice.
    - Of this run: it has committed, and the answer to its commit was lost. Done.
    - Of an earlier run, rows that can be replaced: write, the old ones go.
    - Of an earlier run, rows that cannot: done, if it was for the same request, or if the ledger has never
      noted a success (the program died between the commit and the note). Else the rows are an earlier
      request's, and only a forced run adds to them.

    Args:
        claim: The run.
        mark: Of its slice; None where there is none, or where the ledger's note is in the same transaction.
        is_replaceable: The query has a slice column.

    Raises:
        LeaseLost: another worker has the slice.
        SliceNotRepeatable: writing would double the slice's rows.
    """
    if mark is not None and mark.run_id > claim.run_id:
        raise lease_lost(claim)
    if mark is not None and mark.is_here and mark.run_id == claim.run_id:
        return mark.rows
    if is_replaceable:
        return None
    if mark is not None and mark.is_here and (_is_same_request(claim, mark) or not claim.ran_before):
        return mark.rows
    if claim.ran_before and not claim.forced:
        raise _not_repeatable(claim)
    return None


def lease_lost(claim: Claim) -> LeaseLost:
    """The error of a run that was overtaken."""
    return LeaseLost(
        f"another worker has slice {claim.scheduled_at.isoformat()} of schedule {claim.schedule.name}",
        hint="nothing to do: the other run's rows count",
    )


def _is_same_request(claim: Claim, mark: Mark) -> bool:
    return claim.fence - claim.attempt < mark.fence < claim.fence


def _not_repeatable(claim: Claim) -> SliceNotRepeatable:
    return SliceNotRepeatable(
        f"slice {claim.scheduled_at.isoformat()} of schedule {claim.schedule.name} has run, "
        "and the query has no column to tell its rows by",
        hint="select TD_SCHEDULED_TIME() AS time, so that rows can be replaced; or add them again: --force",
    )
