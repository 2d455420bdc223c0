"""The worker: makes due slices, claims one after the other, runs it, says how it went.

Any number of workers may run; the ledger sees to it that a slice is one worker's at a time, and that
only the latest claim of a slice can commit.
"""

import os
import platform
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from logdrain import log
from logdrain.errors import LeaseLost, LogdrainError
from logdrain.model.jobs import Claim, RunFailure
from logdrain.pipeline.slices import SliceRunner
from logdrain.ports import Clock, Ledger
from logdrain.schedule.due import retry_at

_BEATS_PER_LEASE = 3
_IDLE_S = 1.0
# A ledger that is away is asked again at this pace.
_AWAY_S = 3.0


class Worker:
    """Runs slices until it is stopped.

    Args:
        ledger: What is due, and who has it.
        runner: Runs one slice.
        clock: What the time is.
        lease_s: How long a claim lasts without a sign of life.
    """

    def __init__(self, ledger: Ledger, runner: SliceRunner, clock: Clock, *, lease_s: float) -> None:
        self._ledger = ledger
        self._runner = runner
        self._clock = clock
        self._lease_s = lease_s
        self._stopping = threading.Event()
        self._owner = f"{platform.node()}:{os.getpid()}"

    def run_forever(self, threads: int) -> None:
        """Work in this many threads until `stop`; returns when the slices under way are done."""
        loops = [threading.Thread(target=self._loop, name=f"worker-{number}") for number in range(threads)]
        for loop in loops:
            loop.start()
        for loop in loops:
            loop.join()

    def stop(self) -> None:
        """Take no more slices."""
        self._stopping.set()

    def run_one(self, *, schedule: str | None = None) -> bool:
        """Make due slices, claim one (of one schedule, or of any) and run it; False where none is due.

        Raises:
            LedgerUnavailable: the ledger cannot be asked.
        """
        now = self._clock.now()
        self._ledger.plan_slices(now)
        claim = self._ledger.claim(self._owner, self._lease_s, now, schedule=schedule)
        if claim is None:
            return False
        self._run(claim)
        return True

    def _loop(self) -> None:
        while not self._stopping.is_set():
            try:
                pause_s = 0.0 if self.run_one() else _IDLE_S
            except LogdrainError as error:
                log.error("worker_waits", code=error.code, message=error.message, hint=error.hint)
                pause_s = _AWAY_S
            except Exception as error:  # noqa: BLE001  # a defect must not end the thread in silence
                log.error("worker_waits", code="internal", message=f"{type(error).__name__}: {error}")
                pause_s = _AWAY_S
            self._stopping.wait(pause_s)

    def _run(self, claim: Claim) -> None:
        started = self._clock.now()
        pairs: dict[str, object] = {
            "schedule": claim.schedule.name,
            "scheduled_at": claim.scheduled_at.isoformat(),
            "run": claim.run_id,
            "attempt": claim.attempt,
        }
        try:
            with self._alive(claim):
                outcome = self._runner.run(claim)
        except LeaseLost as error:
            log.warning("run_overtaken", **pairs, message=error.message)
        except LogdrainError as error:
            self._fail(claim, RunFailure(error.code, error.message, error.hint, error.retryable), pairs)
        except Exception as error:  # noqa: BLE001  # a defect in one job must not end the worker
            message = f"{type(error).__name__}: {log.mask(str(error))}"
            self._fail(claim, RunFailure("internal", message, "please report this", retryable=False), pairs)
        else:
            seconds = (self._clock.now() - started).total_seconds()
            log.info(
                "run_succeeded",
                **pairs,
                rows_read=outcome.rows_read,
                rows_written=outcome.rows_written,
                warnings=len(outcome.warnings),
                seconds=seconds,
            )

    def _fail(self, claim: Claim, failure: RunFailure, pairs: dict[str, object]) -> None:
        again = None
        if failure.retryable and claim.attempt <= claim.schedule.retry_limit:
            again = retry_at(self._clock.now(), claim.attempt)
        log.error("run_failed", **pairs, code=failure.code, message=failure.message, retry_at=again)
        try:
            self._ledger.fail(claim, failure, again)
        except LogdrainError as error:
            # The lease runs out, and the slice is claimed again.
            log.error("run_failure_not_noted", **pairs, code=error.code, message=error.message)

    @contextmanager
    def _alive(self, claim: Claim) -> Iterator[None]:
        """Renew the lease while the slice runs."""
        done = threading.Event()
        beats = threading.Thread(target=self._renew, args=(claim, done.wait), name="lease", daemon=True)
        beats.start()
        try:
            yield
        finally:
            done.set()
            beats.join()

    def _renew(self, claim: Claim, wait: Callable[[float], bool]) -> None:
        while not wait(self._lease_s / _BEATS_PER_LEASE):
            try:
                self._ledger.renew(claim, self._lease_s)
            except LeaseLost:
                return  # the commit will be refused
            except LogdrainError as error:
                log.warning("lease_not_renewed", schedule=claim.schedule.name, code=error.code)
