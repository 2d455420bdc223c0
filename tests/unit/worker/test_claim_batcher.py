import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import cast

import pytest

from logdrain.errors import ResultUnavailable
from logdrain.model.jobs import Cause, Claim, Schedule
from logdrain.worker.loop import ClaimBatcher


def claim() -> Claim:
    at = datetime(2012, 3, 1, 1, tzinfo=UTC)
    schedule = Schedule("pay_hourly", "0 * * * *", "UTC", 0, "production", "SELECT 1", retry_limit=2)
    return Claim(7, schedule, at, Cause.SCHEDULE, 1, 1, forced=False, ran_before=False)


def test_one_thread_claims_for_all_that_are_free() -> None:
    asked: list[int] = []
    may_answer = threading.Event()

    def ask(count: int) -> list[Claim]:
        asked.append(count)
        assert may_answer.wait(10)
        return [claim() for _ in range(count)][:3]

    batcher = ClaimBatcher(ask)
    with ThreadPoolExecutor(5) as pool:
        first = pool.submit(batcher.next)
        until(lambda: asked == [1])
        others = [pool.submit(batcher.next) for _ in range(4)]
        until(lambda: batcher.waiting == 5)
        may_answer.set()
        found = [each.result(10) for each in (first, *others)]
    # The second to ask does so for four, and finds three: the fifth need not ask again.
    assert asked == [1, 4]
    assert sum(each is not None for each in found) == 4
    assert batcher.waiting == 0


class SlowToGoOn:
    """A lock whose holder, having let go of it, goes on only when somebody else has done something."""

    def __init__(self, others: threading.Event) -> None:
        self._lock = threading.Lock()
        self._others = others

    def __enter__(self) -> None:
        self._lock.acquire()

    def __exit__(self, *_error: object) -> None:
        self._lock.release()
        assert self._others.wait(10)


def test_nobody_claims_for_a_thread_that_has_one_already() -> None:
    asked: list[int] = []
    may_answer, asked_twice = threading.Event(), threading.Event()

    def ask(count: int) -> list[Claim]:
        asked.append(count)
        assert may_answer.wait(10)
        if len(asked) > 1:
            asked_twice.set()
        return [claim() for _ in range(count)]

    batcher = ClaimBatcher(ask)
    batcher._asking = cast("threading.Lock", SlowToGoOn(asked_twice))  # noqa: SLF001  # no other way to hold it up there
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(batcher.next)
        until(lambda: asked == [1])
        second = pool.submit(batcher.next)
        until(lambda: batcher.waiting == 2)
        may_answer.set()
        assert first.result(10)
        assert second.result(10)
    assert asked == [1, 1]


def test_a_claim_that_fails_leaves_nobody_waiting() -> None:
    def ask(_count: int) -> list[Claim]:
        raise ResultUnavailable("away")

    batcher = ClaimBatcher(ask)
    for _ in range(2):
        with pytest.raises(ResultUnavailable):
            batcher.next()
    assert batcher.waiting == 0


def until(condition: Callable[[], bool]) -> None:
    deadline_s = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline_s
