"""Late events bring back the slices that have not seen them, and no other."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from logdrain.jobs.due import CronCalendar
from logdrain.ledger.parts import Ledger, connect
from logdrain.model.events import Table
from logdrain.model.jobs import Cause, Claim, Reads, RunOutcome, SliceState
from logdrain.model.late import LATE_SETTLES_S, LateNote
from logdrain.model.plans import TimeRange
from tests.integration.ledger.ledger_slices import (
    FAILURE,
    NOW,
    SUMS,
    Ask,
    claimed,
    hour,
    states,
    with_slices,
)

PAY = Table("production", "pay")
STORE_NOW = datetime(2030, 1, 1, tzinfo=UTC)  # a clock of its own
SETTLES = timedelta(seconds=LATE_SETTLES_S)
MINUTE = timedelta(minutes=1)


def reading(
    first: int | None, last: int | None, *, at: datetime = STORE_NOW, newest_only: bool = False
) -> RunOutcome:
    """A run that has read these hours of the day; None is an open end."""
    start, end = (None if number is None else int(hour(number).timestamp()) for number in (first, last))
    return RunOutcome(10, 500, 2, (), Reads(at, ((PAY, TimeRange(start, end)),), newest_only))


def note(number: int, at: datetime = STORE_NOW, table: Table = PAY) -> LateNote:
    return LateNote(table, int(hour(number).timestamp()), at)


def run_slice(ledger: Ledger, outcome: RunOutcome) -> Claim:
    claim = claimed(ledger)
    ledger.slices.succeed(claim, outcome)
    return claim


def asked(ledger: Ledger, *notes: LateNote, after: timedelta = SETTLES, now: datetime = NOW) -> int:
    return ledger.late_work.ask_late(notes, STORE_NOW + after, now)


def test_a_slice_that_read_the_hour_runs_again(ledger: Ledger) -> None:
    with_slices(ledger, 1, 2, 3)
    for number in (1, 2, 3):
        run_slice(ledger, reading(number - 1, number))
    assert asked(ledger, note(1)) == 1
    assert states(ledger, 1, 2, 3) == [SliceState.SUCCEEDED, SliceState.WAITING, SliceState.SUCCEEDED]
    again = claimed(ledger)
    assert (again.scheduled_at, again.cause, again.attempt, again.ran_before) == (
        hour(2),
        Cause.LATE,
        1,
        True,
    )
    ledger.slices.succeed(again, reading(1, 2, at=STORE_NOW + SETTLES))
    assert (
        ledger.history.of_schedule("sums", 1)[0].reason
        == "late events in 1 hour: production.pay 2024-05-01T01:00Z"
    )
    assert asked(ledger, note(1)) == 0  # the same note, read again


def test_a_note_waits_until_its_events_are_stored(ledger: Ledger) -> None:
    with_slices(ledger, 1)
    run_slice(ledger, reading(0, 1))
    assert asked(ledger, note(0), after=SETTLES - timedelta(seconds=1)) == 0
    assert asked(ledger) == 1


def test_a_scan_that_began_after_the_note_had_settled_has_seen_all(ledger: Ledger) -> None:
    with_slices(ledger, 1)
    run_slice(ledger, reading(0, 1, at=STORE_NOW + SETTLES))
    assert asked(ledger, note(0)) == 0


def test_a_later_note_of_the_same_hour_counts_anew(ledger: Ledger) -> None:
    with_slices(ledger, 1)
    run_slice(ledger, reading(0, 1, at=STORE_NOW + SETTLES))
    assert asked(ledger, note(0)) == 0
    assert asked(ledger, note(0, STORE_NOW + SETTLES), after=2 * SETTLES) == 1


def test_other_tables_and_other_hours_do_not_matter(ledger: Ledger) -> None:
    with_slices(ledger, 2)
    run_slice(ledger, reading(1, 2))
    notes = [note(0), note(2), note(1, table=Table("production", "login"))]
    assert asked(ledger, *notes) == 0


def test_a_slice_that_was_running_is_looked_at_when_it_has_ended(ledger: Ledger) -> None:
    with_slices(ledger, 1)
    claim = claimed(ledger)
    assert asked(ledger, note(0)) == 0
    ledger.slices.succeed(claim, reading(0, 1))
    assert asked(ledger) == 1


def test_a_slice_that_ran_again_with_an_old_scan_runs_once_more(ledger: Ledger) -> None:
    with_slices(ledger, 1)
    run_slice(ledger, reading(0, 1))
    assert asked(ledger, note(0)) == 1
    run_slice(ledger, reading(0, 1))
    assert asked(ledger) == 1


def test_what_is_older_than_the_window_stays(ledger: Ledger) -> None:
    with_slices(ledger, 1)
    run_slice(ledger, reading(0, 1))
    day_later = hour(1) + timedelta(days=1)
    assert asked(ledger, note(0), now=day_later) == 0
    assert asked(ledger, note(0, STORE_NOW + timedelta(seconds=1)), after=2 * SETTLES, now=NOW) == 1


def test_a_window_of_nothing_switches_it_off(ledger: Ledger) -> None:
    ledger.schedules.create(replace(SUMS, late_s=0), NOW)
    ledger.schedules.ask_slices("sums", [hour(1)], Cause.MANUAL, force=False)
    run_slice(ledger, reading(0, 1))
    assert asked(ledger, note(0)) == 0


@pytest.mark.parametrize(
    ("outcomes", "expected"),
    [
        ([reading(0, 3, newest_only=True), reading(0, 3, newest_only=True)], [2]),
        ([reading(None, 3), reading(0, None)], [2]),
        ([reading(0, 3), reading(0, 3)], [1, 2]),
        ([RunOutcome(1, 1, 1), RunOutcome(1, 1, 1)], []),
    ],
    ids=["a table of one slice", "an open end", "a table of all slices", "cannot be repeated"],
)
def test_which_slices_may_run_again(ledger: Ledger, outcomes: list[RunOutcome], expected: list[int]) -> None:
    with_slices(ledger, 1, 2)
    for outcome in outcomes:
        run_slice(ledger, outcome)
    assert asked(ledger, note(0)) == len(expected)
    waiting = [number for number in (1, 2) if states(ledger, number) == [SliceState.WAITING]]
    assert waiting == expected


def test_a_table_of_one_slice_never_goes_back_to_an_older_one(ledger: Ledger) -> None:
    with_slices(ledger, 1, 2)
    run_slice(ledger, reading(0, 3, newest_only=True))
    run_slice(ledger, reading(0, 3, newest_only=True))
    ledger.schedules.ask_slices("sums", [hour(2)], Cause.MANUAL, force=False)
    newest = claimed(ledger)
    assert asked(ledger, note(0)) == 0
    ledger.slices.succeed(newest, reading(0, 3, newest_only=True))
    assert asked(ledger) == 1
    assert states(ledger, 1, 2) == [SliceState.SUCCEEDED, SliceState.WAITING]


def test_late_slices_run_when_nothing_else_may(ledger: Ledger) -> None:
    with_slices(ledger, 1)
    run_slice(ledger, reading(0, 1))
    asked(ledger, note(0))
    ledger.schedules.ask_slices("sums", [hour(2), hour(3)], Cause.MANUAL, force=False)
    order = [run_slice(ledger, RunOutcome(1, 1, 1)).scheduled_at for _ in range(3)]
    assert order == [hour(2), hour(3), hour(1)]


def test_a_retry_that_waits_does_not_hold_up_late_slices(ledger: Ledger) -> None:
    with_slices(ledger, 1)
    run_slice(ledger, reading(0, 1))
    asked(ledger, note(0))
    hourly = replace(SUMS, name="sums", cron="@hourly", delay_s=600)
    ledger.schedules.update("sums", hourly, hour(12) - timedelta(minutes=30))
    assert ledger.slices.plan(hour(12)) == 1
    assert claimed(ledger, now=hour(12)).scheduled_at == hour(1)


def test_two_workers_ask_once(ledger: Ledger, ledger_url: str) -> None:
    with_slices(ledger, 1)
    run_slice(ledger, reading(0, 1))
    other = connect(ledger_url, CronCalendar())
    assert asked(other, note(0)) == 1
    assert asked(ledger, note(0)) == 0
    other.close()


def test_many_hours_are_told_in_few_words(ledger: Ledger) -> None:
    with_slices(ledger, 6)
    run_slice(ledger, reading(0, 6))
    assert asked(ledger, *(note(number) for number in range(6))) == 1
    claimed(ledger)
    said = ledger.history.of_schedule("sums", 1)[0].reason
    assert said.startswith("late events in 6 hours: production.pay 2024-05-01T00:00Z, ")
    assert said.endswith("T02:00Z, …")


def test_what_is_old_is_forgotten(ledger: Ledger, ask: Ask) -> None:
    with_slices(ledger, 1, 2)
    run_slice(ledger, reading(0, 1))
    run_slice(ledger, reading(1, 2))
    asked(ledger, note(10))
    forever = datetime(3000, 1, 1, tzinfo=UTC)
    assert ledger.history.forget(forever) == 2
    ledger.late_work.forget(forever, forever)
    assert ledger.history.of_schedule("sums", 10) == []
    assert ledger.history.totals()["succeeded"] == 2
    assert ask("SELECT count(*) FROM logdrain.late") == 0
    assert ask("SELECT count(*) FROM logdrain.slice_reads") == 1  # of the newest slice


def test_a_run_for_late_events_that_fails_for_good_comes_back(ledger: Ledger) -> None:
    with_slices(ledger, 1)
    run_slice(ledger, reading(0, 1))
    assert asked(ledger, note(0)) == 1
    ledger.slices.fail(claimed(ledger), FAILURE, None, revive_at=NOW + MINUTE)
    assert asked(ledger) == 0
    assert asked(ledger, now=NOW + MINUTE) == 1
    again = claimed(ledger, now=NOW + MINUTE)
    assert (again.cause, again.attempt) == (Cause.LATE, 1)
    ledger.slices.fail(again, FAILURE, None, revive_at=NOW + 2 * MINUTE)
    assert asked(ledger, now=NOW + 2 * MINUTE) == 1
    run_slice(ledger, reading(0, 1, at=STORE_NOW + SETTLES))
    assert asked(ledger, now=NOW + timedelta(hours=1)) == 0


def test_a_note_that_settled_while_its_slice_ran_and_failed_counts(ledger: Ledger) -> None:
    with_slices(ledger, 1)
    run_slice(ledger, reading(0, 1))
    ledger.schedules.ask_slices("sums", [hour(1)], Cause.MANUAL, force=False)
    by_hand = claimed(ledger)
    assert asked(ledger, note(0)) == 0
    ledger.slices.fail(by_hand, FAILURE, None, revive_at=NOW)
    assert asked(ledger) == 1


@pytest.mark.parametrize(
    ("revive_at", "now"),
    [(None, NOW + MINUTE), (NOW, hour(1) + timedelta(days=1))],
    ids=["not to be", "after its window"],
)
def test_what_failed_for_good_stays_so(ledger: Ledger, revive_at: datetime | None, now: datetime) -> None:
    with_slices(ledger, 1)
    run_slice(ledger, reading(0, 1))
    assert asked(ledger, note(0)) == 1
    ledger.slices.fail(claimed(ledger), FAILURE, None, revive_at=revive_at)
    assert asked(ledger, now=now) == 0


def test_what_failed_without_late_events_or_rows_stays_so(ledger: Ledger) -> None:
    with_slices(ledger, 1, 2)
    run_slice(ledger, reading(0, 1))
    ledger.slices.fail(claimed(ledger), FAILURE, None, revive_at=NOW)
    assert asked(ledger, note(1)) == 0  # of a slice that has no rows yet
    ledger.schedules.ask_slices("sums", [hour(1)], Cause.MANUAL, force=False)
    ledger.slices.fail(claimed(ledger), FAILURE, None, revive_at=NOW)
    assert asked(ledger) == 0
    assert states(ledger, 1, 2) == [SliceState.FAILED, SliceState.FAILED]


def test_a_slice_that_failed_without_its_table_comes_back_with_it(ledger: Ledger) -> None:
    with_slices(ledger, 1, 2, 3)
    missing = replace(FAILURE, code="unknown_table", retryable=False, awaits_table=PAY.name)
    ledger.slices.fail(claimed(ledger), missing, None)
    ledger.slices.fail(claimed(ledger), replace(missing, awaits_table="production.other"), None)
    ledger.slices.fail(claimed(ledger), replace(missing, awaits_table=""), None)
    assert asked(ledger, note(5)) == 1
    assert states(ledger, 1, 2, 3) == [SliceState.WAITING, SliceState.FAILED, SliceState.FAILED]
    ledger.slices.fail(claimed(ledger), missing, None)  # dropped once more
    assert asked(ledger, note(5)) == 0
    assert asked(ledger, note(6)) == 1


def test_a_slice_out_of_its_window_awaits_nothing(ledger: Ledger) -> None:
    with_slices(ledger, 1)
    ledger.slices.fail(claimed(ledger), replace(FAILURE, retryable=False, awaits_table=PAY.name), None)
    assert asked(ledger, note(0), now=hour(1) + timedelta(hours=24)) == 0
