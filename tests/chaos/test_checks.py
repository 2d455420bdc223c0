"""The checks of a round see what they are there to see."""

from dataclasses import replace
from datetime import timedelta
from random import Random

import pytest

from logdrain.drain.reading import parse, read
from logdrain.model.events import Delivery, Split
from logdrain.sandbox.http_logplex import DeliveryReport, Outcome
from tests.chaos.book import Answer, Book
from tests.chaos.checks import (
    StoredEntry,
    StoredEvent,
    bad_log_lines,
    slow_answers,
    tally,
    wrong_results,
)
from tests.chaos.jobs import FIRST, HERE, HOUR, JOBS, Job, Payment, Row, expected_rows, torn
from tests.chaos.payments import DAY, Fate, Line, Parcel, Payments

APPEND, REPLACE, UPDATE = (Job(HERE, mode) for mode in ("append", "replace", "update"))
LINE = Line(1, Fate.STORED, "shop.pay", 1000, {"serial": 1, "item": "tea"})
JUNK = Line(2, Fate.QUARANTINED)
STORED = StoredEvent("shop.pay", 1000, {"serial": 1, "item": "tea"})
ENTRY = StoredEntry("bad_json", b"@[shop.pay] {serial=2;")


def book_of(outcome: Outcome, *lines: Line) -> Book:
    book = Book()
    parcel = Parcel(b"", len(lines), lines)
    book.send(parcel)
    book.note(parcel, DeliveryReport("F", outcome, ()))
    return book


def test_what_is_as_it_was_sent_is_no_problem() -> None:
    found = tally(book_of(Outcome.ACCEPTED, LINE, JUNK), [STORED], [ENTRY])
    assert found.problems == []


@pytest.mark.parametrize(
    ("events", "entries", "problem"),
    [
        ([], [ENTRY], "lost although acknowledged: serials 1"),
        ([STORED], [], "lost although acknowledged: serials 2"),
        ([STORED, STORED], [ENTRY], "stored more than once: serials 1"),
        ([STORED], [ENTRY, ENTRY], "stored more than once: serials 2"),
        ([replace(STORED, time_ms=2000)], [ENTRY], "stored otherwise than sent"),
        ([replace(STORED, table="shop.refund")], [ENTRY], "stored otherwise than sent"),
        ([replace(STORED, fields={"serial": 1, "item": "milk"})], [ENTRY], "stored otherwise than sent"),
        ([STORED, replace(STORED, fields={"serial": 9})], [ENTRY], "never sent, but stored"),
        ([STORED, replace(STORED, fields={"serial": 2})], [ENTRY], "stored although it is no event"),
        ([STORED], [ENTRY, StoredEntry("split", b'{"serial": 1,')], "in quarantine as split"),
    ],
)
def test_what_is_lost_doubled_or_wrong_is_seen(
    events: list[StoredEvent], entries: list[StoredEntry], problem: str
) -> None:
    [found] = tally(book_of(Outcome.ACCEPTED, LINE, JUNK), events, entries).problems
    assert found.startswith(problem)


def test_what_was_not_acknowledged_may_be_there_once_or_not_at_all() -> None:
    book = book_of(Outcome.GIVEN_UP, LINE, JUNK)
    found = tally(book, [STORED], [])
    assert (found.problems, found.unacknowledged_stored, found.unacknowledged_absent) == ([], 1, 1)
    assert tally(book, [STORED, STORED], []).problems == ["stored more than once: serials 1"]


def test_a_cut_line_without_its_end_may_be_given_up() -> None:
    book = Book()
    book.send(Parcel(b"", 1, (), begun=(5,)))
    assert tally(book, [], [StoredEntry("split", b'@[shop.pay] {"serial": 5, "no')]).problems == []


def test_a_slow_answer_is_seen_and_a_stop_of_ours_is_not_its_fault() -> None:
    slow = Answer(10.0, 16.0, 204, is_direct=True)
    assert slow_answers([slow], []) == ["answer 204 took 6.00 s, besides 0.00 s stopped"]
    assert slow_answers([slow], [(5.0, 12.0)]) == []
    assert slow_answers([replace(slow, is_direct=False)], []) == []


def test_signs_of_a_defect_in_a_log_are_seen() -> None:
    assert bad_log_lines("drain", "level=info event=serving\nlevel=error code=internal message=x\n")
    assert bad_log_lines("drain", "level=error code=store_unavailable\n") == []


def rows_of(job: Job, payments: list[Payment]) -> list[Row]:
    return sorted(expected_rows(job, payments))


PAYMENTS = [
    Payment(DAY, "tea", 3, 1),
    Payment(DAY + timedelta(minutes=59, seconds=59), "tea", 2, 2),
    Payment(DAY + HOUR, "tea", 1, 3),
    Payment(DAY + 3 * HOUR, "milk", 5, 4),
]


def test_expected_rows() -> None:
    first, second, last = (
        (FIRST, "tea", 2, 5, 3, 2),
        (FIRST + HOUR, "tea", 1, 1, 3, 1),
        (
            FIRST + 3 * HOUR,
            "milk",
            1,
            5,
            4,
            1,
        ),
    )
    assert rows_of(APPEND, PAYMENTS) == [first, second, last]
    assert rows_of(REPLACE, PAYMENTS) == [last]
    assert rows_of(UPDATE, PAYMENTS) == [second, last]


@pytest.mark.parametrize("job", JOBS, ids=lambda job: job.name)
def test_a_wrong_table_is_seen(job: Job) -> None:
    rows = rows_of(job, PAYMENTS)
    assert wrong_results(job, PAYMENTS, rows) == []
    assert wrong_results(job, PAYMENTS, rows[1:])
    assert wrong_results(job, PAYMENTS, [*rows, rows[0]])
    assert wrong_results(job, PAYMENTS, [(*rows[0][:3], 99, *rows[0][4:]), *rows[1:]])


def test_a_torn_table_is_seen() -> None:
    rows = rows_of(APPEND, PAYMENTS)
    assert torn(APPEND, rows) == []
    assert torn(APPEND, [*rows, rows[0]])
    assert torn(APPEND, [(*rows[0][:2], 1, *rows[0][3:]), *rows[1:]]) == [
        "append_here: slice 01:00 is made of more than one run"
    ]
    assert torn(REPLACE, rows) == ["replace_here: rows of 3 slices, where one is held"]
    assert torn(UPDATE, [rows[0], rows[1]]) == ["update_here: rows are there twice"]


def test_the_drain_reads_payments_as_they_are_meant() -> None:
    """The sender's idea of fields, times and quarantine is the drain's."""
    payments = Payments(Random(11))
    book, events, entries = Book(), [], []
    for number in range(200):
        parcels = payments.next_parcels()
        waiting: list[Split] = []
        for parcel in parcels:
            book.send(parcel)
            book.note(parcel, DeliveryReport("F", Outcome.ACCEPTED, ()))
            delivery = Delivery("chaos", f"{number}-{len(waiting)}", "d.1", parcel.message_count)
            batch = read(parse(parcel.body, delivery), delivery, waiting).batch
            waiting = batch.splits
            events += [StoredEvent(event.table.name, event.time_ms, event.record) for event in batch.events]
            entries += [StoredEntry(entry.reason, entry.raw) for entry in batch.quarantined]
    assert tally(book, events, entries).problems == []
    assert book.begun
    assert {line.fate for line in book.lines.values()} == set(Fate)
