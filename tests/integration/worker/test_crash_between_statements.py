"""A worker dies, or a connection breaks, after each statement of a run: the table is right every time.

A test takes every third statement, each mode others; `CHAOS_EVERY=1` takes all of them.
"""

import os
from collections.abc import Mapping
from datetime import datetime

import pytest

from logdrain.ledger.parts import Ledger
from logdrain.ports.streams import ArrowStream
from tests.integration.worker.dying import dying_after
from tests.integration.worker.fixed_runs import (
    Sums,
    opened_ledger,
    opened_worker,
    rows_of,
    select_sums,
)

OLD = {"milk": 1, "tea": 2}
NEW = {"milk": 3, "soap": 4, "tea": 5}
STATEMENTS_MAX = 100
STATEMENTS_MIN = 15  # of the shortest run, and both runs of a sweep die
EVERY = int(os.environ.get("CHAOS_EVERY") or 3)
MODES = ("append", "replace", "update")


def dies_in_a_run(sums: Sums, ledger_url: str, yields: Mapping[str, int], last: int, *, whole: bool) -> bool:
    """A worker dies in the middle, and another finishes; returns whether it died."""
    sums.ask()
    with dying_after(last, whole=whole) as mortal, opened_ledger(ledger_url) as ledger:

        def select(instant: datetime) -> ArrowStream:
            mortal.begin()
            return select_sums(yields)(instant)

        with opened_worker(ledger, select) as worker:
            worker.run_one(schedule=sums.name)
    sums.finish(select_sums(yields))
    return mortal.has_died


def sweep(ledger: Ledger, ledger_url: str, result_url: str, mode: str, *, whole: bool) -> int:
    """Die after each statement, into a new table and into one that has the slice; returns how many deaths."""
    deaths = 0
    for last in range(1 + MODES.index(mode) % EVERY, STATEMENTS_MAX, EVERY):
        sums = Sums(ledger, result_url, mode, f"sums_{last}")
        sums.create()
        died_first = dies_in_a_run(sums, ledger_url, OLD, last, whole=whole)
        assert sorted(sums.rows()) == rows_of(OLD), f"first run, after statement {last}"
        died_again = dies_in_a_run(sums, ledger_url, NEW, last, whole=whole)
        assert sorted(sums.rows()) == rows_of(NEW), f"second run, after statement {last}"
        deaths += died_first + died_again
        if not (died_first or died_again):
            return deaths
    pytest.fail(f"a run has {STATEMENTS_MAX} statements or more")


@pytest.mark.parametrize("mode", MODES)
def test_a_process_that_dies_where_rows_and_ledger_are_one_database(ledger_url: str, mode: str) -> None:
    with opened_ledger(ledger_url) as ledger:
        assert sweep(ledger, ledger_url, ledger_url, mode, whole=True) > 2 * STATEMENTS_MIN // EVERY


@pytest.mark.parametrize("mode", MODES)
def test_a_process_that_dies_where_they_are_two(ledger_url: str, postgres_url: str, mode: str) -> None:
    with opened_ledger(ledger_url) as ledger:
        assert sweep(ledger, ledger_url, postgres_url, mode, whole=True) > 2 * STATEMENTS_MIN // EVERY


def test_a_connection_that_breaks_where_rows_and_ledger_are_one_database(ledger_url: str) -> None:
    with opened_ledger(ledger_url) as ledger:
        assert sweep(ledger, ledger_url, ledger_url, "append", whole=False) > 2 * STATEMENTS_MIN // EVERY


def test_a_connection_that_breaks_where_they_are_two(ledger_url: str, postgres_url: str) -> None:
    with opened_ledger(ledger_url) as ledger:
        assert sweep(ledger, ledger_url, postgres_url, "append", whole=False) > 2 * STATEMENTS_MIN // EVERY
