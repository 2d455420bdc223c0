"""What a worker does beside running slices."""

import re
from datetime import UTC, datetime, timedelta
from unittest.mock import Mock

import pytest

from logdrain.errors import LedgerUnavailable, StoreUnavailable
from logdrain.model.events import Table
from logdrain.model.late import LateNote
from logdrain.model.notices import Notice
from logdrain.ports.events import LateNotes
from logdrain.ports.ledger import History, LateWork, Notices
from logdrain.worker.chores import NOTES_KEEP, NOTICE_ATTEMPTS_MAX, Chores
from tests.changed_settings import settings_with

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


class Doubles:
    """All that chores need, and the chores."""

    def __init__(self, *waiting: Notice, sent: str = "", url: str = "") -> None:
        self.history, self.late_work = Mock(spec=History), Mock(spec=LateWork)
        self.history.forget.side_effect = [1, 0, 0, 0]
        self.late_work.ask_late.return_value = self.late_work.ask_followers.return_value = 0
        self.notices = Mock(spec=Notices)
        self.notices.take.side_effect = [*waiting, None, None, None]
        self.send = Mock(return_value=sent)
        self.late_notes = Mock(spec=LateNotes)
        self.late_notes.store_time.return_value = STORE_NOW
        self.late_notes.notes.return_value = [NOTE]
        self.clock = SettableClock()
        self.chores = Chores(
            self.history,
            self.late_work,
            self.notices,
            self.send,
            self.clock,
            late_notes=self.late_notes,
            settings=settings_with(notify_url=url),
        )


def test_notices_go_where_their_schedule_says_else_to_the_setting() -> None:
    tested = Doubles(notice(), notice(url=""), url="https://example.com/all")
    tested.chores.round()
    assert [call.args[0].url for call in tested.send.call_args_list] == [
        "https://example.com/own",
        "https://example.com/all",
    ]
    assert tested.notices.drop.call_count == 2


def test_a_notice_without_a_place_is_dropped() -> None:
    tested = Doubles(notice(url=""))
    tested.chores.round()
    tested.send.assert_not_called()
    tested.notices.drop.assert_called_once_with("key")


@pytest.mark.parametrize(("attempts", "drops"), [(1, 0), (NOTICE_ATTEMPTS_MAX, 1)])
def test_what_cannot_be_sent_is_kept_until_it_is_given_up(
    attempts: int, drops: int, capsys: pytest.CaptureFixture[str]
) -> None:
    tested = Doubles(notice(attempts=attempts), sent="HTTP 500")
    tested.chores.round()
    assert tested.notices.drop.call_count == drops
    said = capsys.readouterr().err
    assert "event=notice_not_sent" in said
    assert "HTTP 500" in said
    assert "example.com" not in said


def test_old_things_are_forgotten_now_and_then() -> None:
    tested = Doubles()
    tested.chores.round()
    tested.chores.round()
    assert tested.history.forget.call_count == 2  # until nothing was left
    tested.history.forget.assert_called_with(NOW - timedelta(days=90))
    tested.late_work.forget.assert_called_once_with(NOW - NOTES_KEEP, NOW)
    tested.clock.time += timedelta(minutes=10)
    tested.chores.round()
    assert tested.history.forget.call_count == 3


def test_a_store_that_is_away_is_told_once_and_holds_up_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    tested = Doubles(notice())
    tested.late_notes.store_time.side_effect = StoreUnavailable("away")
    tested.chores.round()
    tested.chores.round()
    assert tested.notices.drop.call_count == 1
    assert capsys.readouterr().err.count("event=worker_chore_waits") == 1


def test_notes_are_read_with_an_overlap_and_none_is_missed(capsys: pytest.CaptureFixture[str]) -> None:
    tested = Doubles()
    tested.late_work.ask_late.side_effect = [LedgerUnavailable("away"), 3, 0]
    for _ in range(3):
        tested.chores.round()
    assert re.findall(r"event=slices_asked_again cause=late slices=(\d+)", capsys.readouterr().err) == ["3"]
    since = [call.args[0] for call in tested.late_notes.notes.call_args_list]
    assert since == [STORE_NOW - NOTES_KEEP, STORE_NOW - NOTES_KEEP, STORE_NOW - timedelta(minutes=1)]
    tested.late_work.ask_late.assert_called_with([NOTE], STORE_NOW, NOW)
