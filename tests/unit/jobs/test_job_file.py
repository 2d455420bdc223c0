from pathlib import Path

import pytest

from logdrain.errors import JobFileInvalid
from logdrain.jobs.job_file import first_line_of, line_of, read_job
from logdrain.jobs.job_folder import load_jobs
from logdrain.model.jobs import CatchUp, Schedule
from logdrain.model.plans import Dialect

SQL_FILES = {"../sql/sums.sql": "SELECT 1\n", "../sql/empty.sql": " \n"}
GOOD = 'cron = "@daily"\ndatabase = "production"\nsql = "SELECT 1"\n'


def read_sql(name: str) -> str:
    if name not in SQL_FILES:
        raise FileNotFoundError(2, "No such file or directory")
    return SQL_FILES[name]


def read(text: str) -> Schedule:
    return read_job(text, "some/jobs/sums.toml", "jobs/sums.toml", read_sql).schedule


def test_a_short_file_has_the_defaults() -> None:
    assert read(GOOD) == Schedule(
        name="sums",
        cron="@daily",
        timezone="UTC",
        delay_s=0,
        database="production",
        sql="SELECT 1",
        source="jobs/sums.toml",
    )


def test_every_key() -> None:
    text = """
        cron = "0 * * * *"
        timezone = "Asia/Tokyo"
        delay = "1h30m"
        database = "production"
        sql_file = "../sql/sums.sql"
        type = "hive"
        result = "heroku_db:sums?mode=append"
        retry_limit = 2
        catch_up = "latest"
        catch_up_max = 10
    """
    assert read(text) == Schedule(
        name="sums",
        cron="0 * * * *",
        timezone="Asia/Tokyo",
        delay_s=5400,
        database="production",
        sql="SELECT 1\n",
        dialect=Dialect.HIVE,
        result="heroku_db:sums?mode=append",
        retry_limit=2,
        catch_up=CatchUp.LATEST,
        catch_up_max=10,
        source="jobs/sums.toml",
    )


@pytest.mark.parametrize(
    ("delay", "seconds"), [("600", 600), ('"600s"', 600), ('"10m"', 600), ('"1d"', 86400), ('"0s"', 0)]
)
def test_delays_with_and_without_a_unit(delay: str, seconds: int) -> None:
    assert read(f"{GOOD}delay = {delay}").delay_s == seconds


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ("timezon = 1", "4: unknown key 'timezon', did you mean 'timezone'?"),
        ("colour = 1", "4: unknown key 'colour', there are"),
        ("[schedule]", "4: unknown key 'schedule', its key is cron"),
        ('query = "SELECT 1"', "4: unknown key 'query', its key is sql, or sql_file for a file"),
        (
            "result = heroku_db:sums  # where",
            '4: not TOML: Invalid value: quote it, result = "heroku_db:sums"',
        ),
        ('timezone = "JST"', "4: timezone 'JST' is not an IANA time zone"),
        ("timezone = 9", "4: timezone is a text in quotes, not 9"),
        ('delay = "soon"', "4: delay is seconds, or a text such as '10m'"),
        ('delay = ""', "4: delay is seconds"),
        ("delay = -1", "4: delay is a whole number from 0"),
        ("delay = 1.5", "4: delay is a whole number from 0"),
        ("retry_limit = true", "4: retry_limit is a whole number from 0"),
        ('dialect = "mysql"', "4: dialect is trino or hive, not 'mysql'"),
        ('catch_up = "some"', "4: catch_up is all or latest or none, not 'some'"),
        ("catch_up_max = 100001", "4: catch_up_max is a whole number from 0 to 100000"),
        ('result = "a\\u0000b"', "4: result holds the character U+0000"),
        ('sql_file = "../sql/sums.sql"', "4: sql and sql_file: one of them is enough"),
        ('sql_file = "../sql/none.sql"', "4: sql_file '../sql/none.sql': No such file"),
        ('sql_file = "../sql/empty.sql"', "4: sql_file '../sql/empty.sql' is empty"),
        ('dialect = "trino"\ntype = "hive"', "5: dialect and type: one of them is enough"),
        ("delay = ", "4: not TOML: "),
        ('\ncron = "@daily"', "5: not TOML: Cannot overwrite a value"),
    ],
)
def test_what_is_wrong_is_said_with_file_and_line(entry: str, message: str) -> None:
    with pytest.raises(JobFileInvalid) as caught:
        read(GOOD + entry)
    assert f"some/jobs/sums.toml:{message}" in caught.value.located


@pytest.mark.parametrize("key", ["cron", "database", "sql"])
def test_what_is_needed_and_missing_is_named(key: str) -> None:
    lines = [line for line in GOOD.splitlines() if not line.startswith(key)]
    with pytest.raises(JobFileInvalid, match=f"sums.toml:1: there is no {key}"):
        read("\n".join(lines))


def test_a_bad_cron_is_named_with_its_line() -> None:
    with pytest.raises(JobFileInvalid, match=r"sums\.toml:1: cron '0 0 \* \* 7'.*Sunday is 0"):
        read(GOOD.replace("@daily", "0 0 * * 7"))


def test_lines_within_long_texts_are_not_settings() -> None:
    text = 'sql = """\nSELECT\ncron = 1\n"""\ndatabase = "d"\ncron = "x"\n'
    with pytest.raises(JobFileInvalid, match=r"sums\.toml:6: cron"):
        read(text)


def test_all_that_is_wrong_in_a_file_is_said_at_once() -> None:
    with pytest.raises(JobFileInvalid) as caught:
        read('cron = "x"\ndelay = -1\n')
    assert [part.split(":")[1] for part in caught.value.located.split("; ")] == ["1", "1", "1", "2"]


def test_a_folder_of_jobs_is_read_in_order_of_name(tmp_path: Path) -> None:
    folder = tmp_path / "jobs"
    folder.mkdir()
    (tmp_path / "b.sql").write_text("SELECT 2")
    (folder / "b.toml").write_text('cron = ""\ndatabase = "d"\nsql_file = "../b.sql"\n')
    (folder / "a.toml").write_text(GOOD)
    (folder / "notes.txt").write_text("no job")
    schedules = [job.schedule for job in load_jobs([folder])]
    found = [(schedule.name, schedule.sql, schedule.source) for schedule in schedules]
    assert found == [("a", "SELECT 1", "jobs/a.toml"), ("b", "SELECT 2", "jobs/b.toml")]


def test_all_files_of_a_folder_are_checked_before_it_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text(GOOD + "delay = -1\n")
    (tmp_path / "b.toml").write_text(GOOD)
    (tmp_path / "c.toml").write_bytes(b"# \n# \xff\n")
    (tmp_path / "d.toml").write_text(GOOD.replace("sql =", "sql_file ="))
    with pytest.raises(JobFileInvalid) as caught:
        load_jobs([tmp_path])
    assert f"{tmp_path}/a.toml:4: delay" in caught.value.located
    assert f"{tmp_path}/c.toml:2: not UTF-8" in caught.value.located
    assert f"{tmp_path}/d.toml:3: sql_file 'SELECT 1'" in caught.value.located
    assert "b.toml" not in caught.value.located


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(JobFileInvalid, match="none is not there"):
        load_jobs([tmp_path / "none"])


SHIPPED = Path(__file__).parents[3] / "jobs"


def test_the_shipped_jobs_are_readable_and_write_a_table_each() -> None:
    jobs = load_jobs([SHIPPED])
    assert [job.schedule.name for job in jobs] == [
        "logins_daily",
        "pay_hourly",
        "pay_daily",
        "pay_medians_daily",
        "registrations_to_payments_daily",
        "top_urls_hourly",
    ]
    assert not any(job.enabled for job in jobs)
    assert len({job.schedule.result for job in jobs}) == len(jobs)
    in_sql = [job.schedule.sql for job in jobs if not job.schedule.function]
    assert all("TD_SCHEDULED_TIME() AS time" in sql for sql in in_sql)


def test_a_single_file_and_whether_it_is_enabled(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text(GOOD + "enabled = false\n")
    (tmp_path / "b.toml").write_text(GOOD)
    assert [job.enabled for job in load_jobs([tmp_path / "b.toml", tmp_path / "a.toml"])] == [True, False]
    with pytest.raises(JobFileInvalid, match="enabled is true or false"):
        read(GOOD + "enabled = 1\n")


def test_presto_is_trino_by_its_earlier_name() -> None:
    assert read(GOOD + 'type = "presto"\n').dialect is Dialect.TRINO


def test_what_goes_first_is_a_list_of_names() -> None:
    assert read(GOOD + 'after = ["b", "a", "b"]\n').after == ("b", "a")
    for wrong in ('"a"', "[1]", '[""]'):
        with pytest.raises(JobFileInvalid, match="after is a list of names"):
            read(f"{GOOD}after = {wrong}\n")


LONG = '''cron = "@daily"
sql = """
SELECT 1 AS n
WHERE result = 1
"""
result = "r:t"
'''


def test_lines_within_long_texts_do_not_count() -> None:
    assert line_of("result", LONG) == 6
    assert line_of("no_such_key", LONG) == 1


def test_a_long_text_begins_below_its_quotes() -> None:
    assert first_line_of("sql", LONG) == 3
    assert first_line_of("sql", 'sql = """SELECT 1"""') == 1
    assert first_line_of("sql", "sql = 'SELECT 1'") == 1
    assert first_line_of("sql", "") == 1
