"""Schedules that run after others: who waits, who does not, and who runs again."""

from dataclasses import replace
from datetime import timedelta

import psycopg
import pytest

from logdrain.errors import ScheduleCycle, ScheduleNeeded, UnknownSchedule
from logdrain.ledger.parts import Ledger
from logdrain.ledger.schedules import table_key
from logdrain.model.jobs import Cause, Claim, Reads, RunFailure, RunOutcome, SliceState, Wait
from logdrain.model.plans import TimeRange
from tests.integration.ledger.ledger_slices import FAILURE, NOW, OUTCOME, SUMS, Ask, claim_one, hour

HOURLY = replace(SUMS, name="hourly")
DAILY = replace(SUMS, name="daily", after=("hourly",))
READ = RunOutcome(1, 1, 1, (), Reads(NOW, (), newest_only=False))


def chained(ledger: Ledger, *hours: int, daily: int = 12) -> None:
    """Hourly slices, and a daily one after them; all of them wait."""
    ledger.schedules.create(HOURLY, NOW)
    ledger.schedules.create(DAILY, NOW)
    ledger.schedules.ask_slices("daily", [hour(daily)], Cause.SCHEDULE, force=False)
    ledger.schedules.ask_slices("hourly", [hour(number) for number in hours], Cause.SCHEDULE, force=False)


def claim(ledger: Ledger, schedule: str | None = None, **later: float) -> Claim | None:
    return claim_one(ledger, now=NOW + timedelta(**later), schedule=schedule)


def claimed(ledger: Ledger, schedule: str, **later: float) -> Claim:
    found = claim(ledger, schedule, **later)
    assert found is not None
    return found


def state(ledger: Ledger, schedule: str, number: int) -> SliceState:
    return ledger.history.slice_statuses(schedule, [hour(number)])[0].state


def test_a_slice_waits_for_all_open_slices_up_to_its_time(ledger: Ledger) -> None:
    chained(ledger, 11, 12, 13)
    assert claim(ledger, "daily") is None
    assert ledger.history.waits("daily") == [Wait(hour(12), "hourly", hour(11), "waiting")]
    ledger.slices.succeed(claimed(ledger, "hourly"), OUTCOME)
    twelve = claimed(ledger, "hourly")
    assert claim(ledger, "daily") is None
    assert ledger.history.waits("daily") == [Wait(hour(12), "hourly", hour(12), "running")]
    ledger.slices.succeed(twelve, OUTCOME)
    assert ledger.history.waits("daily") == []
    assert claimed(ledger, "daily").scheduled_at == hour(12)  # 13:00 is none of its business


def test_the_end_of_the_last_one_wakes_it_at_once(ledger: Ledger, ask: Ask) -> None:
    chained(ledger, 12)
    assert claim(ledger, "daily") is None
    assert ask("SELECT is_held FROM logdrain.schedules WHERE name = 'daily'") is True
    ledger.slices.succeed(claimed(ledger, "hourly"), OUTCOME)
    assert ask("SELECT is_held FROM logdrain.schedules WHERE name = 'daily'") is False
    assert claim(ledger, "daily") is not None  # by the same clock: it has not waited for its turn


def test_one_that_was_locked_when_it_could_be_woken_is_found_later(ledger: Ledger, ledger_url: str) -> None:
    chained(ledger, 12)
    assert claim(ledger, "daily") is None
    with psycopg.connect(ledger_url) as other:
        other.execute("SELECT FROM logdrain.schedules WHERE name = 'daily' FOR UPDATE")
        ledger.slices.succeed(claimed(ledger, "hourly"), OUTCOME)
    assert claim(ledger, "daily") is None
    ledger.late_work.ask_followers(NOW)
    assert claim(ledger, "daily") is not None


def test_held_schedules_do_not_stand_in_the_way(ledger: Ledger) -> None:
    chained(ledger, 12)
    ledger.schedules.create(replace(SUMS, name="other"), NOW)
    ledger.schedules.ask_slices("other", [hour(12)], Cause.SCHEDULE, force=False)
    names = set()
    while (found := claim(ledger)) is not None:
        names.add(found.schedule.name)
    assert names == {"hourly", "other"}


def test_an_instant_that_is_not_planned_yet_is_waited_for(ledger: Ledger) -> None:
    ledger.schedules.create(replace(HOURLY, cron="0 * * * *"), hour(10))
    ledger.schedules.create(DAILY, NOW)
    ledger.schedules.ask_slices("daily", [hour(12)], Cause.SCHEDULE, force=False)
    assert claim(ledger, "daily") is None
    assert ledger.history.waits("daily") == [Wait(hour(12), "hourly", None, "not due yet")]
    ledger.schedules.pause("hourly")
    assert ledger.history.waits("daily")[0].why == "paused"
    ledger.schedules.resume("hourly")
    ledger.slices.plan(hour(12))
    for _ in (11, 12):
        ledger.slices.succeed(claimed(ledger, "hourly"), OUTCOME)
    assert claim(ledger, "daily") is not None


def test_one_that_failed_for_good_is_not_waited_for_but_told_of(ledger: Ledger) -> None:
    chained(ledger, 11, 12)
    for _ in (11, 12):
        ledger.slices.fail(claimed(ledger, "hourly"), FAILURE, None)
    ledger.slices.succeed(claimed(ledger, "daily"), READ)
    assert ledger.history.of_schedule("daily", 1)[0].reason == (
        "without 2 failed slices of hourly, the first 2024-05-01T11:00Z"
    )
    ledger.schedules.ask_slices("hourly", [hour(11)], Cause.MANUAL, force=False)
    ledger.slices.succeed(claimed(ledger, "hourly"), OUTCOME)
    assert ledger.late_work.ask_followers(NOW) == 1
    again = claimed(ledger, "daily")
    assert again.cause is Cause.LATE
    ledger.slices.succeed(again, READ)
    assert ledger.history.of_schedule("daily", 1)[0].reason == (
        "new rows of hourly 2024-05-01T11:00Z; without 1 failed slice of hourly, the first 2024-05-01T12:00Z"
    )


def test_one_that_is_tried_again_is_waited_for(ledger: Ledger) -> None:
    chained(ledger, 12)
    failure = RunFailure("store_unavailable", "MongoDB is away", "", retryable=True)
    ledger.slices.fail(claimed(ledger, "hourly"), failure, NOW + timedelta(minutes=1))
    assert claim(ledger, "daily") is None
    assert ledger.history.waits("daily")[0].why == "tried again, after: MongoDB is away"


def test_force_does_not_wait(ledger: Ledger) -> None:
    chained(ledger, 12)
    ledger.schedules.ask_slices("daily", [hour(12)], Cause.MANUAL, force=True)
    assert claim(ledger, "daily") is not None


def test_slices_that_have_read_older_rows_run_again(ledger: Ledger) -> None:
    chained(ledger, 11, daily=12)
    ledger.slices.succeed(claimed(ledger, "hourly"), OUTCOME)
    ledger.slices.succeed(claimed(ledger, "daily"), READ)
    ledger.schedules.ask_slices("daily", [hour(10), hour(13)], Cause.MANUAL, force=False)
    for _ in (10, 13):
        ledger.slices.succeed(claimed(ledger, "daily"), READ)
    assert ledger.late_work.ask_followers(NOW) == 0  # all of them have seen it
    ledger.schedules.ask_slices("hourly", [hour(11)], Cause.LATE, force=False)
    ledger.slices.succeed(claimed(ledger, "hourly"), OUTCOME)
    assert ledger.late_work.ask_followers(NOW) == 2
    assert [state(ledger, "daily", number) for number in (10, 12, 13)] == [
        SliceState.SUCCEEDED,
        SliceState.WAITING,
        SliceState.WAITING,
    ]
    assert ledger.late_work.ask_followers(NOW) == 0


def test_one_that_is_running_meanwhile_is_looked_at_when_it_is_done(ledger: Ledger) -> None:
    chained(ledger, 11)
    ledger.slices.succeed(claimed(ledger, "hourly"), OUTCOME)
    running = claimed(ledger, "daily")
    ledger.schedules.ask_slices("hourly", [hour(11)], Cause.LATE, force=False)
    ledger.slices.succeed(claimed(ledger, "hourly"), OUTCOME)
    assert ledger.late_work.ask_followers(NOW) == 0
    ledger.slices.succeed(running, READ)
    assert ledger.late_work.ask_followers(NOW) == 1


@pytest.mark.parametrize(
    ("change", "asked"),
    [
        ({"late_s": 3600}, 0),  # 10:00 is beyond its window at 12:00
        ({"late_s": 7201}, 1),
    ],
)
def test_the_window_of_the_follower_counts(ledger: Ledger, change: dict[str, int], asked: int) -> None:
    ledger.schedules.create(HOURLY, NOW)
    ledger.schedules.create(replace(DAILY, late_s=change["late_s"]), NOW)
    ledger.schedules.ask_slices("daily", [hour(10)], Cause.SCHEDULE, force=False)
    ledger.slices.succeed(claimed(ledger, "daily"), READ)
    ledger.schedules.ask_slices("hourly", [hour(9)], Cause.LATE, force=False)
    ledger.slices.succeed(claimed(ledger, "hourly"), OUTCOME)
    assert ledger.late_work.ask_followers(NOW) == asked


@pytest.mark.parametrize(
    "outcome",
    [OUTCOME, RunOutcome(1, 1, 1, (), Reads(NOW, (), newest_only=True))],
    ids=["rows_add", "newest"],
)
def test_what_cannot_be_written_again_is_left(ledger: Ledger, outcome: RunOutcome) -> None:
    chained(ledger, daily=10)
    ledger.schedules.ask_slices("daily", [hour(11)], Cause.SCHEDULE, force=False)
    for _ in (10, 11):
        ledger.slices.succeed(claimed(ledger, "daily"), outcome)
    ledger.schedules.ask_slices("hourly", [hour(9)], Cause.LATE, force=False)
    ledger.slices.succeed(claimed(ledger, "hourly"), OUTCOME)
    assert ledger.late_work.ask_followers(NOW) == (0 if outcome.reads is None else 1)
    assert state(ledger, "daily", 10) is SliceState.SUCCEEDED


@pytest.mark.parametrize(
    ("time_range", "asked"),
    [
        (TimeRange(0, 2_000_000_000), 2),
        (TimeRange(None, 2_000_000_000), 1),
        (TimeRange(0, None), 1),
    ],
    ids=str,
)
def test_a_slice_that_read_the_table_without_a_range_runs_again_only_as_the_newest(
    ledger: Ledger, time_range: TimeRange, asked: int
) -> None:
    ledger.schedules.create(replace(HOURLY, result="heroku_db:pay%20ments?schema=s"), NOW)
    ledger.schedules.create(DAILY, NOW)
    read = Reads(
        NOW, (), newest_only=False, results=((table_key("heroku_db", "s", "pay ments"), time_range),)
    )
    ledger.schedules.ask_slices("daily", [hour(10), hour(11)], Cause.SCHEDULE, force=False)
    for _ in (10, 11):
        ledger.slices.succeed(claimed(ledger, "daily"), RunOutcome(1, 1, 1, (), read))
    ledger.schedules.ask_slices("hourly", [hour(9)], Cause.LATE, force=False)
    ledger.slices.succeed(claimed(ledger, "hourly"), OUTCOME)
    assert ledger.late_work.ask_followers(NOW) == asked
    assert state(ledger, "daily", 11) is SliceState.WAITING


def test_circles_are_refused_with_their_path(ledger: Ledger) -> None:
    ledger.schedules.create(HOURLY, NOW)
    ledger.schedules.create(DAILY, NOW)
    ledger.schedules.create(replace(SUMS, name="weekly", after=("daily",)), NOW)
    with pytest.raises(ScheduleCycle, match="hourly after weekly after daily after hourly"):
        ledger.schedules.update("hourly", replace(HOURLY, after=("weekly",)), NOW)
    with pytest.raises(ScheduleCycle, match="self after self"):
        ledger.schedules.create(replace(SUMS, name="self", after=("self",)), NOW)
    assert ledger.schedules.get("hourly").after == ()


def test_an_unknown_name_has_a_nearest(ledger: Ledger) -> None:
    ledger.schedules.create(HOURLY, NOW)
    with pytest.raises(UnknownSchedule, match="shall run after 'hourli'") as caught:
        ledger.schedules.apply(replace(DAILY, after=("hourli",)), NOW)
    assert caught.value.hint == "did you mean 'hourly'?"


def test_what_others_run_after_stays_and_keeps_its_followers(ledger: Ledger) -> None:
    ledger.schedules.create(HOURLY, NOW)
    ledger.schedules.create(DAILY, NOW)
    with pytest.raises(ScheduleNeeded, match="daily runs after 'hourly'"):
        ledger.schedules.delete("hourly")
    ledger.schedules.update("hourly", replace(HOURLY, name="every_hour"), NOW)
    assert ledger.schedules.get("daily").after == ("every_hour",)
    ledger.schedules.update("daily", replace(DAILY, after=()), NOW)
    ledger.schedules.delete("every_hour")
