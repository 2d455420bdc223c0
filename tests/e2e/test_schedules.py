"""Schedules as a person meets them: late events, changes, runs that are ended."""

import json
from datetime import UTC, datetime, timedelta

import psycopg

from logdrain.jobs.due import CronCalendar
from logdrain.ledger.parts import connect
from logdrain.model.jobs import Cause
from tests.e2e.running_up import Up, await_condition

SUMS = """SELECT TD_SCHEDULED_TIME() AS time, category, SUM(price) AS sum FROM pay
   WHERE TD_TIME_RANGE(time, TD_TIME_ADD(TD_SCHEDULED_TIME(), '-1h'), TD_SCHEDULED_TIME())
   GROUP BY 1, 2"""


def payment(at: datetime, category: str, price: int) -> bytes:
    record = {"time": int(at.timestamp()), "category": category, "price": price}
    return f"@[late.pay] {json.dumps(record)}\n".encode()


def test_the_table_equals_a_recomputation(up: Up) -> None:
    this_hour = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    hours = [this_hour - timedelta(hours=number) for number in (3, 2, 1)]  # ends of the slices
    first = [payment(end - timedelta(minutes=5), "a", 10 * at) for at, end in enumerate(hours, start=1)]
    up.run("ship", stdin=b"".join(first))
    up.run("result:create", "late_db", up.urls["postgres"])
    up.run("sched:create", "late_sums", "@hourly", "-d", "late", "-r", "late_db:late_sums", SUMS)
    up.run("sched:run", "late_sums", str(int(hours[0].timestamp())), "-n", "3")

    # An hour gets more of a category, a new one, and one at its very beginning; the others get nothing.
    late = [(hours[1] - timedelta(minutes=1), "a", 5), (hours[1] - timedelta(hours=1), "b", 7)]
    up.run("ship", stdin=b"".join(payment(*event) for event in late))

    expected = [
        (hours[0], "a", 10),
        (hours[1], "a", 25),
        (hours[1], "b", 7),
        (hours[2], "a", 30),
    ]

    def table() -> list[tuple[object, ...]]:
        with psycopg.connect(up.urls["postgres"]) as connection:
            return connection.execute("SELECT time, category, sum FROM late_sums ORDER BY 1, 2").fetchall()

    await_condition(lambda: table() == expected, "the late events are in the table")

    said = f"late events in 1 hour: late.pay {hours[1] - timedelta(hours=1):%Y-%m-%dT%H:%MZ}"

    def has_run_for_late_events() -> bool:
        history = up.json("sched:history", "late_sums", "--json")
        return any(
            (run["cause"], run["state"], run["reason"]) == ("late", "succeeded", said) for run in history
        )

    await_condition(has_run_for_late_events, "the history says why the slice has run again")
    assert said in up.run("sched:history", "late_sums").stdout


def test_a_backfill_that_was_cut_goes_on(up: Up) -> None:
    up.run("sched:create", "cut", "@hourly", "-d", "late", "SELECT COUNT(*) AS n FROM pay")
    up.run("sched:run", "cut", "2012-03-01", "-n", "2")
    resumed = up.run("sched:run", "cut", "2012-03-01", "-n", "3", "--resume")
    assert "3 of 3 slices of 'cut' succeeded." in resumed.stdout
    assert len(up.json("sched:history", "cut", "--json")) == 3


def test_a_schedule_is_changed_paused_and_shown(up: Up) -> None:
    up.run(
        "sched:create", "small", "@hourly", "-d", "late", "-P", "high", "--timeout", "30m", "SELECT 1 AS n"
    )
    up.run("sched:update", "small", "-s", "@daily", "-q", "SELECT 2 AS n", "-n", "smaller", "--late", "0")
    shown = up.run("sched:show", "smaller").stdout
    for said in ("@daily", "SELECT 2 AS n", "timeout_s     1800", "late_s        0", "priority      1"):
        assert said in shown
    assert "is paused" in up.run("sched:pause", "smaller").stdout
    assert "was paused already" in up.run("sched:pause", "smaller").stdout
    assert "goes on" in up.run("sched:resume", "smaller").stdout
    up.run("sched:run", "smaller", "2012-03-01")
    runs = up.json("job:list", "1000", "--state", "succeeded", "--json")
    [run] = [run for run in runs if run["schedule"] == "smaller" and run["cause"] == "manual"]
    assert up.json("job:show", str(run["run"]), "--json")["sql"] == "SELECT 2 AS n"
    assert up.json("sched:result", "smaller", "--json")["run"] == run["run"]
    ended = up.run("job:kill", str(run["run"]), check=False)
    assert ended.returncode == 1
    assert "has ended: succeeded" in ended.stderr
    nothing = up.run("sched:update", "smaller", check=False)
    assert (nothing.returncode, "nothing to change" in nothing.stderr) == (2, True)


def test_a_long_run_is_ended(up: Up) -> None:
    query = (
        "SELECT SUM(a % 7 * b % 11) AS n"
        " FROM UNNEST(SEQUENCE(1, 200000)) AS t(a) CROSS JOIN UNNEST(SEQUENCE(1, 200000)) AS u(b)"
    )
    up.run("sched:create", "endless", "", "-d", "late", query)
    at = datetime(2012, 3, 1, tzinfo=UTC)
    ledger = connect(up.urls["postgres"], CronCalendar())
    ledger.schedules.ask_slices("endless", [at], Cause.MANUAL, force=False)
    await_condition(lambda: len(ledger.history.of_schedule("endless", 1)) == 1, "the worker has begun")
    [run] = ledger.history.of_schedule("endless", 1)
    assert "is asked to end" in up.run("job:kill", str(run.run_id)).stdout
    await_condition(lambda: ledger.history.get(run.run_id).state == "killed", "the worker has ended it")
    assert [status.state for status in ledger.history.slice_statuses("endless", [at])] == ["cancelled"]
    shown = up.run("job:show", str(run.run_id)).stdout
    assert "run_killed" in shown
    ledger.close()


def test_databases_and_tables(up: Up) -> None:
    assert {"database": "late", "tables": 1} in up.json("db:list", "--json")
    [table] = up.json("table:list", "late", "--json")
    assert (table["database"], table["table"], table["events"]) == ("late", "pay", 5)
    assert "category" in up.run("table:show", "late", "pay").stdout
    assert "did you mean 'late'" in up.run("table:list", "latte", check=False).stderr
