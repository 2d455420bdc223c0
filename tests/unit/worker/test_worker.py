import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from unittest.mock import Mock

import pytest

from logdrain.errors import LeaseLost, LedgerUnavailable, ResultRefused, ResultUnavailable, StoreUnavailable
from logdrain.model.jobs import Cause, Claim, RunFailure, RunOutcome, Schedule
from logdrain.model.stops import Stop
from logdrain.ports.transactions import Transaction
from logdrain.worker.chores import Chores
from logdrain.worker.loop import Worker

NOW = datetime(2012, 3, 1, 1, tzinfo=UTC)
OUTCOME = RunOutcome(rows_read=10, bytes_read=500, rows_written=3)


class FixedClock:
    def now(self) -> datetime:
        return NOW


def claim(attempt: int = 1) -> Claim:
    schedule = Schedule("pay_hourly", "0 * * * *", "UTC", 0, "production", "SELECT 1", retry_limit=2)
    return Claim(7, schedule, NOW, Cause.SCHEDULE, 1, attempt, forced=False, ran_before=False)


class ScriptedSlices:
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

    def identity(self) -> str:
        raise NotImplementedError

    def plan(self, now: datetime, *, schedules_max: int | None = None) -> int:
        assert now == NOW
        assert schedules_max
        return 0

    def claim(
        self, owner: str, lease_s: float, now: datetime, *, count: int, schedule: str | None = None
    ) -> list[Claim]:
        assert owner
        assert lease_s > 0
        assert now == NOW
        assert schedule in (None, "pay_hourly")
        taken, self.claims = self.claims[:count], self.claims[count:]
        self.when_claimed()
        return taken

    def renew(self, claim: Claim, lease_s: float) -> bool:
        assert (claim.run_id, lease_s) == (7, 0.03)
        self.renewed.set()
        if self.renewal:
            raise self.renewal
        return self.is_killed

    def note_success(self, transaction: Transaction, claim: Claim, outcome: RunOutcome) -> None:
        raise NotImplementedError

    def succeed(self, claim: Claim, outcome: RunOutcome) -> None:
        raise NotImplementedError

    def fail(
        self,
        claim: Claim,
        failure: RunFailure,
        retry_at: datetime | None,
        *,
        revive_at: datetime | None = None,
    ) -> None:
        assert claim.run_id == 7
        assert revive_at
        assert revive_at > NOW
        self.failures.append((failure, retry_at))

    def cancel(self, claim: Claim, failure: RunFailure) -> None:
        assert claim.run_id == 7
        self.cancelled.append(failure)

    def release(self, claim: Claim) -> None:
        self.released.append(claim)


def worker(slices: ScriptedSlices, run: Callable[[Claim], RunOutcome], lease_s: float = 60) -> Worker:
    return Worker(slices, lambda claim, _stop: run(claim), FixedClock(), lease_s=lease_s)


def raising(error: Exception) -> Callable[[Claim], RunOutcome]:
    def run(_claim: Claim) -> RunOutcome:
        raise error

    return run


def test_nothing_due() -> None:
    assert worker(ScriptedSlices(), lambda _: OUTCOME).run_one() is False


def test_a_slice_is_run_and_told(capsys: pytest.CaptureFixture[str]) -> None:
    slices = ScriptedSlices([claim()])
    assert worker(slices, lambda _: OUTCOME).run_one(schedule="pay_hourly") is True
    line = capsys.readouterr().err
    assert "event=run_succeeded" in line
    assert "rows_read=10" in line
    assert slices.failures == []


@pytest.mark.parametrize(
    ("attempt", "retry_after_s"),
    [(1, 10), (2, 20), (3, None)],
)
def test_what_passes_is_tried_again_up_to_the_limit(attempt: int, retry_after_s: int | None) -> None:
    slices = ScriptedSlices([claim(attempt)])
    worker(slices, raising(StoreUnavailable("away", hint="wait"))).run_one()
    [(failure, retry_at)] = slices.failures
    assert (failure.code, failure.message, failure.hint) == ("store_unavailable", "away", "wait")
    assert retry_at == (None if retry_after_s is None else NOW + timedelta(seconds=retry_after_s))


def test_what_does_not_pass_is_not_tried_again() -> None:
    slices = ScriptedSlices([claim()])
    worker(slices, raising(ResultRefused("no privilege"))).run_one()
    assert slices.failures[0][1] is None


def test_a_defect_in_one_job_does_not_end_the_worker() -> None:
    slices = ScriptedSlices([claim()])
    assert worker(slices, raising(ZeroDivisionError("postgres://u:secret@h/d"))).run_one() is True
    [(failure, retry_at)] = slices.failures
    assert (failure.code, retry_at) == ("internal", None)
    assert "secret" not in failure.message


def test_an_overtaken_run_says_nothing_to_the_ledger(capsys: pytest.CaptureFixture[str]) -> None:
    slices = ScriptedSlices([claim()])
    worker(slices, raising(LeaseLost("taken"))).run_one()
    assert slices.failures == []
    assert "event=run_overtaken" in capsys.readouterr().err


@pytest.mark.parametrize("renewal", [None, LeaseLost("taken"), ResultUnavailable("away")])
def test_the_lease_is_renewed_while_a_slice_runs(renewal: Exception | None) -> None:
    slices = ScriptedSlices([claim()])
    slices.renewal = renewal

    def run(_claim: Claim) -> RunOutcome:
        assert slices.renewed.wait(10)
        return OUTCOME

    assert worker(slices, run, lease_s=0.03).run_one() is True
    assert slices.failures == []


def waiting_worker(slices: ScriptedSlices) -> Worker:
    """Its slices run until they are stopped."""

    def run(_claim: Claim, stop: Stop) -> RunOutcome:
        told = threading.Event()
        with stop.telling(told.set):
            assert told.wait(10)
        stop.check()
        return OUTCOME

    return Worker(slices, run, FixedClock(), lease_s=0.03)


def test_a_run_that_somebody_ends_is_stopped_and_cancelled(capsys: pytest.CaptureFixture[str]) -> None:
    slices = ScriptedSlices([claim()])
    slices.is_killed = True
    assert waiting_worker(slices).run_one() is True
    assert [failure.code for failure in slices.cancelled] == ["run_killed"]
    assert slices.failures == []
    assert "event=run_killed" in capsys.readouterr().err


def test_a_run_that_lost_its_lease_is_stopped(capsys: pytest.CaptureFixture[str]) -> None:
    slices = ScriptedSlices([claim()])
    slices.renewal = LeaseLost("taken")
    assert waiting_worker(slices).run_one() is True
    assert (slices.cancelled, slices.failures) == ([], [])
    assert "event=run_overtaken" in capsys.readouterr().err


def test_chores_are_done_beside_slices() -> None:
    done = threading.Event()
    chores = Mock(spec=Chores)
    chores.round.side_effect = done.set
    tested = Worker(ScriptedSlices(), lambda *_: OUTCOME, FixedClock(), lease_s=60, chores=chores)
    threads = threading.Thread(target=tested.run_forever, args=(1,))
    threads.start()
    assert done.wait(10)
    tested.stop()
    threads.join(10)
    assert not threads.is_alive()


def test_stop_ends_all_threads_after_their_slices() -> None:
    slices = ScriptedSlices([claim(), claim(), claim()])
    started = threading.Semaphore(0)
    release = threading.Event()

    def run(_claim: Claim) -> RunOutcome:
        started.release()
        assert release.wait(10)
        return OUTCOME

    tested = worker(slices, run)
    threads = threading.Thread(target=tested.run_forever, args=(2,))
    threads.start()
    assert all(started.acquire(timeout=10) for _ in range(2))
    tested.stop()
    release.set()
    threads.join(10)
    assert not threads.is_alive()
    assert len(slices.claims) == 1


def test_what_is_being_claimed_when_it_is_stopped_is_given_back() -> None:
    slices = ScriptedSlices([claim(), claim()])
    tested = worker(slices, raising(AssertionError("it runs all the same")))
    slices.when_claimed = tested.stop
    tested.run_forever(3)
    assert slices.released == [claim()] * (2 - len(slices.claims))
    assert slices.released
    assert slices.failures == []
    assert tested.run_one() is False


def test_many_threads_run_each_claim_once() -> None:
    slices = ScriptedSlices([claim(attempt) for attempt in range(1, 201)])
    ran: list[int] = []

    def run(found: Claim, _stop: Stop) -> RunOutcome:
        ran.append(found.attempt)
        return OUTCOME

    tested = Worker(
        slices,
        run,
        FixedClock(),
        lease_s=60,
        when_idle=lambda: tested.stop() if len(ran) == 200 else None,
    )
    tested.run_forever(8)
    assert sorted(ran) == list(range(1, 201))


def test_a_slice_that_a_person_interrupts_waits_again() -> None:
    slices = ScriptedSlices([claim()])

    def interrupted(_claim: Claim) -> RunOutcome:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        worker(slices, interrupted).run_one()
    assert slices.released == [claim()]
    assert slices.failures == []


def test_a_worker_waits_for_its_ledger(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("logdrain.worker.loop._AWAY_S", 0.0)
    begin = Mock(side_effect=[LedgerUnavailable("refused", hint="see that it runs"), None])
    waiting = worker(ScriptedSlices(), lambda _: OUTCOME)
    waiting.once_there(begin)
    assert begin.call_count == 2
    assert "worker_waits" in capsys.readouterr().err
    waiting.stop()
    waiting.once_there(begin)
    assert begin.call_count == 2
