"""Cron instants become slices."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from logdrain.jobs.due import SKIPPED_ROWS_MAX
from logdrain.ledger.parts import Ledger
from logdrain.model.jobs import CatchUp, Cause, RunOutcome, Schedule, SliceState
from tests.integration.ledger.ledger_slices import claim_one, claimed

Ask = Callable[..., object]

START = datetime(2024, 4, 30, 23, 30, tzinfo=UTC)
MIDNIGHT = datetime(2024, 5, 1, tzinfo=UTC)


def hour(number: int) -> datetime:
    return MIDNIGHT + timedelta(hours=number)


def hourly(catch_up: CatchUp = CatchUp.ALL, *, delay_s: int = 0, catch_up_max: int = 1000) -> Schedule:
    return Schedule(
        name="sums",
        cron="@hourly",
        timezone="UTC",
        delay_s=delay_s,
        database="production",
        sql="SELECT 1",
        catch_up=catch_up,
        catch_up_max=catch_up_max,
    )


def states(ledger: Ledger, count: int) -> str:
    """One letter for each hourly slice: w(aiting), r(unning), s(kipped), - where there is none."""
    hours = [hour(number) for number in range(count)]
    found = {status.scheduled_at: status.state for status in ledger.history.slice_statuses("sums", hours)}
    return "".join(found[instant][0] if instant in found else "-" for instant in hours)


def test_an_instant_becomes_a_slice_once(ledger: Ledger) -> None:
    ledger.schedules.create(hourly(), START)
    assert ledger.slices.plan(MIDNIGHT - timedelta(seconds=1)) == 0
    assert ledger.slices.plan(MIDNIGHT) == 1
    assert ledger.slices.plan(MIDNIGHT) == 0
    assert ledger.schedules.all() == [(hourly(), hour(1), None)]
    claim = claimed(ledger, now=MIDNIGHT)
    assert (claim.scheduled_at, claim.cause) == (MIDNIGHT, Cause.SCHEDULE)


def test_a_slice_that_ran_before_its_time_runs_again_when_it_is_due(ledger: Ledger) -> None:
    # Runs have real times: an hour far ahead is certainly not over.
    eve = datetime(2999, 12, 31, 22, 30, tzinfo=UTC)
    early, other = datetime(2999, 12, 31, 23, tzinfo=UTC), datetime(3000, 1, 1, tzinfo=UTC)
    ledger.schedules.create(hourly(delay_s=600), eve)
    ledger.schedules.ask_slices("sums", [early], Cause.MANUAL, force=False)
    claim = claimed(ledger, now=eve)
    ledger.slices.succeed(claim, RunOutcome(1, 1, 1))
    assert ledger.slices.plan(other) == 2
    assert claim_one(ledger, now=early + timedelta(seconds=599)) is None
    again = claimed(ledger, now=early + timedelta(seconds=600))
    assert (again.scheduled_at, again.cause, again.attempt, again.ran_before) == (
        early,
        Cause.SCHEDULE,
        1,
        True,
    )


def test_a_slice_that_was_asked_for_when_it_was_over_does_not_run_again(ledger: Ledger) -> None:
    ledger.schedules.create(hourly(), START)
    ledger.schedules.ask_slices("sums", [MIDNIGHT], Cause.MANUAL, force=False)
    claim = claimed(ledger, now=MIDNIGHT)
    ledger.slices.succeed(claim, RunOutcome(1, 1, 1))
    assert ledger.slices.plan(MIDNIGHT) == 0
    assert claim_one(ledger, now=MIDNIGHT) is None


def test_a_slice_waits_for_its_delay(ledger: Ledger) -> None:
    ledger.schedules.create(hourly(delay_s=600), START)
    assert ledger.slices.plan(MIDNIGHT) == 1
    assert claim_one(ledger, now=MIDNIGHT + timedelta(seconds=599)) is None
    claim = claimed(ledger, now=MIDNIGHT + timedelta(seconds=600))
    assert claim.scheduled_at == MIDNIGHT


def test_a_slice_asked_for_by_hand_does_not_wait_for_its_delay(ledger: Ledger) -> None:
    ledger.schedules.create(hourly(delay_s=600), START)
    ledger.slices.plan(MIDNIGHT)
    ledger.schedules.ask_slices("sums", [MIDNIGHT], Cause.MANUAL, force=False)
    assert claim_one(ledger, now=MIDNIGHT) is not None


@pytest.mark.parametrize(
    ("schedule", "waiting", "expected"),
    [
        (hourly(CatchUp.ALL), 5, "wwwww"),
        (hourly(CatchUp.ALL, catch_up_max=2), 2, "sssww"),
        (hourly(CatchUp.LATEST), 1, "ssssw"),
        (hourly(CatchUp.NONE), 0, "sssss"),
    ],
)
def test_what_was_missed_is_made_up_by_policy(
    ledger: Ledger, schedule: Schedule, waiting: int, expected: str
) -> None:
    ledger.schedules.create(schedule, START)
    assert ledger.slices.plan(hour(4) + timedelta(minutes=30)) == waiting
    assert states(ledger, 5) == expected


def test_a_skipped_slice_runs_when_it_is_asked_for(ledger: Ledger) -> None:
    ledger.schedules.create(hourly(CatchUp.NONE), START)
    ledger.slices.plan(hour(4) + timedelta(minutes=30))
    ledger.schedules.ask_slices("sums", [hour(1)], Cause.MANUAL, force=False)
    assert states(ledger, 5) == "swsss"
    claim = claimed(ledger, now=hour(5))
    ledger.slices.succeed(claim, RunOutcome(0, 0, 0))
    assert claim_one(ledger, now=hour(5)) is None


def test_a_slice_that_exists_is_not_planned_again(ledger: Ledger) -> None:
    ledger.schedules.create(hourly(), START)
    ledger.schedules.ask_slices("sums", [hour(0)], Cause.MANUAL, force=False)
    claimed(ledger, now=MIDNIGHT)
    assert ledger.slices.plan(hour(1)) == 1
    assert states(ledger, 2) == "rw"


def test_several_workers_plan_at_once(ledger: Ledger) -> None:
    ledger.schedules.create(hourly(), START)
    with ThreadPoolExecutor(4) as pool:
        planned = list(pool.map(ledger.slices.plan, [hour(23)] * 4))
    assert sum(planned) == 24
    assert states(ledger, 24) == "w" * 24


def test_years_of_every_minute_are_planned_in_bounded_rows(
    ledger: Ledger, capsys: pytest.CaptureFixture[str]
) -> None:
    minutely = Schedule(
        name="sums", cron="* * * * *", timezone="UTC", delay_s=0, database="production", sql="SELECT 1"
    )
    ledger.schedules.create(minutely, START - timedelta(days=5 * 365))
    assert ledger.slices.plan(MIDNIGHT) == 1001
    (line,) = capsys.readouterr().err.splitlines()
    assert "event=slices_skipped" in line
    assert f"recorded={SKIPPED_ROWS_MAX}" in line
    assert "unrecorded_from=2019-05-02T23:31:00+00:00" in line
    minutes = [MIDNIGHT - timedelta(minutes=minute) for minute in range(20_000)]
    found = [status.state for status in ledger.history.slice_statuses("sums", minutes)]
    assert found == [SliceState.SKIPPED] * SKIPPED_ROWS_MAX + [SliceState.WAITING] * 1001


def test_a_schedule_that_became_unreadable_does_not_hold_up_others(
    ledger: Ledger, ask: Ask, capsys: pytest.CaptureFixture[str]
) -> None:
    ledger.schedules.create(hourly(), START)
    ledger.schedules.create(replace(hourly(), name="a"), START)
    ask("UPDATE logdrain.schedules SET timezone = 'Mars/Olympus' WHERE name = 'a'")
    assert ledger.slices.plan(MIDNIGHT) == 1
    assert states(ledger, 1) == "w"
    assert "event=schedule_unreadable schedule=a" in capsys.readouterr().err


def test_very_many_schedules_are_planned_in_rounds(ledger: Ledger) -> None:
    for number in range(120):
        ledger.schedules.create(replace(hourly(), name=f"sums_{number}"), START)
    assert [ledger.slices.plan(MIDNIGHT, schedules_max=100) for _ in range(3)] == [100, 20, 0]
