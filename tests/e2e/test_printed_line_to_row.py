import json
import os
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest

from logdrain.clients.framing import frame
from logdrain.jobs.due import CronCalendar
from logdrain.ledger.parts import connect
from logdrain.model.jobs import Cause
from logdrain.sandbox.http_logplex import Logplex, Outcome
from tests.e2e.running_up import LOGDRAIN, Up, await_condition

UNTIL_S = 1330560000 + 6 * 3600
SHOP = Path(__file__).parents[2] / "examples" / "shop.py"
CLASSIC = """SELECT TD_SCHEDULED_TIME() AS time, item_category AS category, SUM(CAST(price)) AS sum FROM pay
   WHERE TD_TIME_RANGE(time, TD_TIME_ADD(TD_SCHEDULED_TIME(), '-1h'), TD_SCHEDULED_TIME())
   GROUP BY TD_SCHEDULED_TIME(), item_category"""


def rows(up: Up, query: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(up.urls["postgres"]) as connection:
        return connection.execute(query).fetchall()


@pytest.fixture(scope="module")
def shop(up: Up, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Six hours of a shop, printed and shipped; what it says it sold."""
    summary = tmp_path_factory.mktemp("shop") / "summary.json"
    printed = subprocess.run(
        [sys.executable, str(SHOP), "--until", str(UNTIL_S), "--seed", "3", "--summary", str(summary)],
        check=True,
        capture_output=True,
    ).stdout
    shipped = subprocess.run(
        [LOGDRAIN, "ship", "--data", str(up.folder)],
        env=up.environment,
        input=printed,
        check=True,
        capture_output=True,
    )
    assert shipped.stdout == printed
    return dict(json.loads(summary.read_text()))


def test_the_classic_road(up: Up, shop: dict[str, Any]) -> None:
    expected = sorted((sale["time"], sale["category"], sale["sum"]) for sale in shop["payments"])
    tables = {found["table"]: found["events"] for found in up.json("tables", "--json")}
    assert tables == shop["tags"]

    up.run("result:create", "heroku_db", up.urls["postgres"].replace("postgresql://", "postgres://"))
    words = ["sched:create", "pay_hourly", "0 * * * *", "-d", "production", "-D", "600"]
    created = up.run(*words, "--result", "heroku_db:payment_history", CLASSIC)
    assert "CAST(" in created.stderr
    assert "warning" in created.stderr
    for _ in range(2):  # the second time the rows are replaced, not doubled
        done = up.run("sched:run", "pay_hourly", "2012-03-01 01:00:00", "-n", "6")
        assert "6 of 6 slices of 'pay_hourly' succeeded." in done.stdout
        query = "SELECT extract(epoch FROM time)::bigint, category, sum::bigint FROM payment_history"
        assert sorted(rows(up, query)) == expected
    kinds = rows(up, "SELECT pg_typeof(time)::text, pg_typeof(sum)::text FROM payment_history LIMIT 1")
    assert kinds == [("timestamp with time zone", "bigint")]
    history = up.json("sched:history", "pay_hourly", "--json")
    assert [run["state"] for run in history] == ["succeeded"] * 12
    assert sum(run["rows_written"] for run in history) == 2 * len(expected)
    assert up.metric('logdrain_runs_total{state="succeeded"}') >= 12


def test_ad_hoc_sql(up: Up, shop: dict[str, Any]) -> None:
    found = up.json(
        "query", "-d", "production", "--format", "json", "SELECT SUM(price) AS s, COUNT(*) AS n FROM pay"
    )
    total = sum(sale["sum"] for sale in shop["payments"])
    assert found == [{"s": total, "n": shop["tags"]["production.pay"]}]
    assert up.json("query", "--format", "json", "SELECT TD_TIME_ADD(0,'1d') AS x") == [{"x": 86400}]
    at = up.json(
        "query",
        "--format",
        "json",
        "--scheduled-time",
        "1330560000",
        "SELECT TD_SCHEDULED_TIME() AS t, 1.5 AS d",
    )
    assert at == [{"t": 1330560000, "d": 1.5}]
    assert "production.pay" in up.run("explain", "-d", "production", CLASSIC).stdout
    assert "price" in up.run("schema", "production.pay").stdout
    assert "@[production." in up.run("tail", "--once", "-n", "3").stdout


def test_tail_shows_every_number_that_can_be_stored(up: Up) -> None:
    up.run(
        "ship",
        stdin=b'@[big.numbers] {"ms":5000000000123,"id":18446744073709551616,"in":[{"n":4294967296}]}\n',
    )
    shown = up.run("tail", "big.numbers", "--once").stdout
    assert '{"ms":5000000000123,"id":18446744073709551616,"in":[{"n":4294967296}]}' in shown


async def test_a_logplex_that_repeats_itself(up: Up) -> None:
    body = b"".join(
        frame(datetime(2012, 3, 1, tzinfo=UTC), "app", "web.1", line)
        for line in (b'@[again.pay] {"price":1}', b'@[again.pay] {"price":1}', b"@[again.pay] {oops")
    )
    before = up.metric('logdrain_quarantined_total{reason="bad_json"}')
    async with Logplex(up.urls["drain"]) as node:
        for _ in range(3):
            assert (await node.deliver_body(body, 3)).outcome is Outcome.ACCEPTED
    assert up.json("query", "--format", "json", "SELECT COUNT(*) AS n FROM again.pay") == [{"n": 2}]
    assert up.metric('logdrain_quarantined_total{reason="bad_json"}') == before + 1
    assert "bad_json" in up.run("quarantine").stdout


def test_a_worker_killed_in_the_middle_of_a_run(up: Up, shop: dict[str, Any]) -> None:
    """Its slice is run again by the worker that comes after it, and is there once."""
    up.run("result:create", "killed_db", up.urls["postgres"])
    query = "SELECT TD_SCHEDULED_TIME() AS time, COUNT(*) AS n FROM pay"
    up.run("sched:create", "killed", "0 * * * *", "-d", "production", "--result", "killed_db:killed", query)
    up.run("sched:run", "killed", "2012-03-01 01:00:00")
    with psycopg.connect(up.urls["postgres"]) as blocker:
        blocker.execute("LOCK TABLE killed IN ACCESS EXCLUSIVE MODE")
        with psycopg.connect(up.urls["postgres"], autocommit=True) as asking:
            ledger = connect(up.urls["postgres"], CronCalendar())
            ledger.schedules.ask_slices(
                "killed", [datetime(2012, 3, 1, 1, tzinfo=UTC)], Cause.MANUAL, force=False
            )
            ledger.close()
            await_condition(
                lambda: (
                    asking.execute(
                        "SELECT 1 FROM pg_locks JOIN pg_class ON relation = pg_class.oid"
                        " WHERE relname = 'killed' AND NOT granted"
                    ).fetchone()
                    is not None
                ),
                "a run waits for the table",
            )
        [worker] = up.children("work")
        os.kill(worker, signal.SIGKILL)
    await_condition(lambda: up.children("work") not in ([], [worker]), "another worker runs")
    await_condition(
        lambda: (
            [run["state"] for run in up.json("sched:history", "killed", "--json")][:2]
            == ["succeeded", "lost"]
        ),
        "the slice has run again",
    )
    assert rows(up, "SELECT n FROM killed") == [(shop["tags"]["production.pay"],)]


@pytest.mark.parametrize(
    ("words", "status", "says"),
    [
        (["query", "SELECT 1 FROM production.pey"], 1, ["production.pey", "production.pay"]),
        (["query", "-d", "production", "SELECT nope(price) FROM pay"], 1, ["line 1, column 8"]),
        (["query", "SELECT 1 +"], 1, ["line 1"]),
        (["query", "-d", "production", "SELECT * FROM read_csv('/etc/passwd')"], 1, ["READ_CSV"]),
        (["query"], 2, ["give the query once"]),
        (["qery", "SELECT 1"], 2, ["no command 'qery'", "did you mean 'query'?"]),
        (["sched:create", "x", "61 * * * *", "-d", "a", "SELECT 1 AS x"], 1, ["61"]),
        (["sched:create", "x", "@hourly", "-d", "a", "-t", "JST", "SELECT 1 AS x"], 1, ["JST", "Asia/Tokyo"]),
        (["sched:history", "pay_hurly"], 1, ["pay_hurly"]),
        (["result:create", "x", "mysql://u:secret@h/d"], 1, []),
        (["schema", "pay"], 2, ["names no table", "database.table"]),
        (["sched:run", "nobody", "2012-03-01"], 1, ["nobody"]),
    ],
)
def test_mistakes_are_told_in_a_line_and_a_hint(
    up: Up, shop: dict[str, Any], words: list[str], status: int, says: list[str]
) -> None:
    assert shop
    done = up.run(*words, check=False)
    assert done.returncode == status, done.stderr
    lines = done.stderr.splitlines()
    assert lines[0].startswith("logdrain: ")
    assert all(text in done.stderr for text in says), done.stderr
    assert len(lines) <= 2
    assert "secret" not in done.stderr
    assert done.stdout == ""
