"""One notice when a schedule begins to fail, one when it runs again, however many workers there are."""

from dataclasses import replace

from logdrain.ledger.parts import Ledger
from logdrain.model.jobs import Cause
from logdrain.model.notices import Notice
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

HOOK = "https://example.com/hook?secret"


def notices(ledger: Ledger) -> list[Notice]:
    """All that are to be sent; they count as sent."""
    taken = []
    while (notice := ledger.notices.take()) is not None:
        taken.append(notice)
        ledger.notices.drop(notice.key)
    return taken


def test_the_first_failure_and_the_recovery_are_told(ledger: Ledger) -> None:
    ledger.schedules.create(replace(SUMS, notify=HOOK), NOW)
    ledger.schedules.ask_slices("sums", [hour(number) for number in range(1, 6)], Cause.MANUAL, force=False)
    ledger.slices.succeed(claimed(ledger), OUTCOME)
    assert notices(ledger) == []
    failed = claimed(ledger)
    ledger.slices.fail(failed, FAILURE, None)
    ledger.slices.fail(claimed(ledger), FAILURE, None)
    [told] = notices(ledger)
    assert (told.url, told.attempts) == (HOOK, 1)
    since = told.body.pop("failing_since")
    assert told.body == {
        "event": "schedule_failed",
        "schedule": "sums",
        "scheduled_at": hour(2).isoformat(),
        "run_id": failed.run_id,
        "code": "sql_error",
        "message": "no\ufffdgood ?",
        "hint": "try another",
    }
    ledger.slices.succeed(claimed(ledger), OUTCOME)
    ledger.slices.succeed(claimed(ledger), OUTCOME)
    [recovered] = notices(ledger)
    assert recovered.body["event"] == "schedule_recovered"
    assert recovered.body["failing_since"] == since
    assert recovered.key != told.key


def test_a_failure_that_is_tried_again_is_not_told(ledger: Ledger) -> None:
    with_slices(ledger, 1)
    ledger.slices.fail(claimed(ledger), FAILURE, NOW)
    ledger.slices.succeed(claimed(ledger), OUTCOME)
    assert notices(ledger) == []


def test_a_notice_is_one_workers_and_comes_again(ledger: Ledger, ask: Ask) -> None:
    with_slices(ledger, 1)
    ledger.slices.fail(claimed(ledger), FAILURE, None)
    first = ledger.notices.take()
    assert first is not None
    assert first.url == ""
    assert ledger.notices.take() is None
    ask("UPDATE logdrain.notices SET next_try_at = clock_timestamp()")
    again = ledger.notices.take()
    assert again is not None
    assert (again.key, again.attempts) == (first.key, 2)
    ledger.notices.drop(again.key)
    ask("UPDATE logdrain.notices SET next_try_at = clock_timestamp()")
    assert ledger.notices.take() is None
