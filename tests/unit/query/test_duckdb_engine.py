"""DuckDB inside this process; what every engine does is in tests/contract/test_engine.py."""

import subprocess
import sys

import pytest


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
