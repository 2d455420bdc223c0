"""Claims: order, exclusion, retries, asking again."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from itertools import pairwise
from threading import Barrier
from time import monotonic

from logdrain.ledger.parts import Ledger
from logdrain.model.jobs import (
    Cause,
    Claim,
    RunState,
    SliceState,
)
from tests.integration.ledger.ledger_slices import (
    FAILURE,
    NOW,
    OUTCOME,
    SUMS,
    claim_one,
    claimed,
    hour,
    states,
    with_slices,
)


def test_slices_run_one_at_a_time_oldest_first(ledger: Ledger) -> None:
    with_slices(ledger, 2, 1, 3)
    order = []
    while (claim := claim_one(ledger)) is not None:
        assert claim_one(ledger, owner="another") is None
        order.append(claim.scheduled_at)
        ledger.slices.succeed(claim, OUTCOME)
    assert order == [hour(1), hour(2), hour(3)]


def test_a_claim_carries_what_its_run_needs(ledger: Ledger) -> None:
    with_slices(ledger, 1)
    claim = claimed(ledger)
    assert claim == Claim(
        run_id=claim.run_id,
        schedule=SUMS,
        scheduled_at=hour(1),
        cause=Cause.MANUAL,
        fence=1,
        attempt=1,
        forced=False,
        ran_before=False,
    )


def test_a_claim_may_be_of_one_schedule(ledger: Ledger) -> None:
    with_slices(ledger, 1, name="a")
    with_slices(ledger, 1, name="b")
    claim = claimed(ledger, schedule="b")
    assert claim.schedule.name == "b"
    assert claim_one(ledger, schedule="b") is None
    assert claim_one(ledger, schedule="none") is None


def test_schedules_take_turns(ledger: Ledger) -> None:
    with_slices(ledger, 1, 2, 3, name="long")
    with_slices(ledger, 4, name="short")
    order = []
    while (claim := claim_one(ledger)) is not None:
        order.append(claim.schedule.name)
        ledger.slices.succeed(claim, OUTCOME)
    assert order == ["long", "short", "long", "long"]


def test_many_workers_never_share_a_slice_or_a_schedule(ledger: Ledger) -> None:
    names = ["a", "b", "c"]
    hours = range(1, 9)
    for name in names:
        with_slices(ledger, *hours, name=name)
    start = Barrier(6)

    def work(owner: str) -> list[tuple[str, datetime]]:
        start.wait()
        done = []
        deadline = monotonic() + 60
        while ledger.history.totals()["succeeded"] < len(names) * len(hours) and monotonic() < deadline:
            claim = claim_one(ledger, owner=owner)
            if claim is not None:
                done.append((claim.schedule.name, claim.scheduled_at))
                ledger.slices.succeed(claim, OUTCOME)
        return done

    with ThreadPoolExecutor(6) as pool:
        done = [item for items in pool.map(work, "123456") for item in items]
    assert sorted(done) == [(name, hour(number)) for name in names for number in hours]
    for name in names:
        runs = ledger.history.of_schedule(name, 100)[::-1]
        assert [run.scheduled_at for run in runs] == [hour(number) for number in hours]
        for earlier, later in pairwise(runs):
            assert earlier.finished_at is not None
            assert earlier.finished_at <= later.started_at


def test_the_history_tells_how_runs_went(ledger: Ledger) -> None:
    with_slices(ledger, 1, 2)
    ledger.slices.fail(claimed(ledger), FAILURE, None)
    ledger.slices.succeed(claimed(ledger), OUTCOME)
    succeeded, failed = ledger.history.of_schedule("sums", 10)
    assert (succeeded.state, succeeded.scheduled_at, succeeded.cause) == (
        RunState.SUCCEEDED,
        hour(2),
        Cause.MANUAL,
    )
    assert (succeeded.rows_read, succeeded.bytes_read, succeeded.rows_written) == (10, 500, 2)
    assert succeeded.warnings == ("careful\ufffd",)
    assert (failed.state, failed.error_code) == (RunState.FAILED, "sql_error")
    assert (failed.error_message, failed.error_hint) == ("no\ufffdgood ?", "try another")
    assert failed.finished_at is not None
    assert (failed.rows_read, failed.bytes_read) == (None, None)
    assert ledger.history.of_schedule("sums", 1) == [succeeded]
    assert ledger.history.totals() == {"succeeded": 1, "failed": 1, "lost": 0, "killed": 0}


def test_a_run_that_is_under_way_has_no_end(ledger: Ledger) -> None:
    with_slices(ledger, 1)
    claim = claimed(ledger)
    (run,) = ledger.history.of_schedule("sums", 10)
    assert (run.run_id, run.state, run.finished_at) == (claim.run_id, RunState.RUNNING, None)
    assert ledger.history.totals() == {"succeeded": 0, "failed": 0, "lost": 0, "killed": 0}


def test_a_slice_that_waits_for_its_retry_keeps_later_ones_waiting(ledger: Ledger) -> None:
    with_slices(ledger, 1, 2)
    again_at = NOW + timedelta(seconds=10)
    ledger.slices.fail(claimed(ledger), FAILURE, again_at)
    assert states(ledger, 1, 2) == [SliceState.WAITING, SliceState.WAITING]
    assert claim_one(ledger, now=again_at - timedelta(seconds=1)) is None
    again = claimed(ledger, now=again_at)
    assert (again.scheduled_at, again.attempt, again.fence) == (hour(1), 2, 2)


def test_a_slice_that_failed_for_good_lets_later_ones_run(ledger: Ledger) -> None:
    with_slices(ledger, 1, 2)
    ledger.slices.fail(claimed(ledger), FAILURE, None)
    assert claimed(ledger).scheduled_at == hour(2)
    (status,) = ledger.history.slice_statuses("sums", [hour(1), hour(5)])
    assert (status.state, status.error_message, status.error_hint) == (
        SliceState.FAILED,
        "no\ufffdgood ?",
        "try another",
    )


def test_a_slice_given_back_was_never_tried(ledger: Ledger) -> None:
    with_slices(ledger, 1)
    ledger.slices.release(claimed(ledger))
    assert ledger.history.of_schedule("sums", 10) == []
    again = claimed(ledger)
    assert (again.attempt, again.fence) == (1, 2)


def test_a_slice_asked_for_again_starts_anew_and_knows_that_it_ran(ledger: Ledger) -> None:
    with_slices(ledger, 1)
    ledger.slices.fail(claimed(ledger), FAILURE, NOW + timedelta(days=1))
    ledger.schedules.ask_slices("sums", [hour(1)], Cause.LATE, force=True)
    again = claimed(ledger)  # at once: the retry's time does not matter
    assert (again.attempt, again.cause, again.forced, again.ran_before) == (1, Cause.LATE, True, False)
    ledger.slices.succeed(again, OUTCOME)
    ledger.schedules.ask_slices("sums", [hour(1)], Cause.MANUAL, force=False)
    once_more = claimed(ledger)
    assert (once_more.attempt, once_more.forced, once_more.ran_before) == (1, False, True)
    assert once_more.fence == 3


def test_what_waits_forced_stays_forced(ledger: Ledger) -> None:
    with_slices(ledger, 2)
    ledger.schedules.ask_slices("sums", [hour(1), hour(1)], Cause.MANUAL, force=True)
    ledger.schedules.ask_slices("sums", [hour(1)], Cause.MANUAL, force=False)
    assert claimed(ledger).forced


def test_a_running_slice_is_left_to_finish(ledger: Ledger) -> None:
    with_slices(ledger, 1)
    claim = claimed(ledger)
    ledger.schedules.ask_slices("sums", [hour(1)], Cause.LATE, force=True)
    assert states(ledger, 1) == [SliceState.RUNNING]
    ledger.slices.succeed(claim, OUTCOME)
    assert claim_one(ledger) is None
