"""Workers with several free places: many claims in one transaction."""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest

from logdrain.errors import LedgerUnavailable
from logdrain.ledger import slices
from logdrain.ledger.parts import Ledger
from logdrain.model.jobs import Cause, Claim, RunState, Schedule
from tests.integration.ledger.ledger_slices import (
    FAILURE,
    NOW,
    OUTCOME,
    SUMS,
    Ask,
    claimed,
    hour,
    with_slices,
)


def some(ledger: Ledger, count: int, owner: str = "worker") -> list[Claim]:
    return ledger.slices.claim(owner, 60, NOW, count=count)


def names(claims: Iterable[Claim]) -> list[str]:
    return [claim.schedule.name for claim in claims]


def test_as_many_as_asked_for_in_the_queues_order(ledger: Ledger) -> None:
    for name, priority in (("a", 0), ("b", 2), ("c", -1), ("d", 1)):
        ledger.schedules.create(replace(SUMS, name=name, priority=priority), NOW)
        ledger.schedules.ask_slices(name, [hour(1), hour(2)], Cause.MANUAL, force=False)
    first = some(ledger, 3)
    assert names(first) == ["b", "d", "a"]
    assert {claim.scheduled_at for claim in first} == {hour(1)}
    assert names(some(ledger, 3)) == ["c"]
    assert some(ledger, 3) == []
    for claim in first:
        ledger.slices.succeed(claim, OUTCOME)
    assert names(some(ledger, 9)) == ["b", "d", "a"]


def test_they_are_those_that_single_claims_would_have_given(ledger: Ledger) -> None:
    with_slices(ledger, 1, name="a")
    with_slices(ledger, 1, name="b")
    one = claimed(ledger)
    [other] = some(ledger, 2)
    assert names([one, other]) == ["a", "b"]
    assert (other.fence, other.attempt, other.cause) == (one.fence, one.attempt, one.cause)
    assert other.run_id != one.run_id
    assert [run.state for run in ledger.history.newest(10)] == [RunState.RUNNING] * 2


def test_a_schedule_gives_one_slice_however_many_are_asked_for(ledger: Ledger) -> None:
    with_slices(ledger, 1, 2, 3)
    assert [claim.scheduled_at for claim in some(ledger, 10)] == [hour(1)]
    assert some(ledger, 10) == []


def test_workers_that_ask_at_once_share_nothing(ledger: Ledger) -> None:
    schedules = [f"sums_{number:02}" for number in range(30)]
    for name in schedules:
        with_slices(ledger, 1, 2, name=name)
    workers = 4
    together = Barrier(workers)

    def work(number: int) -> list[Claim]:
        together.wait(30)
        mine: list[Claim] = []
        while claims := some(ledger, 7, f"worker-{number}"):
            assert len(claims) <= 7
            mine += claims
        return mine

    with ThreadPoolExecutor(workers) as pool:
        claims = [claim for mine in pool.map(work, range(workers)) for claim in mine]
    assert sorted(names(claims)) == schedules
    assert {claim.scheduled_at for claim in claims} == {hour(1)}
    assert len({claim.run_id for claim in claims}) == len(schedules)
    for claim in claims:
        ledger.slices.succeed(claim, OUTCOME)
    assert ledger.history.totals()["succeeded"] == len(schedules)


def test_a_follower_is_not_claimed_with_what_it_waits_for(ledger: Ledger) -> None:
    with_slices(ledger, 1, name="hourly")
    ledger.schedules.create(replace(SUMS, name="daily", after=("hourly",), priority=2), NOW)
    ledger.schedules.ask_slices("daily", [hour(1)], Cause.MANUAL, force=False)
    [hourly] = some(ledger, 5)
    assert hourly.schedule.name == "hourly"
    ledger.slices.succeed(hourly, OUTCOME)
    assert names(some(ledger, 5)) == ["daily"]


def test_what_may_not_run_yet_leaves_its_place_to_others(ledger: Ledger) -> None:
    for name in ("a", "b", "c", "d"):
        with_slices(ledger, 1, name=name)
    [failed] = some(ledger, 1)
    ledger.slices.fail(failed, FAILURE, NOW + timedelta(seconds=10))
    assert names(some(ledger, 3)) == ["b", "c", "d"]


def test_a_queue_that_is_out_of_date_does_not_hold_up_others(ledger: Ledger, ask: Ask) -> None:
    for name in ("a", "b", "c"):
        with_slices(ledger, 1, name=name)
    ask("UPDATE logdrain.slices SET state = 'skipped' WHERE schedule IN ('a', 'b')")
    assert names(some(ledger, 2)) == ["c"]
    assert ask("SELECT count(*) FROM logdrain.schedules WHERE runnable_from IS NOT NULL") == 1
    assert some(ledger, 2) == []


def test_what_is_claimed_counts_also_where_more_cannot_be_asked_for(
    ledger: Ledger, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a", "b"):
        with_slices(ledger, 1, name=name)
    ask("UPDATE logdrain.slices SET state = 'skipped' WHERE schedule = 'b'")
    answers: list[None] = []
    pick = slices._pick  # noqa: SLF001  # what asks for the next ones

    def once(*arguments: Any) -> list[Schedule]:
        if answers:
            raise LedgerUnavailable("away")
        answers.append(None)
        return pick(*arguments)

    monkeypatch.setattr(slices, "_pick", once)
    assert names(some(ledger, 2)) == ["a"]
    with pytest.raises(LedgerUnavailable):
        some(ledger, 2)


@pytest.mark.parametrize("count", [1, 3])
def test_a_slice_whose_lease_ran_out_comes_among_others(ledger: Ledger, ask: Ask, count: int) -> None:
    with_slices(ledger, 1, name="a")
    lost = claimed(ledger)
    with_slices(ledger, 1, name="b")
    ask("UPDATE logdrain.slices SET lease_until = now() WHERE state = 'running'")
    ask("UPDATE logdrain.schedules SET running_until = now() WHERE running_until IS NOT NULL")
    claims = [claim for _ in range(2) for claim in some(ledger, count)]
    assert sorted(names(claims)) == ["a", "b"]
    again = next(claim for claim in claims if claim.schedule.name == "a")
    assert (again.fence, again.attempt) == (lost.fence + 1, 2)
    assert ledger.history.get(lost.run_id).state is RunState.LOST
    assert ledger.history.totals()["lost"] == 1
