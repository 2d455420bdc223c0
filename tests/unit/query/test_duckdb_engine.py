"""DuckDB inside this process; what every engine does is in tests/contract/test_engine.py."""

import subprocess
import sys

import pytest

from logdrain.errors import SqlError
from tests.unit.query.event_tables import check


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT SUM(uid) AS s, TD_TIME_ADD(userid, '1d') FROM pay GROUP BY 2",
        "SELECT CAST(userid AS BIGINT) FROM pay",
        "SELECT price / uid FROM pay",
        "SELECT SUM(userid) FROM pay",
        "SELECT uid FROM pay LIMIT 1",
    ],
)
def test_the_process_ends_without_a_word(sql: str) -> None:
    program = (
        "import sys\n"
        "from logdrain.errors import SqlError\n"
        "from tests.unit.query.event_tables import answer\n"
        "try:\n"
        "    answer(sys.argv[1])\n"
        "except SqlError:\n"
        "    pass\n"
    )
    ended = subprocess.run([sys.executable, "-c", program, sql], capture_output=True, check=False, text=True)
    assert (ended.returncode, ended.stderr) == (0, "")


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("SELECT uid + device FROM login", "line 1, column 8: .* does not take"),
        ("SELECT uid, COUNT(*) FROM login", "line 1, column 8: .* must appear in the GROUP BY clause"),
        ("SELECT REGEXP_LIKE(device, '(') FROM login", "line 1, column 8: .* missing"),
    ],
)
def test_what_cannot_run_is_known_before_a_row_is_read(sql: str, message: str) -> None:
    with pytest.raises(SqlError, match=message):
        check(sql)


def test_what_fails_for_some_rows_alone_passes_the_check() -> None:
    scans = check("SELECT 1 / (COUNT(*) - 3) AS n FROM login")
    assert [scan.passes for scan in scans] == [0]
