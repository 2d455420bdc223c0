"""Python job files: what becomes of them, and what is said of those that are wrong."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import logdrain
from logdrain.errors import JobFailed, JobFailedTransient, JobFileInvalid, JobFileMissing, StoreUnavailable
from logdrain.jobs.job_folder import load_jobs
from logdrain.jobs.python_files import find_file, opened, users_errors
from logdrain.model.jobs import CatchUp, Schedule

TEXT = """
import logdrain

@logdrain.job(cron="@daily", delay="10m", result="heroku_db:sums", after=["pay_hourly"], catch_up="latest")
def sums(context):
    return "SELECT 1 AS n"

@logdrain.job(cron="", enabled=False)
def by_hand(context):
    return []

def helper():
    pass
"""


def written(folder: Path, text: str, name: str = "jobs/sums.py") -> Path:
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    return path


def test_each_marked_function_is_a_schedule(tmp_path: Path) -> None:
    path = written(tmp_path, TEXT)
    first, second = load_jobs([path.parent])
    assert first.schedule == Schedule(
        name="sums",
        cron="@daily",
        timezone="UTC",
        delay_s=600,
        database="",
        sql=TEXT,
        result="heroku_db:sums",
        catch_up=CatchUp.LATEST,
        source="jobs/sums.py",
        after=("pay_hourly",),
        function="sums",
    )
    assert (second.schedule.name, second.enabled, first.enabled) == ("by_hand", False, True)
    assert not [name for name in sys.modules if name.startswith("_logdrain_job_")]


def test_a_function_stays_a_function() -> None:
    @logdrain.job(cron="@daily")
    def twice(number: int) -> int:
        return 2 * number

    assert twice(21) == 42


def test_importing_logdrain_is_cheap() -> None:
    program = "import logdrain, sys; print(sorted({name.partition('.')[0] for name in sys.modules}))"
    loaded = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    ).stdout
    for heavy in ("pyarrow", "duckdb", "psycopg", "pymongo", "sqlglot", "aiohttp"):
        assert f"'{heavy}'" not in loaded


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("def f(:\n", "sums.py:1: SyntaxError: invalid syntax"),
        ("\n\nx = 1 / 0\n", "sums.py:3: ZeroDivisionError: division by zero"),
        ("import sys\nsys.exit(3)\n", "sums.py:2: SystemExit: 3"),
        ("import logdrain\n", "sums.py:1: no function has @logdrain.job"),
        (
            "import logdrain\n\n@logdrain.job(cron='61 * * * *', colour=1, sql='SELECT 1')\ndef f(c): pass\n",
            "sums.py:3: f: ",
        ),
        ("import logdrain\n@logdrain.job(cron='', columns=['n'])\ndef f(c): pass\n", "columns is a dict"),
        ("import logdrain\n@logdrain.job(cron='', after='pay')\ndef f(c): pass\n", "after is a list"),
        ("import logdrain\n@logdrain.job()\ndef f(c): pass\n", "sums.py:2: TypeError: job() missing"),
    ],
)
def test_what_is_wrong_has_file_and_line(tmp_path: Path, text: str, said: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(JobFileInvalid) as caught:
        load_jobs([path])
    assert said in caught.value.located
    assert str(path) in caught.value.located


def test_all_that_is_wrong_with_a_function_is_said_at_once(tmp_path: Path) -> None:
    text = "import logdrain\n@logdrain.job(cron='61 * * * *', colour=1, sql='SELECT 1')\ndef f(c): pass\n"
    with pytest.raises(JobFileInvalid) as caught:
        load_jobs([written(tmp_path, text)])
    for said in ("61", "unknown key 'colour'", "sql has no meaning here"):
        assert said in caught.value.located


def test_files_that_begin_with_a_line_are_shared_code(tmp_path: Path) -> None:
    written(tmp_path, "raise RuntimeError", "jobs/_shared.py")
    written(tmp_path, TEXT)
    assert len(load_jobs([tmp_path / "jobs"])) == 2


def test_a_job_comes_after_those_it_runs_after(tmp_path: Path) -> None:
    head = 'cron = ""\ndatabase = "d"\nsql = "SELECT 1"\n'
    written(tmp_path, head + 'after = ["b", "elsewhere"]', "jobs/a.toml")
    written(tmp_path, head + 'after = ["c"]', "jobs/b.toml")
    written(tmp_path, head + 'after = ["d"]', "jobs/c.toml")
    written(tmp_path, head + 'after = ["c"]', "jobs/d.toml")
    assert [job.schedule.name for job in load_jobs([tmp_path / "jobs"])] == ["d", "c", "b", "a"]


def failing(tmp_path: Path, body: str) -> Any:
    path = written(tmp_path, f"import logdrain\n@logdrain.job(cron='')\ndef f(context):\n    {body}\n")
    with opened(path) as functions, users_errors(path):
        functions[0].function(None)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("{}['price']", "sums.py:4: KeyError: 'price'"),
        ("raise SystemExit('bye')", "sums.py:4: SystemExit: bye"),
        ("import json; json.loads('{')", "sums.py:4: JSONDecodeError: Expecting"),
        ("raise ValueError('postgresql://me:hunter2@host/db\\n\\nis wrong')", "is wrong"),
    ],
)
def test_what_a_function_raises_is_named_with_its_own_line(tmp_path: Path, body: str, said: str) -> None:
    with pytest.raises(JobFailed) as caught:
        failing(tmp_path, body)
    assert said in caught.value.located
    assert "hunter2" not in caught.value.located
    assert "\n" not in caught.value.located
    assert not caught.value.retryable


@pytest.mark.parametrize("error", ["ConnectionResetError('gone')", "TimeoutError()"])
def test_what_may_pass_is_worth_a_retry(tmp_path: Path, error: str) -> None:
    with pytest.raises(JobFailedTransient) as caught:
        failing(tmp_path, f"raise {error}")
    assert caught.value.retryable


def test_errors_of_ours_pass_unchanged(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable):
        failing(tmp_path, "from logdrain.errors import StoreUnavailable; raise StoreUnavailable('away')")


def test_a_keyboard_interrupt_is_the_operators(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        failing(tmp_path, "raise KeyboardInterrupt")


def test_a_file_is_found_wherever_the_worker_has_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path, TEXT)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    assert find_file("jobs/sums.py", tmp_path / "jobs") == path
    assert find_file("old_name/sums.py", tmp_path / "jobs") == path
    monkeypatch.chdir(tmp_path)
    assert find_file("jobs/sums.py", elsewhere) == path


@pytest.mark.parametrize("source", ["jobs/other.py", "../jobs/sums.py", "/etc/passwd", "jobs/../sums.py"])
def test_a_file_that_is_not_there_is_an_error_that_says_where_it_was_looked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str
) -> None:
    written(tmp_path, TEXT)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(JobFileMissing, match="this worker has no") as caught:
        find_file(source, tmp_path / "nowhere")
    assert "LOGDRAIN_JOBS_FOLDER" in caught.value.hint
