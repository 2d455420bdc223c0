"""The note that a slice ran: in the ledger's own database, and as a mark in another."""

from dataclasses import replace

import psycopg
import pytest

from logdrain.errors import LeaseLost, SliceNotRepeatable
from logdrain.ports.transactions import Transaction
from logdrain.results.postgres.notes import MarkNote
from logdrain.results.tables import TableName
from tests.integration.results.result_table import (
    CLAIM,
    SLICE_S,
    ResultTable,
    WatchedStream,
    as_poor_role,
    as_stream,
    next_claim,
)

ROWS = {"time": [SLICE_S], "sum": [1]}


def unread(**columns: object) -> WatchedStream:
    """A result that nobody may read: its rows are there, the query need not run."""
    return WatchedStream(as_stream(columns), on_read=pytest.fail)


def note_in_ledger(transaction: Transaction) -> None:
    transaction.execute("CREATE TABLE IF NOT EXISTS note (of text)")
    transaction.execute("INSERT INTO note VALUES ('a success')")


def lose_lease(transaction: Transaction) -> None:
    note_in_ledger(transaction)
    raise LeaseLost("another worker has the slice")


def test_in_the_ledgers_database_rows_and_note_commit_together(ledger_table: ResultTable) -> None:
    def note(transaction: Transaction) -> None:
        assert transaction.execute("SELECT sum FROM payment_history").fetchall() == [(1,)]
        assert ledger_table.types() == {}, "others see nothing before the commit"
        note_in_ledger(transaction)

    ledger_table.write(ROWS, commit_note=note)
    assert ledger_table.execute("SELECT count(*) FROM payment_history, note") == [(1,)]
    assert ledger_table.execute("SELECT to_regclass('logdrain_marks')") == [(None,)]


def test_a_lost_lease_rolls_everything_back(ledger_table: ResultTable) -> None:
    ledger_table.write(ROWS, commit_note=note_in_ledger)
    with pytest.raises(LeaseLost):
        ledger_table.write({**ROWS, "sum": [0.5], "new": [1]}, next_claim(CLAIM), commit_note=lose_lease)
    assert ledger_table.types() == {"time": "timestamp with time zone", "sum": "bigint"}
    assert [row[1] for row in ledger_table.rows()] == [1]
    assert ledger_table.execute("SELECT count(*) FROM note") == [(1,)]


def test_in_the_ledgers_database_its_own_word_on_earlier_runs_counts(ledger_table: ResultTable) -> None:
    again = next_claim(CLAIM, ran_before=True)
    ledger_table.write({"sum": [1]}, slice_column=None, commit_note=note_in_ledger)
    with pytest.raises(SliceNotRepeatable):
        ledger_table.write(unread(sum=[1]), again, slice_column=None, commit_note=note_in_ledger)
    forced = replace(again, forced=True)
    ledger_table.write({"sum": [1]}, forced, slice_column=None, commit_note=note_in_ledger)
    assert ledger_table.rows() == [(1,), (1,)]


def test_another_ledgers_database_is_not_ones_own(ledger_table: ResultTable, postgres_url: str) -> None:
    stranger = ResultTable(ledger_table.url)
    stranger.write(ROWS)
    assert stranger.execute("SELECT rows, schedule FROM logdrain_marks") == [(1, "pay_hourly")]
    assert ResultTable(postgres_url).write(ROWS) == 1


def test_an_identity_that_may_not_be_read_is_another_database(ledger_table: ResultTable) -> None:
    with as_poor_role(ledger_table) as (role, poor):
        ledger_table.execute(f"GRANT CREATE ON SCHEMA public TO {role}")
        assert poor.write(ROWS) == 1
        assert poor.execute("SELECT rows FROM logdrain_marks") == [(1,)]


def test_a_worker_that_was_overtaken_writes_nothing(table: ResultTable) -> None:
    table.write(ROWS, next_claim(CLAIM))
    with pytest.raises(LeaseLost, match="another worker has slice"):
        table.write(unread(**ROWS), CLAIM)
    assert len(table.rows()) == 1


def test_a_worker_that_is_overtaken_during_the_query_writes_nothing(table: ResultTable) -> None:
    def overtake() -> None:
        table.write({"time": [SLICE_S], "sum": [2]}, next_claim(CLAIM))

    with pytest.raises(LeaseLost):
        table.write(WatchedStream(as_stream(ROWS), on_read=overtake))
    assert [row[1] for row in table.rows()] == [2]


def test_a_worker_that_overtakes_finds_what_was_committed_meanwhile(table: ResultTable) -> None:
    def commit_late() -> None:
        table.write({"sum": [1]}, slice_column=None)

    late = WatchedStream(as_stream({"sum": [1]}), on_read=commit_late)
    assert table.write(late, next_claim(CLAIM), slice_column=None) == 1
    assert table.rows() == [(1,)]


def test_a_mark_is_fenced_by_itself(table: ResultTable) -> None:
    """The lock is a table's; a slice has two tables when its schedule is changed between two runs."""
    table.write(ROWS, next_claim(CLAIM))
    with psycopg.connect(table.url) as connection:
        note = MarkNote(connection, CLAIM, TableName("public", "other"), table.ledger_identity)
        with pytest.raises(LeaseLost):
            note.write(1)
    assert table.execute("SELECT run_id, table_name FROM logdrain_marks") == [(2, table.name)]


def test_a_commit_whose_answer_was_lost_is_not_repeated(table: ResultTable) -> None:
    assert table.write({"sum": [1, 2]}, slice_column=None) == 2
    assert table.write(unread(sum=[1]), slice_column=None) == 2
    assert len(table.rows()) == 2


def test_a_crash_between_commit_and_note_does_not_double_the_rows(table: ResultTable) -> None:
    table.write({"sum": [1, 2]}, slice_column=None)
    assert table.write(unread(sum=[1]), next_claim(CLAIM), slice_column=None) == 2
    asked_anew = next_claim(CLAIM, attempt=1)
    assert table.write(unread(sum=[1]), asked_anew, slice_column=None) == 2
    assert len(table.rows()) == 2


def test_a_crash_after_a_forced_commit_does_not_add_a_third_time(table: ResultTable) -> None:
    table.write({"sum": [1]}, slice_column=None)
    forced = next_claim(CLAIM, attempt=1, forced=True, ran_before=True)
    table.write({"sum": [1]}, forced, slice_column=None)
    assert table.write(unread(sum=[1]), next_claim(forced), slice_column=None) == 1
    assert len(table.rows()) == 2


def test_a_schedule_created_anew_is_not_fenced_by_the_old_one(table: ResultTable) -> None:
    """Its fences begin at 1 again; run ids go on."""
    table.write(ROWS, replace(CLAIM, run_id=5, fence=3))
    table.write({"time": [SLICE_S], "sum": [2]}, replace(CLAIM, run_id=6, fence=1))
    assert [row[1] for row in table.rows()] == [2]


def test_a_mark_of_another_table_or_of_one_that_is_gone_says_nothing(table: ResultTable) -> None:
    table.write({"sum": [1]}, slice_column=None)
    other = ResultTable(table.url, name="other")
    assert other.write({"sum": [1]}, next_claim(CLAIM), slice_column=None) == 1
    other.execute("DROP TABLE other")
    assert other.write({"sum": [1, 2]}, next_claim(next_claim(CLAIM)), slice_column=None) == 2
    assert other.rows() == [(1,), (2,)]
