"""One notice when a schedule begins to fail, one when it runs again, however many workers there are."""

from dataclasses import replace

from logdrain.ledger.postgres_ledger import PostgresLedger
from logdrain.model.jobs import Cause, Notice
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


def notices(ledger: PostgresLedger) -> list[Notice]:
    """All that are to be sent; they count as sent."""
    taken = []
    while (notice := ledger.take_notice()) is not None:
        taken.append(notice)
        ledger.drop_notice(notice.key)
    return taken


def test_the_first_failure_and_the_recovery_are_told(ledger: PostgresLedger) -> None:
    ledger.create_schedule(replace(SUMS, notify=HOOK), NOW)
    ledger.ask_slices("sums", [hour(number) for number in range(1, 6)], Cause.MANUAL, force=False)
    ledger.succeed(claimed(ledger), OUTCOME)
    assert notices(ledger) == []
    failed = claimed(ledger)
    ledger.fail(failed, FAILURE, None)
    ledger.fail(claimed(ledger), FAILURE, None)
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
    ledger.succeed(claimed(ledger), OUTCOME)
    ledger.succeed(claimed(ledger), OUTCOME)
    [recovered] = notices(ledger)
    assert recovered.body["event"] == "schedule_recovered"
    assert recovered.body["failing_since"] == since
    assert recovered.key != told.key


def test_a_failure_that_is_tried_again_is_not_told(ledger: PostgresLedger) -> None:
    with_slices(ledger, 1)
    ledger.fail(claimed(ledger), FAILURE, NOW)
    ledger.succeed(claimed(ledger), OUTCOME)
    assert notices(ledger) == []


def test_a_notice_is_one_workers_and_comes_again(ledger: PostgresLedger, ask: Ask) -> None:
    with_slices(ledger, 1)
    ledger.fail(claimed(ledger), FAILURE, None)
    first = ledger.take_notice()
    assert first is not None
    assert first.url == ""
    assert ledger.take_notice() is None
    ask("UPDATE logdrain.notices SET next_try_at = clock_timestamp()")
    again = ledger.take_notice()
    assert again is not None
    assert (again.key, again.attempts) == (first.key, 2)
    ledger.drop_notice(again.key)
    ask("UPDATE logdrain.notices SET next_try_at = clock_timestamp()")
    assert ledger.take_notice() is None
