"""Runs: looked at over all schedules, ended, forgotten; schedules changed, held, preferred."""

from dataclasses import replace
from datetime import timedelta

import pytest

from logdrain.errors import LeaseLost, RunEnded, ScheduleExists, ScheduleFromFile, UnknownRun, UnknownSchedule
from logdrain.ledger.parts import Ledger
from logdrain.model.jobs import Cause, RunFailure, RunState, SliceState
from tests.integration.ledger.ledger_slices import (
    FAILURE,
    NOW,
    OUTCOME,
    SUMS,
    Ask,
    claim_one,
    claimed,
    hour,
    states,
    with_slices,
)

KILLED = RunFailure("run_killed", "ended", "run it again", retryable=False)


def test_runs_of_all_schedules_newest_first(ledger: Ledger) -> None:
    with_slices(ledger, 1, name="a")
    with_slices(ledger, 2, name="b")
    ledger.slices.fail(claimed(ledger), FAILURE, None)
    ledger.slices.succeed(claimed(ledger), OUTCOME)
    newest, oldest = ledger.history.newest(10)
    assert [(run.schedule, run.state) for run in (newest, oldest)] == [
        ("b", RunState.SUCCEEDED),
        ("a", RunState.FAILED),
    ]
    assert ledger.history.newest(1) == [newest]
    assert ledger.history.newest(10, RunState.FAILED) == [oldest]
    assert ledger.history.get(oldest.run_id) == oldest
    with pytest.raises(UnknownRun, match="999"):
        ledger.history.get(999)


def test_a_running_run_is_asked_to_end(ledger: Ledger) -> None:
    with_slices(ledger, 1, 2)
    claim = claimed(ledger)
    assert ledger.slices.renew(claim, 60) is False
    assert ledger.history.kill(claim.run_id) is True
    assert ledger.slices.renew(claim, 60) is True
    ledger.slices.cancel(claim, KILLED)
    assert states(ledger, 1, 2) == [SliceState.CANCELLED, SliceState.WAITING]
    assert ledger.history.get(claim.run_id).state is RunState.KILLED
    assert ledger.history.totals()["killed"] == 1
    with pytest.raises(RunEnded, match="killed"):
        ledger.history.kill(claim.run_id)
    with pytest.raises(LeaseLost):
        ledger.slices.succeed(claim, OUTCOME)
    assert claimed(ledger).scheduled_at == hour(2)


def test_a_retry_that_waits_is_cancelled(ledger: Ledger) -> None:
    with_slices(ledger, 1)
    claim = claimed(ledger)
    ledger.slices.fail(claim, FAILURE, NOW + timedelta(seconds=10))
    assert ledger.history.kill(claim.run_id) is False
    assert states(ledger, 1) == [SliceState.CANCELLED]
    assert claim_one(ledger, now=NOW + timedelta(days=1)) is None
    ledger.schedules.ask_slices("sums", [hour(1)], Cause.MANUAL, force=False)
    assert claimed(ledger).scheduled_at == hour(1)


def test_a_run_that_should_end_and_whose_worker_vanished_is_not_tried_again(ledger: Ledger, ask: Ask) -> None:
    with_slices(ledger, 1)
    claim = claimed(ledger, lease_s=0.01)
    assert ledger.history.kill(claim.run_id) is True
    ask(
        "SELECT pg_sleep(greatest(0, extract(epoch FROM max(lease_until) - clock_timestamp()) + 0.001))"
        " FROM logdrain.slices WHERE state = 'running'"
    )
    assert claim_one(ledger) is None
    assert states(ledger, 1) == [SliceState.CANCELLED]


def test_a_paused_schedule_runs_only_what_is_asked_for(ledger: Ledger) -> None:
    ledger.schedules.create(replace(SUMS, cron="@hourly"), hour(0))
    ledger.slices.plan(hour(1))
    assert ledger.schedules.pause("sums") is True
    assert ledger.schedules.pause("sums") is False
    assert ledger.schedules.all()[0].paused_at is not None
    assert ledger.slices.plan(hour(3)) == 0
    assert claim_one(ledger, now=hour(3)) is None
    ledger.schedules.ask_slices("sums", [hour(2)], Cause.MANUAL, force=False)
    by_hand = claimed(ledger, now=hour(3))
    assert by_hand.scheduled_at == hour(2)
    ledger.slices.succeed(by_hand, OUTCOME)
    assert ledger.schedules.resume("sums") is True
    assert ledger.schedules.resume("sums") is False
    assert claimed(ledger, now=hour(3)).scheduled_at == hour(1)
    assert ledger.slices.plan(hour(4)) == 2  # 03:00, which was missed, and 04:00
    with pytest.raises(UnknownSchedule):
        ledger.schedules.pause("none")


def test_higher_priority_goes_first(ledger: Ledger) -> None:
    for name, priority in (("low", -2), ("high", 2), ("normal", 0)):
        ledger.schedules.create(replace(SUMS, name=name, priority=priority), NOW)
        ledger.schedules.ask_slices(name, [hour(1), hour(2)], Cause.MANUAL, force=False)
    order = [claimed(ledger).schedule.name for _ in range(3)]
    assert order == ["high", "normal", "low"]


def test_a_schedule_is_changed_and_renamed(ledger: Ledger) -> None:
    with_slices(ledger, 1)
    ledger.slices.succeed(claimed(ledger), OUTCOME)
    changed = replace(SUMS, name="totals", cron="@daily", sql="SELECT 2", late_s=0, timeout_s=9, priority=1)
    ledger.schedules.update("sums", changed, NOW)
    assert ledger.schedules.all() == [(changed, NOW + timedelta(hours=12), None)]
    assert [run.schedule for run in ledger.history.of_schedule("totals", 10)] == ["totals"]
    with pytest.raises(UnknownSchedule):
        ledger.schedules.update("sums", changed, NOW)
    with_slices(ledger, 1)
    with pytest.raises(ScheduleExists):
        ledger.schedules.update("sums", changed, NOW)


def test_a_job_files_schedule_is_its_files(ledger: Ledger) -> None:
    ledger.schedules.create(replace(SUMS, source="jobs/sums.toml"), NOW)
    with pytest.raises(ScheduleFromFile, match=r"jobs/sums\.toml"):
        ledger.schedules.update("sums", SUMS, NOW)


def test_lateness_is_that_of_the_longest_waiting_slice(ledger: Ledger) -> None:
    ledger.schedules.create(replace(SUMS, cron="@hourly", delay_s=600), hour(0))
    with_slices(ledger, 1, name="by_hand")
    ledger.slices.plan(hour(1))
    assert ledger.history.lateness_s(hour(1)) == 0
    assert ledger.history.lateness_s(hour(1) + timedelta(seconds=660)) == 60
    claim = claimed(ledger, now=hour(2), schedule="sums")
    assert ledger.history.lateness_s(hour(2)) == 0
    assert ledger.history.get(claim.run_id).due_at == hour(1) + timedelta(seconds=600)


def test_old_runs_are_forgotten_and_totals_stay(ledger: Ledger) -> None:
    with_slices(ledger, 1, 2)
    ledger.slices.succeed(claimed(ledger), OUTCOME)
    running = claimed(ledger)
    forever = NOW + timedelta(days=365_000)
    assert ledger.history.forget(NOW) == 0
    assert ledger.history.forget(forever) == 1
    assert [run.run_id for run in ledger.history.newest(10)] == [running.run_id]
    assert ledger.history.totals()["succeeded"] == 1


def test_a_run_may_be_of_no_schedule(ledger: Ledger, ask: Ask) -> None:
    with_slices(ledger, 1)
    of_schedule = claimed(ledger).run_id
    alone = ask(
        "INSERT INTO logdrain.runs (cause, attempt, fence, owner)"
        " VALUES ('manual', 1, 1, 'worker') RETURNING id"
    )
    assert isinstance(alone, int)
    assert [(run.run_id, run.schedule, run.scheduled_at) for run in ledger.history.newest(2)] == [
        (alone, None, None),
        (of_schedule, "sums", hour(1)),
    ]
    assert [run.run_id for run in ledger.history.of_schedule("sums", 9)] == [of_schedule]
    assert ledger.history.kill(alone) is True
    ask("UPDATE logdrain.runs SET state = 'killed', finished_at = now() WHERE schedule IS NULL")
    with pytest.raises(RunEnded, match="killed"):
        ledger.history.kill(alone)
    assert ledger.history.forget(NOW + timedelta(days=365_000)) == 1
    assert ask("SELECT count(*) FROM logdrain.freshness") == 0


def test_totals_go_on_from_those_of_before(ledger: Ledger, ask: Ask) -> None:
    ask("UPDATE logdrain.run_totals SET count = 5 WHERE state = 'succeeded'")
    with_slices(ledger, 1, 2)
    for _ in range(2):
        ledger.slices.succeed(claimed(ledger), OUTCOME)
    assert ledger.history.totals() == {"succeeded": 7, "failed": 0, "lost": 0, "killed": 0}
