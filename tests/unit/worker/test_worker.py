import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import cast
from unittest.mock import Mock

import pytest

from logdrain.errors import LeaseLost, LedgerUnavailable, ResultRefused, ResultUnavailable, StoreUnavailable
from logdrain.model.jobs import Cause, Claim, RunFailure, RunOutcome, Schedule
from logdrain.model.stops import Stop
from logdrain.ports.ledger import Ledger
from logdrain.worker.chores import Chores
from logdrain.worker.loop import Worker
from logdrain.worker.slices import SliceRunner

NOW = datetime(2012, 3, 1, 1, tzinfo=UTC)
OUTCOME = RunOutcome(rows_read=10, bytes_read=500, rows_written=3)


class FixedClock:
    def now(self) -> datetime:
        return NOW


def claim(attempt: int = 1) -> Claim:
    schedule = Schedule("pay_hourly", "0 * * * *", "UTC", 0, "production", "SELECT 1", retry_limit=2)
    return Claim(7, schedule, NOW, Cause.SCHEDULE, 1, attempt, forced=False, ran_before=False)


class ScriptedLedger:
    """Hands out claims, keeps what is said of them."""

    def __init__(self, claims: Sequence[Claim] = ()) -> None:
        self.claims = list(claims)
        self.failures: list[tuple[RunFailure, datetime | None]] = []
        self.renewed = threading.Event()
        self.renewal: Exception | None = None
        self.is_killed = False
        self.cancelled: list[RunFailure] = []
        self.released: list[Claim] = []
        self.when_claimed: Callable[[], None] = lambda: None

    def plan_slices(self, _now: datetime, *, schedules_max: int) -> int:
        assert schedules_max > 0
        return 0

    def claim_some(
        self, _owner: str, _lease_s: float, _now: datetime, *, count: int, schedule: str | None = None
    ) -> list[Claim]:
        assert schedule in (None, "pay_hourly")
        taken, self.claims = self.claims[:count], self.claims[count:]
        self.when_claimed()
        return taken

    def release(self, claim: Claim) -> None:
        self.released.append(claim)

    def renew(self, _claim: Claim, _lease_s: float) -> bool:
        self.renewed.set()
        if self.renewal:
            raise self.renewal
        return self.is_killed

    def cancel(self, _claim: Claim, failure: RunFailure) -> None:
        self.cancelled.append(failure)

    def fail(
        self, _claim: Claim, failure: RunFailure, retry_at: datetime | None, *, revive_at: datetime
    ) -> None:
        assert revive_at > NOW
        self.failures.append((failure, retry_at))


class ScriptedRunner:
    def __init__(self, run: Callable[[Claim], RunOutcome]) -> None:
        self._run = run
        self.stops: list[Stop] = []

    def run(self, claim: Claim, stop: Stop) -> RunOutcome:
        self.stops.append(stop)
        return self._run(claim)


def worker(ledger: ScriptedLedger, run: Callable[[Claim], RunOutcome], lease_s: float = 60) -> Worker:
    return Worker(
        cast("Ledger", ledger), cast("SliceRunner", ScriptedRunner(run)), FixedClock(), lease_s=lease_s
    )


def raising(error: Exception) -> Callable[[Claim], RunOutcome]:
    def run(_claim: Claim) -> RunOutcome:
        raise error

    return run


def test_nothing_due() -> None:
    assert worker(ScriptedLedger(), lambda _: OUTCOME).run_one() is False


def test_a_slice_is_run_and_told(capsys: pytest.CaptureFixture[str]) -> None:
    ledger = ScriptedLedger([claim()])
    assert worker(ledger, lambda _: OUTCOME).run_one(schedule="pay_hourly") is True
    line = capsys.readouterr().err
    assert "event=run_succeeded" in line
    assert "rows_read=10" in line
    assert ledger.failures == []


@pytest.mark.parametrize(
    ("attempt", "retry_after_s"),
    [(1, 10), (2, 20), (3, None)],
)
def test_what_passes_is_tried_again_up_to_the_limit(attempt: int, retry_after_s: int | None) -> None:
    ledger = ScriptedLedger([claim(attempt)])
    worker(ledger, raising(StoreUnavailable("away", hint="wait"))).run_one()
    [(failure, retry_at)] = ledger.failures
    assert (failure.code, failure.message, failure.hint) == ("store_unavailable", "away", "wait")
    assert retry_at == (None if retry_after_s is None else NOW + timedelta(seconds=retry_after_s))


def test_what_does_not_pass_is_not_tried_again() -> None:
    ledger = ScriptedLedger([claim()])
    worker(ledger, raising(ResultRefused("no privilege"))).run_one()
    assert ledger.failures[0][1] is None


def test_a_defect_in_one_job_does_not_end_the_worker() -> None:
    ledger = ScriptedLedger([claim()])
    assert worker(ledger, raising(ZeroDivisionError("postgres://u:secret@h/d"))).run_one() is True
    [(failure, retry_at)] = ledger.failures
    assert (failure.code, retry_at) == ("internal", None)
    assert "secret" not in failure.message


def test_an_overtaken_run_says_nothing_to_the_ledger(capsys: pytest.CaptureFixture[str]) -> None:
    ledger = ScriptedLedger([claim()])
    worker(ledger, raising(LeaseLost("taken"))).run_one()
    assert ledger.failures == []
    assert "event=run_overtaken" in capsys.readouterr().err


@pytest.mark.parametrize("renewal", [None, LeaseLost("taken"), ResultUnavailable("away")])
def test_the_lease_is_renewed_while_a_slice_runs(renewal: Exception | None) -> None:
    ledger = ScriptedLedger([claim()])
    ledger.renewal = renewal

    def run(_claim: Claim) -> RunOutcome:
        assert ledger.renewed.wait(10)
        return OUTCOME

    assert worker(ledger, run, lease_s=0.03).run_one() is True
    assert ledger.failures == []


class WaitingRunner:
    """Runs until it is stopped."""

    def run(self, _claim: Claim, stop: Stop) -> RunOutcome:
        told = threading.Event()
        with stop.telling(told.set):
            assert told.wait(10)
        stop.check()
        return OUTCOME


def waiting_worker(ledger: ScriptedLedger) -> Worker:
    runner = cast("SliceRunner", WaitingRunner())
    return Worker(cast("Ledger", ledger), runner, FixedClock(), lease_s=0.03)


def test_a_run_that_somebody_ends_is_stopped_and_cancelled(capsys: pytest.CaptureFixture[str]) -> None:
    ledger = ScriptedLedger([claim()])
    ledger.is_killed = True
    assert waiting_worker(ledger).run_one() is True
    assert [failure.code for failure in ledger.cancelled] == ["run_killed"]
    assert ledger.failures == []
    assert "event=run_killed" in capsys.readouterr().err


def test_a_run_that_lost_its_lease_is_stopped(capsys: pytest.CaptureFixture[str]) -> None:
    ledger = ScriptedLedger([claim()])
    ledger.renewal = LeaseLost("taken")
    assert waiting_worker(ledger).run_one() is True
    assert (ledger.cancelled, ledger.failures) == ([], [])
    assert "event=run_overtaken" in capsys.readouterr().err


def test_chores_are_done_beside_slices() -> None:
    done = threading.Event()
    chores = Mock(spec=Chores)
    chores.round.side_effect = done.set
    ledger = cast("Ledger", ScriptedLedger())
    runner = cast("SliceRunner", ScriptedRunner(lambda _: OUTCOME))
    tested = Worker(ledger, runner, FixedClock(), lease_s=60, chores=chores)
    threads = threading.Thread(target=tested.run_forever, args=(1,))
    threads.start()
    assert done.wait(10)
    tested.stop()
    threads.join(10)
    assert not threads.is_alive()


def test_stop_ends_all_threads_after_their_slices() -> None:
    ledger = ScriptedLedger([claim(), claim(), claim()])
    started = threading.Semaphore(0)
    release = threading.Event()

    def run(_claim: Claim) -> RunOutcome:
        started.release()
        assert release.wait(10)
        return OUTCOME

    tested = worker(ledger, run)
    threads = threading.Thread(target=tested.run_forever, args=(2,))
    threads.start()
    assert all(started.acquire(timeout=10) for _ in range(2))
    tested.stop()
    release.set()
    threads.join(10)
    assert not threads.is_alive()
    assert len(ledger.claims) == 1


def test_what_is_being_claimed_when_it_is_stopped_is_given_back() -> None:
    ledger = ScriptedLedger([claim(), claim()])
    tested = worker(ledger, raising(AssertionError("it runs all the same")))
    ledger.when_claimed = tested.stop
    tested.run_forever(3)
    assert ledger.released == [claim()] * (2 - len(ledger.claims))
    assert ledger.released
    assert ledger.failures == []
    assert tested.run_one() is False


def test_many_threads_run_each_claim_once() -> None:
    ledger = ScriptedLedger([claim(attempt) for attempt in range(1, 201)])
    ran: list[int] = []

    def run(found: Claim) -> RunOutcome:
        ran.append(found.attempt)
        return OUTCOME

    runner = cast("SliceRunner", ScriptedRunner(run))
    tested = Worker(
        cast("Ledger", ledger),
        runner,
        FixedClock(),
        lease_s=60,
        when_idle=lambda: tested.stop() if len(ran) == 200 else None,
    )
    tested.run_forever(8)
    assert sorted(ran) == list(range(1, 201))


def test_a_worker_waits_for_its_ledger(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("logdrain.worker.loop._AWAY_S", 0.0)
    begin = Mock(side_effect=[LedgerUnavailable("refused", hint="see that it runs"), None])
    waiting = worker(ScriptedLedger(), lambda _: OUTCOME)
    waiting.once_there(begin)
    assert begin.call_count == 2
    assert "worker_waits" in capsys.readouterr().err
    waiting.stop()
    waiting.once_there(begin)
    assert begin.call_count == 2
