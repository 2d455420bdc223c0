"""A backfill outlives a restart of the ledger's Postgres, but not its end."""

from collections.abc import Iterator
from datetime import UTC, datetime
from unittest.mock import Mock

import pytest

from logdrain.cli import sched_run
from logdrain.errors import LedgerUnavailable
from logdrain.model.jobs import SliceState, SliceStatus
from logdrain.ports.ledger import History

AT = datetime(2012, 3, 1, tzinfo=UTC)


def status(state: SliceState) -> list[SliceStatus]:
    return [SliceStatus(AT, state, "", "")]


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sched_run, "_AWAY_S", 0)
    monkeypatch.setattr(sched_run, "_LOOK_S", 0)


def history(*answers: object) -> Mock:
    mocked = Mock(spec=History)
    mocked.slice_statuses.side_effect = answers
    mocked.waits.return_value = []
    return mocked


def states(answers: Iterator[list[SliceStatus]]) -> list[SliceState]:
    return [each[0].state for each in answers]


def test_a_ledger_that_is_away_for_a_moment_is_waited_for() -> None:
    mocked = history(status(SliceState.WAITING), LedgerUnavailable("away"), status(SliceState.SUCCEEDED))
    run_one = Mock(side_effect=[LedgerUnavailable("away")])
    seen = states(sched_run.run_all(mocked, run_one, "sums", [AT]))
    assert seen == [SliceState.WAITING, SliceState.SUCCEEDED]


def test_a_ledger_that_stays_away_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sched_run, "_AWAY_MAX_S", -1)
    with pytest.raises(LedgerUnavailable):
        states(sched_run.run_all(history(LedgerUnavailable("away")), Mock(), "sums", [AT]))


def test_slices_run_until_all_are_done() -> None:
    mocked = history(status(SliceState.WAITING), status(SliceState.RUNNING), status(SliceState.FAILED))
    run_one = Mock(side_effect=[True, True, False, False])
    seen = states(sched_run.run_all(mocked, run_one, "sums", [AT]))
    assert seen == [SliceState.WAITING, SliceState.RUNNING, SliceState.FAILED]
    assert run_one.call_count == 4


def test_a_slice_that_is_tried_again_is_told_once(capsys: pytest.CaptureFixture[str]) -> None:
    waiting = [SliceStatus(AT, SliceState.WAITING, "the result is away", "")]
    mocked = history(waiting, waiting, status(SliceState.SUCCEEDED))
    states(sched_run.run_all(mocked, Mock(return_value=False), "sums", [AT]))
    told = "2012-03-01 00:00:00 UTC failed, and is tried again: the result is away\n"
    assert capsys.readouterr().err == told


def test_who_stops_waiting_is_told_what_goes_on(capsys: pytest.CaptureFixture[str]) -> None:
    states = (SliceState.SUCCEEDED, SliceState.RUNNING, SliceState.WAITING, SliceState.WAITING)
    sched_run._tell_what_goes_on("sums", [SliceStatus(AT, state, "", "") for state in states])  # noqa: SLF001
    told = capsys.readouterr().err.split("\n")
    assert told[1] == "Stopped: 1 of 4 slices done, 1 running, 2 waiting."
    assert "`logdrain sched:cancel sums` ends them" in told[2]
