"""A command loads the drivers and engines that it needs, and no others: it starts at once."""

import os
import subprocess
import sys

import pytest

HEAVY = ("aiohttp", "duckdb", "prometheus_client", "psycopg", "pyarrow", "pymongo", "rich", "sqlglot")
PROGRAM = f"""
import sys
from logdrain.__main__ import run
sys.stdin = open("/dev/null")
run(sys.argv[1:])
print(*(name for name in {HEAVY} if name in sys.modules), file=sys.stderr)
"""
# Nobody listens there: a command loads all it needs before it notices.
NOWHERE = {
    "MONGODB_URI": "mongodb://127.0.0.1:1/?serverSelectionTimeoutMS=50",
    "DATABASE_URL": "postgresql://127.0.0.1:1/logdrain",
}


@pytest.mark.parametrize(
    ("words", "needed"),
    [
        ("--help", ""),
        ("urls", ""),
        ("check @[production.pay]", ""),
        ("ship --url http://127.0.0.1:1/logs", ""),
        ("tables", "pymongo"),
        ("tail --once", "pymongo"),
        ("quarantine", "pymongo"),
        ("db:list", "pymongo"),
        ("sched:list", "psycopg"),
        ("sched:history pay", "psycopg"),
        ("job:list", "psycopg"),
        ("result:list", "psycopg"),
        ("keys:list", "psycopg"),
    ],
)
def test_what_a_light_command_loads(words: str, needed: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *words.split()],
        env=os.environ | NOWHERE,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr.splitlines()[-1] == needed, done.stderr
