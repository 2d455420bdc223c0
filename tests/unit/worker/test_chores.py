"""What a worker does beside running slices."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from unittest.mock import Mock

import pytest

from logdrain.errors import LedgerUnavailable, StoreUnavailable
from logdrain.model.events import Table
from logdrain.model.jobs import Notice
from logdrain.model.late import LateNote
from logdrain.ports.events import LateNotes
from logdrain.ports.ledger import Ledger
from logdrain.worker.chores import NOTICE_ATTEMPTS_MAX, Chores
from logdrain.worker.late_runs import NOTES_KEEP, LateRuns

NOW = datetime(2012, 3, 1, tzinfo=UTC)
STORE_NOW = NOW + timedelta(seconds=5)
NOTE = LateNote(Table("production", "pay"), 1330556400, NOW)


class SettableClock:
    def __init__(self) -> None:
        self.time = NOW

    def now(self) -> datetime:
        return self.time


def notice(url: str = "https://example.com/own", attempts: int = 1) -> Notice:
    return Notice("key", url, {"event": "schedule_failed", "schedule": "sums"}, attempts)


def ledger(notices: Sequence[Notice] = ()) -> Mock:
    mocked = Mock(spec=Ledger)
    mocked.take_notice.side_effect = [*notices, None, None, None]
    mocked.forget_old.side_effect = [1, 0, 0, 0]
    mocked.ask_late.return_value = 0
    return mocked


def chores(
    mocked: Mock,
    send: Mock,
    *,
    late: LateRuns | None = None,
    url: str = "",
    clock: SettableClock | None = None,
) -> Chores:
    return Chores(mocked, late, send, clock or SettableClock(), notify_url=url, history_keep_days=90)


def test_notices_go_where_their_schedule_says_else_to_the_setting() -> None:
    send = Mock(return_value="")
    mocked = ledger([notice(), notice(url="")])
    chores(mocked, send, url="https://example.com/all").round()
    assert [call.args[0].url for call in send.call_args_list] == [
        "https://example.com/own",
        "https://example.com/all",
    ]
    assert mocked.drop_notice.call_count == 2


def test_a_notice_without_a_place_is_dropped() -> None:
    send = Mock()
    mocked = ledger([notice(url="")])
    chores(mocked, send).round()
    send.assert_not_called()
    mocked.drop_notice.assert_called_once_with("key")


@pytest.mark.parametrize(("attempts", "drops"), [(1, 0), (NOTICE_ATTEMPTS_MAX, 1)])
def test_what_cannot_be_sent_is_kept_until_it_is_given_up(
    attempts: int, drops: int, capsys: pytest.CaptureFixture[str]
) -> None:
    mocked = ledger([notice(attempts=attempts)])
    chores(mocked, Mock(return_value="HTTP 500")).round()
    assert mocked.drop_notice.call_count == drops
    said = capsys.readouterr().err
    assert "event=notice_not_sent" in said
    assert "HTTP 500" in said
    assert "example.com" not in said


def test_old_things_are_forgotten_now_and_then() -> None:
    mocked, clock = ledger(), SettableClock()
    tested = chores(mocked, Mock(), clock=clock)
    tested.round()
    tested.round()
    assert mocked.forget_old.call_count == 2  # until nothing was left
    assert mocked.forget_old.call_args.args == (NOW - timedelta(days=90), NOW - NOTES_KEEP, NOW)
    clock.time += timedelta(minutes=10)
    tested.round()
    assert mocked.forget_old.call_count == 3


def test_a_store_that_is_away_is_told_once_and_holds_up_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    notes = Mock(spec=LateNotes)
    notes.store_time.side_effect = StoreUnavailable("away")
    mocked = ledger([notice()])
    tested = chores(mocked, Mock(return_value=""), late=LateRuns(notes, mocked, SettableClock()))
    tested.round()
    tested.round()
    assert mocked.drop_notice.call_count == 1
    assert capsys.readouterr().err.count("event=worker_chore_waits") == 1


def test_notes_are_read_with_an_overlap_and_none_is_missed() -> None:
    notes = Mock(spec=LateNotes)
    notes.store_time.return_value = STORE_NOW
    notes.notes.return_value = [NOTE]
    mocked = ledger()
    mocked.ask_late.side_effect = [LedgerUnavailable("away"), 3, 0]
    late = LateRuns(notes, mocked, SettableClock())
    with pytest.raises(LedgerUnavailable):
        late.ask()
    assert late.ask() == 3
    assert late.ask() == 0
    since = [call.args[0] for call in notes.notes.call_args_list]
    assert since == [STORE_NOW - NOTES_KEEP, STORE_NOW - NOTES_KEEP, STORE_NOW - timedelta(minutes=1)]
    mocked.ask_late.assert_called_with([NOTE], STORE_NOW, NOW)
