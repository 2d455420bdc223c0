"""Jobs that build on others and jobs in Python, on real servers: the tables equal a recomputation."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from logdrain.model.jobs import Cause, RunState
from tests.integration.worker.dying import dying_after
from tests.integration.worker.world import MIDNIGHT, Rows, World, hours_of, opened_world

DAY = timedelta(days=1)
HOURLY = """
cron = ""
database = "production"
result = "heroku_db:payment_history"
late = "30d"
sql = '''
SELECT TD_SCHEDULED_TIME() AS time, category, SUM(price) AS sum FROM pay
WHERE TD_TIME_RANGE(time, TD_TIME_ADD(TD_SCHEDULED_TIME(), '-1h'), TD_SCHEDULED_TIME()) GROUP BY 1, 2
'''
"""
DAILY = """
cron = ""
database = "production"
after = ["pay_hourly"]
result = "heroku_db:payment_history_daily"
late = "30d"
sql = '''
SELECT TD_SCHEDULED_TIME() AS time, category, SUM(sum) AS sum, COUNT(*) AS hours
FROM result.heroku_db.payment_history
WHERE TD_TIME_RANGE(time, TD_TIME_ADD(TD_SCHEDULED_TIME(), '-23h'), TD_TIME_ADD(TD_SCHEDULED_TIME(), '1s'))
GROUP BY 1, 2
'''
"""
STREAM = "lambda _, schema=None: pyarrow.table({'n': ['frame']}).__arrow_c_stream__()"
PYTHON = """
import logdrain

@logdrain.job(cron="", result="heroku_db:counts", database="production", late="30d")
def counts(context):
    found = context.query(
        "SELECT category, COUNT(*) AS n FROM pay WHERE TD_TIME_RANGE(time, "
        "TD_TIME_ADD(TD_SCHEDULED_TIME(), '-1d'), TD_SCHEDULED_TIME()) GROUP BY 1"
    )
    for row in found.to_pylist():
        yield row
"""


@pytest.fixture
def world(mongodb_uri: str, ledger_url: str, tmp_path: Path) -> Iterator[World]:
    with opened_world(mongodb_uri, ledger_url, tmp_path / "jobs") as found:
        yield found


def some_payments(day: datetime) -> list[tuple[datetime, str, int]]:
    return [
        (day + timedelta(minutes=7 * number), "abc"[number % 3], number * number % 89)
        for number in range(200)
    ]


def recomputed(world: World, days: list[datetime]) -> Rows:
    sums: Counter[tuple[datetime, str]] = Counter()
    hours: dict[tuple[datetime, str], set[int]] = {}
    for at, category, price in world.events:
        for end in days:
            if end - DAY <= at < end:
                sums[end, category] += price
                hours.setdefault((end, category), set()).add(at.hour)
    return sorted((end, category, sums[end, category], len(of)) for (end, category), of in hours.items())


def test_a_daily_table_is_the_sum_of_hourly_ones_also_after_late_events(world: World) -> None:
    days = [MIDNIGHT - DAY, MIDNIGHT]
    for end in days:
        world.pay(*some_payments(end - DAY))
    world.apply("pay_hourly.toml", HOURLY)
    world.apply("pay_daily.toml", DAILY)
    world.ask("pay_daily", *days)  # before the hours: it has to wait for them
    world.ask("pay_hourly", *(hour for end in days for hour in hours_of(end - DAY)))
    daily = "SELECT time, category, sum, hours FROM payment_history_daily ORDER BY 1, 2"
    world.work()
    assert world.rows(daily) == recomputed(world, days)
    assert [run.cause for run in world.parts.ledger.history.of_schedule("pay_daily", 9)] == [Cause.MANUAL] * 2

    late = MIDNIGHT - timedelta(hours=20, minutes=30)
    world.pay((late, "late", 1000))
    world.ask("pay_hourly", MIDNIGHT - timedelta(hours=20), cause=Cause.LATE)
    world.work()
    assert (MIDNIGHT, "late", 1000, 1) in world.rows(daily)
    assert world.rows(daily) == recomputed(world, days)
    newest = world.newest("pay_daily")
    assert (newest.cause, newest.scheduled_at) == (Cause.LATE, MIDNIGHT)
    assert newest.reason == f"new rows of pay_hourly {MIDNIGHT - timedelta(hours=20):%Y-%m-%dT%H:%MZ}"


def test_a_result_table_joins_events(world: World) -> None:
    world.pay(*some_payments(MIDNIGHT - DAY))
    world.execute("CREATE TABLE public.names (category text, name text)")
    world.execute("INSERT INTO public.names VALUES ('a', 'Books'), ('b', NULL)")
    world.apply(
        "named.toml",
        'cron = ""\ndatabase = "production"\nresult = "heroku_db:named"\nsql = """\n'
        "SELECT TD_SCHEDULED_TIME() AS time, COALESCE(n.name, p.category) AS name, COUNT(*) AS n\n"
        "FROM pay p LEFT JOIN result.heroku_db.names n ON n.category = p.category GROUP BY 1, 2\n"
        '"""',
    )
    world.ask("named", MIDNIGHT)
    world.work()
    counts = Counter({"a": "Books", "b": "b", "c": "c"}[category] for _, category, _ in world.events)
    assert world.rows("SELECT name, n FROM named ORDER BY 1") == sorted(counts.items())


def test_a_python_job_writes_each_slice_once(world: World) -> None:
    world.pay(*some_payments(MIDNIGHT - DAY))
    world.apply("counts.py", PYTHON)
    world.ask("counts", MIDNIGHT)
    world.work()
    expected = sorted(
        (MIDNIGHT, category, count)
        for category, count in Counter(category for _, category, _ in world.events).items()
    )
    table = "SELECT time, category, n FROM counts ORDER BY 1, 2"
    assert world.rows(table) == expected
    run = world.newest("counts")
    assert (run.state, run.rows_written, run.error_code) == (RunState.SUCCEEDED, 3, "")
    assert run.rows_read == len(world.events)
    world.ask("counts", MIDNIGHT)
    world.work()
    assert world.rows(table) == expected
    reads = world.rows(
        "SELECT table_name, end_s - start_s FROM logdrain.slice_reads WHERE schedule = 'counts'"
    )
    assert reads == [("production.pay", 86_400)]  # late events bring it back, as they do for SQL


def test_a_python_job_that_dies_in_the_middle_is_finished_by_another(world: World) -> None:
    world.pay(*some_payments(MIDNIGHT - DAY))
    world.apply("counts.py", PYTHON)
    world.ask("counts", MIDNIGHT)
    world.work()
    expected = world.rows("SELECT * FROM counts ORDER BY 1, 2")
    deaths = 0
    for last in (3, 9, 15, 21):
        world.ask("counts", MIDNIGHT)
        with dying_after(last, whole=True) as mortal:
            mortal.begin()
            world.work()
        deaths += mortal.has_died
        world.execute("UPDATE logdrain.slices SET lease_until = now() WHERE state = 'running'")
        world.execute("UPDATE logdrain.schedules SET running_until = now() WHERE running_until IS NOT NULL")
        world.parts.ledger.close()
        world.work()
        assert world.rows("SELECT * FROM counts ORDER BY 1, 2") == expected, last
    assert deaths >= 3


@pytest.mark.parametrize(
    ("body", "code", "said"),
    [
        ("return None", "job_result_invalid", "returned nothing"),
        ("return 7", "job_result_invalid", "a value of type int"),
        ("return [1]", "job_result_invalid", "a row of type int"),
        ("return {}['price']", "job_failed", "counts.py:5: KeyError: 'price'"),
        ("raise SystemExit", "job_failed", "counts.py:5: SystemExit"),
        ("return iter(lambda: 1 / 0, None)", "job_failed", "ZeroDivisionError"),
        ("return context.query('SELECT nothing(')", "sql_syntax", "line 1"),
        ("return 'SELECT COUNT(*) AS n FROM unknown'", "unknown_table", "there is no table"),
        ("return list(context.scan('pey', 0, None))", "unknown_table", "production.pey"),
        ("return [{'time': 1, 'n': 2}]", "result_column_conflict", "do not have the scheduled time"),
        ("import time\n    while True: context.query('SELECT 1 AS n')", "query_timeout", "took longer"),
    ],
)
def test_what_goes_wrong_in_python_is_a_run_that_failed(
    world: World, body: str, code: str, said: str
) -> None:
    world.pay(*some_payments(MIDNIGHT - DAY)[:3])
    options = "cron='', result='heroku_db:counts', database='production', retry_limit=0, timeout=2"
    world.apply(
        "counts.py", f"import logdrain\n\n@logdrain.job({options})\ndef counts(context):\n    {body}\n"
    )
    world.ask("counts", MIDNIGHT)
    world.work()
    run = world.newest("counts")
    assert (run.state, run.error_code) == (RunState.FAILED, code), run.error_message
    assert said in run.error_message
    assert world.rows("SELECT to_regclass('counts')") == [(None,)]


@pytest.mark.parametrize(
    ("body", "rows"),
    [
        ("return \"SELECT TD_SCHEDULED_TIME() AS time, 'sql' AS n\"", [(MIDNIGHT, "sql")]),
        ("return pyarrow.table({'n': ['table']})", [(MIDNIGHT, "table")]),
        ("return pyarrow.table({'n': ['reader']}).to_reader()", [(MIDNIGHT, "reader")]),
        ("return pyarrow.record_batch({'n': ['batch']})", [(MIDNIGHT, "batch")]),
        (f"return type('Frame', (), {{'__arrow_c_stream__': {STREAM}}})()", [(MIDNIGHT, "frame")]),
        ("return [{'n': 'list'}]", [(MIDNIGHT, "list")]),
        ("return [{'time': context.scheduled_time, 'n': 'own'}]", [(MIDNIGHT, "own")]),
        (
            "return [{'n': str(batch.num_rows)} for batch in context.scan('pay', None, None, ['price'])]",
            [(MIDNIGHT, "3")],
        ),
    ],
    ids=["sql", "table", "reader", "batch", "frame", "list", "own_time", "scan"],
)
def test_what_a_function_may_return(world: World, body: str, rows: Rows) -> None:
    world.pay(*some_payments(MIDNIGHT - DAY)[:3])
    text = (
        "import logdrain, pyarrow\n\n@logdrain.job(cron='', result='heroku_db:counts', database='production')"
    )
    world.apply("counts.py", f"{text}\ndef counts(context):\n    {body}\n")
    for _ in range(2):
        world.ask("counts", MIDNIGHT)
        world.work()
        assert world.newest("counts").error_message == ""
        assert world.rows("SELECT time, n FROM counts") == rows


def test_a_change_of_the_file_counts_from_the_next_run(world: World) -> None:
    text = "import logdrain\n@logdrain.job(cron='', result='heroku_db:counts')\ndef counts(context):\n"
    world.apply("counts.py", text + "    return [{'n': 1}]\n")
    for number in (1, 2):
        (world.folder / "counts.py").write_text(f"{text}    return [{{'n': {number}}}]\n")
        world.ask("counts", MIDNIGHT)
        world.work()
        assert world.rows("SELECT n FROM counts") == [(number,)]
    (world.folder / "counts.py").unlink()
    world.ask("counts", MIDNIGHT)
    world.work()
    assert world.newest("counts").error_code == "job_file_missing"


def test_freshness_shows_where_tables_stand(world: World) -> None:
    world.pay(*some_payments(MIDNIGHT - DAY))
    world.apply("pay_hourly.toml", HOURLY)
    world.apply("pay_daily.toml", DAILY)
    world.ask("pay_hourly", MIDNIGHT, cause=Cause.LATE)
    world.work()
    world.execute("DROP TABLE payment_history")
    world.ask("pay_daily", MIDNIGHT)
    world.work()
    found = world.rows(
        "SELECT result_table, schedule, last_slice, next_slice, lag_seconds, runs_last_day,"
        " failed_runs_last_day, late_reruns_last_day, last_error FROM logdrain.freshness ORDER BY schedule"
    )
    daily, hourly = found
    assert daily[:4] == ("heroku_db:payment_history_daily", "pay_daily", None, None)
    assert daily[4:8] == (None, 1, 1, 0)
    assert "has no table payment_history in schema public" in daily[8]
    assert hourly[:4] == ("heroku_db:payment_history", "pay_hourly", MIDNIGHT, None)
    assert 0 < hourly[4] < 90_000
    assert hourly[5:] == (1, 0, 1, None)
