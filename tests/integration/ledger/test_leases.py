"""Leases run out, and fences keep out who lost one."""

from collections.abc import Callable

import psycopg
import pytest

from logdrain.errors import LeaseLost
from logdrain.ledger.parts import Ledger
from logdrain.ledger.queue import LOST_RUNS_MAX
from logdrain.model.jobs import (
    Cause,
    RunState,
    SliceState,
)
from tests.integration.ledger.ledger_slices import (
    FAILURE,
    OUTCOME,
    Ask,
    claim_one,
    claimed,
    hour,
    states,
    with_slices,
)


def wait_until_lease_has_run_out(ask: Ask) -> None:
    """Wait on Postgres' clock, which is the one that counts."""
    ask(
        "SELECT pg_sleep(greatest(0, extract(epoch FROM max(lease_until) - clock_timestamp()) + 0.001))"
        " FROM logdrain.slices WHERE state = 'running'"
    )


def test_a_renewed_lease_does_not_run_out(ledger: Ledger, ask: Ask) -> None:
    with_slices(ledger, 1)
    claim = claimed(ledger, lease_s=0.01)
    wait_until_lease_has_run_out(ask)
    ledger.slices.renew(claim, 60)  # late, but nobody has taken it
    assert claim_one(ledger, owner="another") is None


def test_a_lease_that_ran_out_is_taken_over(ledger: Ledger, ask: Ask) -> None:
    with_slices(ledger, 1, 2)
    lost = claimed(ledger, lease_s=0.01)
    wait_until_lease_has_run_out(ask)
    taken = claimed(ledger)
    assert (taken.scheduled_at, taken.fence, taken.attempt) == (hour(1), 2, 2)
    new, old = ledger.history.of_schedule("sums", 10)
    assert (new.run_id, new.state) == (taken.run_id, RunState.RUNNING)
    assert (old.run_id, old.state, old.error_code) == (lost.run_id, RunState.LOST, "lease_lost")
    assert ledger.history.totals() == {"succeeded": 0, "failed": 0, "lost": 1, "killed": 0}


def test_who_lost_the_lease_writes_nothing(ledger: Ledger, ledger_url: str, ask: Ask) -> None:
    with_slices(ledger, 1)
    lost = claimed(ledger, lease_s=0.01)
    wait_until_lease_has_run_out(ask)
    taken = claimed(ledger)

    def note_success() -> None:
        with psycopg.connect(ledger_url) as transaction:
            ledger.slices.note_success(transaction, lost, OUTCOME)

    writes: list[Callable[[], object]] = [
        lambda: ledger.slices.renew(lost, 60),
        lambda: ledger.slices.succeed(lost, OUTCOME),
        lambda: ledger.slices.fail(lost, FAILURE, None),
        lambda: ledger.slices.release(lost),
        note_success,
    ]
    for write in writes:
        with pytest.raises(LeaseLost, match="sums"):
            write()
    assert states(ledger, 1) == [SliceState.RUNNING]
    ledger.slices.succeed(taken, OUTCOME)
    for write in writes:
        with pytest.raises(LeaseLost):
            write()
    assert states(ledger, 1) == [SliceState.SUCCEEDED]
    assert ledger.history.totals() == {"succeeded": 1, "failed": 0, "lost": 1, "killed": 0}


def test_success_commits_with_the_rows_or_not_at_all(ledger: Ledger, ledger_url: str) -> None:
    with_slices(ledger, 1)
    claim = claimed(ledger)
    with psycopg.connect(ledger_url) as transaction:
        ledger.slices.note_success(transaction, claim, OUTCOME)
        transaction.rollback()
        assert states(ledger, 1) == [SliceState.RUNNING]
        ledger.slices.note_success(transaction, claim, OUTCOME)
    assert states(ledger, 1) == [SliceState.SUCCEEDED]
    assert ledger.history.totals()["succeeded"] == 1


def test_nobody_takes_over_while_a_success_is_being_committed(
    ledger: Ledger, ledger_url: str, ask: Ask
) -> None:
    with_slices(ledger, 1, 2)
    claim = claimed(ledger, lease_s=0.01)
    wait_until_lease_has_run_out(ask)
    with psycopg.connect(ledger_url) as transaction:
        ledger.slices.note_success(transaction, claim, OUTCOME)
        assert claim_one(ledger, owner="another") is None
    assert claimed(ledger).scheduled_at == hour(2)
    assert ledger.history.totals() == {"succeeded": 1, "failed": 0, "lost": 0, "killed": 0}


def test_a_slice_that_kills_its_workers_fails_in_the_end(ledger: Ledger, ask: Ask) -> None:
    with_slices(ledger, 1, 2)
    for attempt in range(1, LOST_RUNS_MAX + 2):
        claim = claimed(ledger, lease_s=0.001)
        assert (claim.scheduled_at, claim.attempt) == (hour(1), attempt)
        wait_until_lease_has_run_out(ask)
    assert claimed(ledger).scheduled_at == hour(2)
    (status,) = ledger.history.slice_statuses("sums", [hour(1)])
    assert status.state is SliceState.FAILED
    assert "vanished" in status.error_message


def test_a_deleted_schedule_takes_the_lease_away(ledger: Ledger) -> None:
    with_slices(ledger, 1)
    claim = claimed(ledger)
    ledger.schedules.delete("sums")
    with pytest.raises(LeaseLost):
        ledger.slices.succeed(claim, OUTCOME)
    assert claim_one(ledger) is None


def test_a_slice_whose_worker_vanished_is_asked_for_anew(ledger: Ledger, ask: Ask) -> None:
    with_slices(ledger, 1)
    lost = claimed(ledger, lease_s=0.01)
    wait_until_lease_has_run_out(ask)
    ledger.schedules.ask_slices("sums", [hour(1)], Cause.MANUAL, force=False)
    with pytest.raises(LeaseLost):
        ledger.slices.succeed(lost, OUTCOME)
    assert claimed(ledger).attempt == 1
    assert ledger.history.totals()["lost"] == 1
