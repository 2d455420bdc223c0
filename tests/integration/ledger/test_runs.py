"""Runs: looked at over all schedules, ended, forgotten; schedules changed, held, preferred."""

from dataclasses import replace
from datetime import timedelta

import pytest

from logdrain.errors import LeaseLost, RunEnded, ScheduleExists, ScheduleFromFile, UnknownRun, UnknownSchedule
from logdrain.ledger.postgres_ledger import PostgresLedger
from logdrain.model.jobs import Cause, RunFailure, RunState, SliceState
from tests.integration.ledger.ledger_slices import (
    FAILURE,
    NOW,
    OUTCOME,
    SUMS,
    Ask,
    claimed,
    hour,
    states,
    with_slices,
)

KILLED = RunFailure("run_killed", "ended", "run it again", retryable=False)


def test_runs_of_all_schedules_newest_first(ledger: PostgresLedger) -> None:
    with_slices(ledger, 1, name="a")
    with_slices(ledger, 2, name="b")
    ledger.fail(claimed(ledger), FAILURE, None)
    ledger.succeed(claimed(ledger), OUTCOME)
    newest, oldest = ledger.runs(10)
    assert [(run.schedule, run.state) for run in (newest, oldest)] == [
        ("b", RunState.SUCCEEDED),
        ("a", RunState.FAILED),
    ]
    assert ledger.runs(1) == [newest]
    assert ledger.runs(10, RunState.FAILED) == [oldest]
    assert ledger.run(oldest.run_id) == oldest
    with pytest.raises(UnknownRun, match="999"):
        ledger.run(999)


def test_a_running_run_is_asked_to_end(ledger: PostgresLedger) -> None:
    with_slices(ledger, 1, 2)
    claim = claimed(ledger)
    assert ledger.renew(claim, 60) is False
    assert ledger.kill(claim.run_id) is True
    assert ledger.renew(claim, 60) is True
    ledger.cancel(claim, KILLED)
    assert states(ledger, 1, 2) == [SliceState.CANCELLED, SliceState.WAITING]
    assert ledger.run(claim.run_id).state is RunState.KILLED
    assert ledger.run_totals()["killed"] == 1
    with pytest.raises(RunEnded, match="killed"):
        ledger.kill(claim.run_id)
    with pytest.raises(LeaseLost):
        ledger.succeed(claim, OUTCOME)
    assert claimed(ledger).scheduled_at == hour(2)


def test_a_retry_that_waits_is_cancelled(ledger: PostgresLedger) -> None:
    with_slices(ledger, 1)
    claim = claimed(ledger)
    ledger.fail(claim, FAILURE, NOW + timedelta(seconds=10))
    assert ledger.kill(claim.run_id) is False
    assert states(ledger, 1) == [SliceState.CANCELLED]
    assert ledger.claim("worker", 60, NOW + timedelta(days=1)) is None
    ledger.ask_slices("sums", [hour(1)], Cause.MANUAL, force=False)
    assert claimed(ledger).scheduled_at == hour(1)


def test_a_run_that_should_end_and_whose_worker_vanished_is_not_tried_again(
    ledger: PostgresLedger, ask: Ask
) -> None:
    with_slices(ledger, 1)
    claim = claimed(ledger, lease_s=0.01)
    assert ledger.kill(claim.run_id) is True
    ask(
        "SELECT pg_sleep(greatest(0, extract(epoch FROM max(lease_until) - clock_timestamp()) + 0.001))"
        " FROM logdrain.slices WHERE state = 'running'"
    )
    assert ledger.claim("worker", 60, NOW) is None
    assert states(ledger, 1) == [SliceState.CANCELLED]


def test_a_paused_schedule_runs_only_what_is_asked_for(ledger: PostgresLedger) -> None:
    ledger.create_schedule(replace(SUMS, cron="@hourly"), hour(0))
    ledger.plan_slices(hour(1))
    assert ledger.pause_schedule("sums") is True
    assert ledger.pause_schedule("sums") is False
    assert ledger.schedules()[0].paused_at is not None
    assert ledger.plan_slices(hour(3)) == 0
    assert ledger.claim("worker", 60, hour(3)) is None
    ledger.ask_slices("sums", [hour(2)], Cause.MANUAL, force=False)
    by_hand = claimed(ledger, now=hour(3))
    assert by_hand.scheduled_at == hour(2)
    ledger.succeed(by_hand, OUTCOME)
    assert ledger.resume_schedule("sums") is True
    assert ledger.resume_schedule("sums") is False
    assert claimed(ledger, now=hour(3)).scheduled_at == hour(1)
    assert ledger.plan_slices(hour(4)) == 2  # 03:00, which was missed, and 04:00
    with pytest.raises(UnknownSchedule):
        ledger.pause_schedule("none")


def test_higher_priority_goes_first(ledger: PostgresLedger) -> None:
    for name, priority in (("low", -2), ("high", 2), ("normal", 0)):
        ledger.create_schedule(replace(SUMS, name=name, priority=priority), NOW)
        ledger.ask_slices(name, [hour(1), hour(2)], Cause.MANUAL, force=False)
    order = [claimed(ledger).schedule.name for _ in range(3)]
    assert order == ["high", "normal", "low"]


def test_a_schedule_is_changed_and_renamed(ledger: PostgresLedger) -> None:
    with_slices(ledger, 1)
    ledger.succeed(claimed(ledger), OUTCOME)
    changed = replace(SUMS, name="totals", cron="@daily", sql="SELECT 2", late_s=0, timeout_s=9, priority=1)
    ledger.update_schedule("sums", changed, NOW)
    assert ledger.schedules() == [(changed, NOW + timedelta(hours=12), None)]
    assert [run.schedule for run in ledger.history("totals", 10)] == ["totals"]
    with pytest.raises(UnknownSchedule):
        ledger.update_schedule("sums", changed, NOW)
    with_slices(ledger, 1)
    with pytest.raises(ScheduleExists):
        ledger.update_schedule("sums", changed, NOW)


def test_a_job_files_schedule_is_its_files(ledger: PostgresLedger) -> None:
    ledger.create_schedule(replace(SUMS, source="jobs/sums.toml"), NOW)
    with pytest.raises(ScheduleFromFile, match=r"jobs/sums\.toml"):
        ledger.update_schedule("sums", SUMS, NOW)


def test_lateness_is_that_of_the_longest_waiting_slice(ledger: PostgresLedger) -> None:
    ledger.create_schedule(replace(SUMS, cron="@hourly", delay_s=600), hour(0))
    with_slices(ledger, 1, name="by_hand")
    ledger.plan_slices(hour(1))
    assert ledger.lateness_s(hour(1)) == 0
    assert ledger.lateness_s(hour(1) + timedelta(seconds=660)) == 60
    claim = ledger.claim("worker", 60, hour(2), schedule="sums")
    assert claim is not None
    assert ledger.lateness_s(hour(2)) == 0
    assert ledger.run(claim.run_id).due_at == hour(1) + timedelta(seconds=600)


def test_old_runs_are_forgotten_and_totals_stay(ledger: PostgresLedger) -> None:
    with_slices(ledger, 1, 2)
    ledger.succeed(claimed(ledger), OUTCOME)
    running = claimed(ledger)
    forever = NOW + timedelta(days=365_000)
    assert ledger.forget_old(NOW, NOW, NOW) == 0
    assert ledger.forget_old(forever, NOW, NOW) == 1
    assert [run.run_id for run in ledger.runs(10)] == [running.run_id]
    assert ledger.run_totals()["succeeded"] == 1


def test_totals_go_on_from_those_of_before(ledger: PostgresLedger, ask: Ask) -> None:
    ask("UPDATE logdrain.run_totals SET count = 5 WHERE state = 'succeeded'")
    with_slices(ledger, 1, 2)
    for _ in range(2):
        ledger.succeed(claimed(ledger), OUTCOME)
    assert ledger.run_totals() == {"succeeded": 7, "failed": 0, "lost": 0, "killed": 0}
