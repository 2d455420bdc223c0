"""A worker that was overtaken, workers whose clocks differ, and what Postgres rolls back by itself."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from logdrain.jobs.due import CronCalendar
from logdrain.ledger.parts import Ledger, connect
from tests.integration.ledger.ledger_slices import claim_one
from tests.integration.worker.fixed_runs import (
    HOUR,
    NOW,
    Sums,
    opened_ledger,
    rows_of,
    select_sums,
)

ROOT = Path(__file__).parents[3]
SUMS = {"milk": 3, "soap": 4}
# The first time and the second, then no more: what a sequence has counted is not rolled back.
PASSING_ERROR = """
CREATE SEQUENCE public.tries;
CREATE FUNCTION refuse_twice() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF nextval('public.tries') <= 2 THEN RAISE EXCEPTION 'not this time' USING ERRCODE = '{code}'; END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER refuse_twice AFTER {event} ON {table} FOR EACH STATEMENT EXECUTE FUNCTION refuse_twice();
"""


@pytest.fixture
def ledger(ledger_url: str) -> Iterator[Ledger]:
    with opened_ledger(ledger_url) as ledger:
        yield ledger


@pytest.fixture(params=["in_ledgers_database", "in_another"])
def sums(request: pytest.FixtureRequest, ledger: Ledger, ledger_url: str, postgres_url: str) -> Sums:
    sums = Sums(ledger, ledger_url if request.param == "in_ledgers_database" else postgres_url)
    sums.create()
    sums.ask()
    return sums


def test_a_worker_that_was_paused_beyond_its_lease_commits_nothing(sums: Sums, ledger_url: str) -> None:
    zombie = subprocess.Popen(
        [sys.executable, "-m", "tests.integration.worker.zombie"],
        cwd=ROOT,
        env={**os.environ, "LEDGER_URL": ledger_url},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with zombie:
        assert zombie.stdout is not None
        assert zombie.stdout.readline() == "reading\n"
        zombie.send_signal(signal.SIGSTOP)
        sums.finish(select_sums(SUMS))
        zombie.send_signal(signal.SIGCONT)
        _, log = zombie.communicate("read on\n", timeout=30)
    assert zombie.returncode == 0
    assert "event=run_overtaken" in log
    assert sorted(sums.rows()) == rows_of(SUMS)
    states = [run.state.value for run in sums.ledger.history.of_schedule(sums.name, 10)]
    assert states == ["succeeded", "lost"]


@pytest.mark.parametrize("code", ["40001", "40P01"], ids=["serialization_failure", "deadlock"])
def test_what_postgres_rolls_back_in_passing_is_tried_again(sums: Sums, code: str) -> None:
    sums.finish(select_sums({"milk": 1}))
    with psycopg.connect(sums.result_url) as connection:
        connection.execute(PASSING_ERROR.format(code=code, event="INSERT", table=sums.name).encode())
    sums.ask()
    sums.finish(select_sums(SUMS))
    assert sorted(sums.rows()) == rows_of(SUMS)
    states = [run.state.value for run in sums.ledger.history.of_schedule(sums.name, 10)]
    assert states == ["succeeded", "failed", "failed", "succeeded"]


@pytest.mark.parametrize("code", ["40001", "40P01"], ids=["serialization_failure", "deadlock"])
def test_what_is_rolled_back_in_the_ledger_is_tried_again(sums: Sums, ledger_url: str, code: str) -> None:
    """Also where the rows are committed already, in another database."""
    with psycopg.connect(ledger_url) as connection:
        connection.execute(PASSING_ERROR.format(code=code, event="UPDATE", table="logdrain.runs").encode())
    sums.finish(select_sums(SUMS))
    assert sorted(sums.rows()) == rows_of(SUMS)


@pytest.mark.parametrize("hours_off", [-1, 1])
def test_a_lease_is_kept_whatever_the_clocks_say(ledger_url: str, hours_off: int) -> None:
    ledger = connect(ledger_url, CronCalendar())
    sums = Sums(ledger, ledger_url)
    sums.create()
    sums.ask()
    claim = claim_one(ledger, owner="on time")
    assert claim is not None
    assert claim_one(ledger, owner="off", now=NOW + hours_off * HOUR) is None
    ledger.close()


def test_workers_whose_clocks_differ_write_one_set_of_rows(sums: Sums) -> None:
    for hours_off in (1, -1, 0, 1):
        sums.ask()
        sums.finish(select_sums({"milk": hours_off}), now=NOW + hours_off * HOUR)
        assert sums.rows() == rows_of({"milk": hours_off})
