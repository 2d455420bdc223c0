"""Jobs that build on others as a person makes them: files, commands, late events, and a worker that dies."""

import json
import os
import signal
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from tests.e2e.running_up import Up, await_condition, running_up

HOUR = timedelta(hours=1)
NOON = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - HOUR
HOURLY = """cron = "@hourly"
database = "chain"
result = "chain_db:hourly"
sql = '''SELECT TD_SCHEDULED_TIME() AS time, category, SUM(price) AS sum FROM pay
WHERE TD_TIME_RANGE(time, TD_TIME_ADD(TD_SCHEDULED_TIME(), '-1h'), TD_SCHEDULED_TIME()) GROUP BY 1, 2'''
"""
TOTALS = """
import logdrain

@logdrain.job(cron="@hourly", database="chain", result="chain_db:totals", after=["hourly"])
def totals(context):
    end = int(context.scheduled_time.timestamp())
    found = context.query(
        f"SELECT category, SUM(sum) AS sum FROM result.chain_db.hourly"
        f" WHERE time > {end - 6 * 3600} AND time <= {end} GROUP BY 1"
    )
    yield from found.to_pylist()
"""


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    folder = tmp_path_factory.mktemp("up") / "data"
    jobs = folder.with_suffix(".jobs")
    jobs.mkdir()
    (jobs / "hourly.toml").write_text(HOURLY)
    (jobs / "totals.py").write_text(TOTALS)  # in order of name it would come second: it does need the first
    with running_up(folder, LOGDRAIN_LEASE_S="2") as found:
        yield found


def payment(at: datetime, category: str, price: int) -> bytes:
    record = {"time": int(at.timestamp()), "category": category, "price": price}
    return f"@[chain.pay] {json.dumps(record)}\n".encode()


def test_a_python_job_follows_an_hourly_one_through_late_events_and_a_death(up: Up) -> None:
    up.run("result:create", "chain_db", up.urls["postgres"])
    assert "totals.py totals: ok" in up.run("jobs", "check").stdout
    assert "totals: unchanged" in up.run("jobs", "apply").stdout
    times = [NOON - HOUR * number - timedelta(minutes=5) for number in range(6)]
    up.run("ship", stdin=b"".join(payment(at, "a", 10) for at in times))
    up.run("sched:run", "hourly", str(int((NOON - 5 * HOUR).timestamp())), "-n", "6")
    up.run("sched:run", "totals", str(int(NOON.timestamp())))

    def rows() -> list[tuple[object, ...]]:
        with psycopg.connect(up.urls["postgres"]) as connection:
            return connection.execute(
                "SELECT category, sum FROM totals WHERE time = %s ORDER BY 1", (NOON,)
            ).fetchall()

    assert rows() == [("a", 60)]
    up.run("ship", stdin=payment(times[3], "late", 7))
    for pid in up.children("work"):
        os.kill(pid, signal.SIGKILL)
    await_condition(lambda: rows() == [("a", 60), ("late", 7)], "the late payment is in the totals")
    newest = up.json("sched:history", "totals", "--json")[0]
    assert newest["cause"] == "late"
    assert newest["reason"].startswith("new rows of hourly")
    shown = up.run("sched:show", "totals").stdout
    assert "after         hourly" in shown
    assert "@logdrain.job" in shown


def test_what_waits_says_so(up: Up) -> None:
    up.run("sched:create", "first", "@hourly", "-d", "chain", "SELECT 1 AS n")
    up.run("sched:pause", "first")
    up.run("sched:create", "second", "@hourly", "-d", "chain", "--after", "first", "SELECT 1 AS n")
    far = str(int((datetime.now(UTC) + timedelta(days=2)).timestamp()))
    ran = up.run("sched:run", "second", far, "--force")
    assert "1 of 1 slice of 'second' succeeded" in ran.stdout
    refused = up.run("sched:delete", "first", check=False)
    assert (refused.returncode, "second runs after 'first'" in refused.stderr) == (1, True)
    circle = up.run("sched:update", "first", "--after", "second", check=False)
    assert "'first' would wait for itself: first after second after first" in circle.stderr
    unknown = up.run(
        "sched:create", "third", "@hourly", "-d", "chain", "--after", "secon", "SELECT 1 AS n", check=False
    )
    assert "did you mean 'second'?" in unknown.stderr
    result = up.run("query", "SELECT * FROM result.chain_db.totls", check=False)
    assert "did you mean 'totals'?" in result.stderr
    assert "result.chain_db.totals" in up.run("explain", "SELECT sum FROM result.chain_db.totals").stdout
