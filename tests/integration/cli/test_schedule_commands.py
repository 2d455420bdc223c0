"""Schedules, results and job files as a person types them."""

from pathlib import Path

import psycopg
import pytest

from logdrain.__main__ import run

TWO_LINES = "SELECT 1 AS n,\n  FROM"


@pytest.fixture(autouse=True)
def _servers(monkeypatch: pytest.MonkeyPatch, ledger_url: str, mongodb_uri: str, tmp_path: Path) -> None:
    monkeypatch.setenv("DATABASE_URL", ledger_url)
    monkeypatch.setenv("MONGODB_URI", mongodb_uri)
    monkeypatch.chdir(tmp_path)


def create(name: str, cron: str, sql: str, *words: str) -> int:
    return run(["sched:create", name, cron, "-d", "shop", *words, sql])


def refused(capsys: pytest.CaptureFixture[str]) -> str:
    return capsys.readouterr().err.splitlines()[0]


def job_file(name: str, rest: str) -> Path:
    path = Path("jobs", name)
    path.parent.mkdir(exist_ok=True)
    path.write_text(f'cron = "@hourly"\ndatabase = "shop"\n{rest}\n')
    return path


def test_a_schedule_without_cron_runs_at_the_time_itself(capsys: pytest.CaptureFixture[str]) -> None:
    assert create("by_hand", "", "SELECT TD_SCHEDULED_TIME() AS t") == 0
    assert capsys.readouterr().out == "Schedule 'by_hand' is created. It never runs by itself.\n"
    assert run(["sched:run", "by_hand", "2012-03-01 00:07:09.5"]) == 0
    told = capsys.readouterr().out.splitlines()
    assert told[2].split()[:3] == ["2012-03-01T00:07:09Z", "succeeded", "1"]
    assert told[3] == "1 of 1 slice of 'by_hand' succeeded: 1 row."
    assert run(["sched:history", "by_hand"]) == 0
    assert "2012-03-01T00:07:09Z" in capsys.readouterr().out
    assert run(["sched:run", "by_hand", "2012-03-01", "-n", "2"]) == 2
    assert "a schedule without cron has no next slice" in refused(capsys)


def test_a_failure_is_told_once(capsys: pytest.CaptureFixture[str]) -> None:
    assert create("broken", "@daily", "SELECT CAST('x' AS BIGINT) AS n") == 0
    capsys.readouterr()
    assert run(["sched:run", "broken", "2012-03-01"]) == 1
    said = capsys.readouterr().err
    assert said.startswith("logdrain: 1 slice failed, first 2012-03-01 00:00:00 UTC: ")
    assert "level=" not in said


def test_the_limit_that_was_met_is_the_one_to_raise(capsys: pytest.CaptureFixture[str]) -> None:
    query = (
        "SELECT SUM(a % 7 * b % 11) AS n"
        " FROM UNNEST(SEQUENCE(1, 200000)) AS t(a) CROSS JOIN UNNEST(SEQUENCE(1, 200000)) AS u(b)"
    )
    assert create("endless", "@daily", query, "--timeout", "1") == 0
    capsys.readouterr()
    assert run(["sched:run", "endless", "2012-03-01"]) == 1
    said = capsys.readouterr().err
    assert "longer than 1 s" in said
    assert "a longer timeout of the schedule" in said
    assert "LOGDRAIN_QUERY_TIMEOUT_S" not in said


@pytest.mark.parametrize("name", ["", "bad name!"])
def test_a_name_is_checked_where_it_is_given(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert create(name, "@daily", "SELECT 1 AS n") == 1
    assert refused(capsys) == f"logdrain: {name!r} is no name of a schedule"
    assert create("good", "@daily", "SELECT 1 AS n") == 0
    assert run(["sched:update", "good", "-n", name]) == 1


def test_a_key_is_checked_against_the_query(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["result:create", "here", "env:DATABASE_URL"]) == 0
    update = ("-r", "here:t?mode=update&unique=zz")
    assert create("pay", "@daily", "SELECT * FROM (SELECT 1 AS n, 2 AS z) AS t", *update) == 1
    assert 'no column "zz", which unique= names' in refused(capsys)
    assert create("pay", "@daily", "SELECT COUNT(*) AS zz", *update) == 0


def test_who_writes_to_a_result_is_said_when_it_goes(capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("here", "herein"):
        assert run(["result:create", name, "env:DATABASE_URL"]) == 0
        assert create(f"to_{name}", "@daily", "SELECT 1 AS n", "-r", f"{name}:t") == 0
    capsys.readouterr()
    assert run(["result:delete", "here"]) == 0
    assert refused(capsys) == "warning: these schedules write to it, and fail from now on: to_here"


def test_what_td_takes_is_taken() -> None:
    words = ("-r", "postgres://h/db/t?mode=replace", "-u", "me", "--engine-version", "stable")
    assert create("td", "@daily", "SELECT 1 AS n", *words) == 0


def test_tables_of_another_version_are_to_be_migrated(
    ledger_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with psycopg.connect(ledger_url) as connection:
        connection.execute("ALTER TABLE logdrain.schedules DROP COLUMN timeout_s CASCADE")
    assert run(["sched:list"]) == 1
    said = capsys.readouterr().err
    assert "tables are those of another version of logdrain" in said
    assert "hint: run `logdrain migrate`" in said


def test_sql_of_job_files_is_placed_in_its_file(capsys: pytest.CaptureFixture[str]) -> None:
    job_file("inline.toml", f'sql = """\n{TWO_LINES}\n"""')
    Path("sums.sql").write_text(TWO_LINES)
    job_file("apart.toml", 'sql_file = "../sums.sql"')
    job_file("bad name!.toml", 'sql = "SELECT 1 AS n"')
    assert run(["jobs", "check"]) == 1
    lines = capsys.readouterr().err.splitlines()
    assert [line.split(": ")[0] for line in lines[:3]] == [
        "jobs/../sums.sql:2",
        "jobs/bad name!.toml:1",
        "jobs/inline.toml:5",
    ]
    assert lines[3] == "logdrain: the job files have 3 mistakes"


def test_what_only_servers_know_is_placed_as_well(capsys: pytest.CaptureFixture[str]) -> None:
    path = job_file("far.toml", 'result = "heroku_db:t"\nsql = "SELECT no_such_function(1) AS n"')
    assert run(["jobs", "check"]) == 0
    assert run(["jobs", "apply"]) == 1
    assert refused(capsys).startswith("logdrain: jobs/far.toml:3: no result is called")
    path.write_text(path.read_text().replace("heroku_db:t", ""))
    assert run(["jobs", "apply"]) == 1
    assert refused(capsys).startswith("logdrain: jobs/far.toml:4: ")


def test_time_is_an_option_of_the_result(capsys: pytest.CaptureFixture[str]) -> None:
    query = "SELECT TD_SCHEDULED_TIME() AS time, 1 AS n"
    assert run(["result:create", "here", "env:DATABASE_URL"]) == 0
    assert create("pay", "@hourly", query, "-r", "here:pay?mode=append&time=unix", "--time", "start") == 0
    assert run(["sched:run", "pay", "2012-03-01 01:00"]) == 0
    assert run(["sched:show", "pay"]) == 0
    assert "here:pay?mode=append&time=start" in capsys.readouterr().out
    assert run(["sched:update", "pay", "--time", "timestamp"]) == 0
    assert run(["sched:run", "pay", "2012-03-01 02:00"]) == 1
    assert "has the START of each slice, and the result the END" in capsys.readouterr().err
    assert create("nowhere", "@hourly", query, "--time", "start") == 2
    assert "--time belongs to a result" in refused(capsys)


def test_a_run_says_where_it_starts_and_what_came_of_each_slice(capsys: pytest.CaptureFixture[str]) -> None:
    query = "SELECT TD_SCHEDULED_TIME() AS time, 1 AS n"
    assert run(["result:create", "here", "env:DATABASE_URL"]) == 0
    assert create("pay", "@hourly", query, "-r", "here:pay", "-t", "Asia/Tokyo") == 0
    capsys.readouterr()
    assert run(["sched:run", "pay", "2012-03-01 00:30", "-n", "2"]) == 0
    told = capsys.readouterr()
    assert told.err.startswith(
        "note: 2012-03-01 00:30 is no scheduled time; the first slice is 2012-03-01 01:00:00 Asia/Tokyo"
    )
    lines = [line.split()[:3] for line in told.out.splitlines()]
    assert lines[2:4] == [
        ["2012-02-29T16:00:00Z", "succeeded", "1"],
        ["2012-02-29T17:00:00Z", "succeeded", "1"],
    ]
    assert told.out.endswith("2 of 2 slices of 'pay' succeeded: 2 rows.\n")


def test_the_queue_is_shown_and_cancelled(ledger_url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert create("pay", "@hourly", "SELECT 1 AS n", "-r", "postgres://h.example/db/" + "t" * 60) == 0
    with psycopg.connect(ledger_url) as connection:
        connection.execute(
            "INSERT INTO logdrain.slices (schedule, scheduled_at, state, cause)"
            " SELECT 'pay', '2012-03-01Z'::timestamptz + hour * interval '1 hour', 'waiting', 'manual'"
            " FROM generate_series(1, 5) AS hour"
        )
    capsys.readouterr()
    assert run(["sched:list"]) == 0
    told = capsys.readouterr().out
    assert "5 waiting" in told
    assert max(map(len, told.splitlines())) <= 80
    assert run(["sched:list", "-w"]) == 0
    assert "t" * 60 in capsys.readouterr().out
    assert run(["sched:show", "pay"]) == 0
    assert "5 waiting, from 2012-03-01T01:00:00Z on" in capsys.readouterr().out
    assert run(["sched:cancel", "pay", "--from", "2012-03-01 02:00", "--to", "2012-03-01 03:00"]) == 0
    assert capsys.readouterr().out == "2 slices of 'pay' cancelled; 0 of those that run asked to end.\n"
    assert run(["sched:cancel", "pay"]) == 0
    assert capsys.readouterr().out.startswith("3 slices")
    assert run(["sched:list"]) == 0
    assert "waiting" not in capsys.readouterr().out


def test_the_history_fits_the_terminal_and_says_errors_whole(capsys: pytest.CaptureFixture[str]) -> None:
    assert create("broken", "@daily", "SELECT CAST('" + "x" * 60 + "' AS BIGINT) AS n") == 0
    assert run(["sched:run", "broken", "2012-03-01"]) == 1
    capsys.readouterr()
    assert run(["sched:history", "broken"]) == 0
    told = capsys.readouterr().out.splitlines()
    assert max(map(len, told[:3])) <= 80
    assert "x" * 60 in told[3]
    assert run(["sched:history", "broken", "-w"]) == 0
    assert "x" * 60 in capsys.readouterr().out.splitlines()[2]


def test_a_schedule_is_checked_against_its_result(
    ledger_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["result:create", "here", ledger_url]) == 0
    assert "warning" not in capsys.readouterr().err
    assert create("pay", "@daily", "SELECT 1 AS n", "-r", "here:t?schema=nowhere") == 1
    assert 'has not schema "nowhere"' in refused(capsys)
    assert create("pay", "@daily", "SELECT 1 AS xmin", "-r", "here:t") == 1
    assert "cannot be named 'xmin'" in refused(capsys)
    with psycopg.connect(ledger_url) as connection:
        connection.execute("CREATE VIEW public.v AS SELECT 1 AS n")
    assert create("pay", "@daily", "SELECT 1 AS n", "-r", "here:v?mode=replace") == 1
    assert "is no table" in refused(capsys)
    assert create("far", "@daily", "SELECT 1 AS n", "-r", "postgres://127.0.0.1:1/db/t?mode=replace") == 0
    assert refused(capsys).startswith("warning: the result cannot be checked: ")


def test_what_a_move_leaves_behind_is_named(ledger_url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["result:create", "here", "env:DATABASE_URL"]) == 0
    assert create("pay", "@daily", "SELECT 1 AS n", "-r", "here:t?mode=replace") == 0
    capsys.readouterr()
    assert run(["sched:update", "pay", "-r", "here:t?mode=truncate"]) == 0
    assert capsys.readouterr().err == ""
    assert run(["sched:update", "pay", "-r", "here:u?mode=truncate"]) == 0
    assert refused(capsys).startswith("warning: here:t stays as it is, with the rows until now")
    assert run(["result:create", "here", ledger_url]) == 0
    assert refused(capsys) == "warning: tables that are at env:DATABASE_URL stay there"
    assert run(["result:create", "wrong", ledger_url.replace("logdrain:", "logdrain:x")]) == 0
    said = refused(capsys)
    assert said.startswith("warning: it cannot be reached from here: ")
    assert "check user and password" in said
