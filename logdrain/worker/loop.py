"""The worker: makes due slices, claims one after the other, runs it, says how it went.

Any number of workers may run; the ledger sees to it that a slice is one worker's at a time, and that
only the latest claim of a slice can commit. A heartbeat renews the lease of the claims that are running.
"""

import os
import platform
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from logdrain import log
from logdrain.errors import LeaseLost, LedgerUnavailable, LogdrainError, RunKilled, SqlError, UnknownTable
from logdrain.jobs.retry import retry_after, revive_after
from logdrain.model.jobs import Claim, RunFailure, RunOutcome
from logdrain.model.stops import Stop
from logdrain.ports.clock import Clock
from logdrain.ports.ledger import Slices
from logdrain.worker.chores import Chores

_BEATS_PER_LEASE = 3
# Somebody who ends a run waits for it.
_BEAT_MAX_S = 2.0
# Where very many schedules are due at once, the first of them run before the last are planned.
_PLANNED_A_ROUND = 500
_CHORES_EVERY_S = 3.0
_IDLE_S = 1.0
# A ledger that is away is asked again at this pace.
_AWAY_S = 3.0


class Worker:
    """Runs slices until it is stopped.

    Args:
        slices: What is due, and who has it.
        run_slice: Runs one slice and notes its success; ends early when it is asked to.
        clock: What is due: the ledger's, so that all workers go by one clock.
        lease_s: How long a claim lasts without a sign of life.
        chores: What is done beside running slices, or None.
        when_idle: Called when there is no slice to run, each time a thread looks for one.
    """

    def __init__(
        self,
        slices: Slices,
        run_slice: Callable[[Claim, Stop], RunOutcome],
        clock: Clock,
        *,
        lease_s: float,
        chores: Chores | None = None,
        when_idle: Callable[[], None] = lambda: None,
    ) -> None:
        self._slices = slices
        self._run_slice = run_slice
        self._clock = clock
        self._lease_s = lease_s
        self._chores = chores
        self._when_idle = when_idle
        self._stopping = threading.Event()
        self._claim_batcher = ClaimBatcher(self._claim_some)
        self._owner = f"{platform.node()}:{os.getpid()}"

    def run_forever(self, threads: int) -> None:
        """Work in this many threads until `stop`; returns when the slices under way are done."""
        loops = [threading.Thread(target=self._loop, name=f"worker-{number}") for number in range(threads)]
        if self._chores is not None:
            loops.append(threading.Thread(target=self._do_chores, args=(self._chores,), name="chores"))
        for loop in loops:
            loop.start()
        for loop in loops:
            loop.join()

    def once_there(self, begin: Callable[[], None]) -> None:
        """Call this as soon as the ledger answers; not at all where `stop` comes first."""
        while not self._stopping.is_set():
            try:
                begin()
            except LedgerUnavailable as error:
                log.error("worker_waits", code=error.code, message=error.located, hint=error.hint)
                self._stopping.wait(_AWAY_S)
            else:
                return

    def stop(self) -> None:
        """Take no more slices."""
        self._stopping.set()

    def run_one(self, *, schedule: str | None = None) -> bool:
        """Make due slices, claim one (of one schedule, or of any) and run it; False where none is due.

        Raises:
            LedgerUnavailable: the ledger cannot be asked.
        """
        claims = self._claim_some(1, schedule)
        for claim in claims:
            self._run(claim)
        return bool(claims)

    def _claim_some(self, count: int, schedule: str | None = None) -> list[Claim]:
        if self._stopping.is_set():
            return []
        now = self._clock.now()
        self._slices.plan(now, schedules_max=_PLANNED_A_ROUND)
        return self._slices.claim(self._owner, self._lease_s, now, count=count, schedule=schedule)

    def _run_next(self) -> bool:
        claim = self._claim_batcher.next()
        if claim is not None and self._stopping.is_set():  # asked to, while it was being claimed
            self._slices.release(claim)
        elif claim is not None:
            self._run(claim)
        return claim is not None

    def _loop(self) -> None:
        while not self._stopping.is_set():
            try:
                pause_s = 0.0 if self._run_next() else self._idle()
            except LogdrainError as error:
                log.error("worker_waits", code=error.code, message=error.located, hint=error.hint)
                pause_s = _AWAY_S
            except Exception as error:  # noqa: BLE001  # a defect must not end the thread in silence
                log.error("worker_waits", code="internal", message=f"{type(error).__name__}: {error}")
                pause_s = _AWAY_S
            self._stopping.wait(pause_s)

    def _idle(self) -> float:
        self._when_idle()
        return _IDLE_S

    def _do_chores(self, chores: Chores) -> None:
        while not self._stopping.is_set():
            try:
                chores.round()
            except Exception as error:  # noqa: BLE001  # a defect must not end the thread in silence
                log.error("worker_waits", code="internal", message=f"{type(error).__name__}: {error}")
            self._stopping.wait(_CHORES_EVERY_S)

    def _run(self, claim: Claim) -> None:
        started_s = time.monotonic()
        pairs: dict[str, object] = {
            "schedule": claim.schedule.name,
            "scheduled_at": claim.scheduled_at.isoformat(),
            "run": claim.run_id,
            "attempt": claim.attempt,
        }
        try:
            with self._alive(claim) as stop:
                outcome = self._run_slice(claim, stop)
        except KeyboardInterrupt:  # a person's `sched:run`: the slice waits again
            with suppress(LogdrainError):
                self._slices.release(claim)
            raise
        except LeaseLost as error:
            log.warning("run_overtaken", **pairs, message=error.located)
        except LogdrainError as error:
            self._fail(claim, _failure(error), pairs)
        except Exception as error:  # noqa: BLE001  # a defect in one job must not end the worker
            message = f"{type(error).__name__}: {log.mask(str(error))}"
            self._fail(claim, RunFailure("internal", message, "please report this", retryable=False), pairs)
        else:
            log.info(
                "run_succeeded",
                **pairs,
                rows_read=outcome.rows_read,
                bytes_read=outcome.bytes_read,
                rows_written=outcome.rows_written,
                warnings=len(outcome.warnings),
                seconds=round(time.monotonic() - started_s, 3),
            )

    def _fail(self, claim: Claim, failure: RunFailure, pairs: dict[str, object]) -> None:
        is_killed = failure.code == RunKilled.code
        pause = None
        if failure.retryable and claim.attempt <= claim.schedule.retry_limit:
            pause = retry_after(claim.attempt)
        event = "run_killed" if is_killed else "run_failed"
        pause_s = pause and pause.total_seconds()
        log.error(event, **pairs, code=failure.code, message=failure.message, retry_after_s=pause_s)
        try:
            if is_killed:
                self._slices.cancel(claim, failure)
                return
            now = self._clock.now()
            revive_at = now + revive_after(is_transient=failure.retryable)
            self._slices.fail(claim, failure, now + pause if pause else None, revive_at=revive_at)
        except LogdrainError as error:
            # The lease runs out, and the slice is claimed again.
            log.error("run_failure_not_noted", **pairs, code=error.code, message=error.located)

    @contextmanager
    def _alive(self, claim: Claim) -> Iterator[Stop]:
        """Renew the lease while the slice runs; what is yielded stops it."""
        done, stop = threading.Event(), Stop()
        beats = threading.Thread(target=self._renew, args=(claim, done.wait, stop), name="lease", daemon=True)
        beats.start()
        try:
            yield stop
        finally:
            done.set()
            beats.join()

    def _renew(self, claim: Claim, wait: Callable[[float], bool], stop: Stop) -> None:
        while not wait(min(self._lease_s / _BEATS_PER_LEASE, _BEAT_MAX_S)):
            try:
                if self._slices.renew(claim, self._lease_s):
                    stop.request(
                        RunKilled("ended by `logdrain job:kill`", hint="`logdrain sched:run` runs it")
                    )
            except LeaseLost as error:
                stop.request(error)  # its commit would be refused
                return
            except LogdrainError as error:
                log.warning("lease_not_renewed", schedule=claim.schedule.name, code=error.code)


class ClaimBatcher:
    """What the threads of a worker run next: one of them asks, for all that are free just then.

    None is claimed that no thread waits for: it would be kept from other workers.

    Args:
        ask: Claims at most this many slices.
    """

    def __init__(self, ask: Callable[[int], list[Claim]]) -> None:
        self._ask = ask
        self._counting = threading.Lock()
        self._asking = threading.Lock()
        self._waiting = self._asked = 0
        self._claimed: deque[Claim] = deque()

    @property
    def waiting(self) -> int:
        """How many threads want one just now."""
        return self._waiting

    def next(self) -> Claim | None:
        """A claim for the calling thread; None where there is none."""
        with self._counting:
            self._waiting += 1
            asked_before = self._asked
        with self._asking:
            try:
                if self._asked == asked_before:  # else somebody has asked for this thread, too
                    self._claimed += self._ask(self._count())
                return self._claimed.popleft() if self._claimed else None
            finally:  # before another counts: it would claim for this thread, which has one
                with self._counting:
                    self._waiting -= 1

    def _count(self) -> int:
        with self._counting:
            self._asked += 1
            return self._waiting - len(self._claimed)


def _failure(error: LogdrainError) -> RunFailure:
    warnings = error.warnings if isinstance(error, SqlError) else ()
    awaits_table = error.table if isinstance(error, UnknownTable) else ""
    return RunFailure(
        error.code, error.located, error.hint, error.retryable, tuple(warnings), awaits_table=awaits_table
    )
