"""Runs the measurements: all of them, or those that are named.

    python bench/run.py [drain store serve write sql backfill schedules] [--events N]

Starts a real mongod and a real Postgres, durable, in a temporary folder, and stops them at the end.
Each measurement is a process of its own, and can be read on its own.
"""

import argparse
import os
import platform
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psycopg
import pymongo

from logdrain.sandbox.folder_state import DataFolder
from logdrain.sandbox.mongo_server import MongoServer
from logdrain.sandbox.postgres_server import PostgresServer

ROOT = Path(__file__).resolve().parents[1]
MEASUREMENTS = ("drain", "store", "serve", "write", "sql", "backfill", "schedules")
ON_REQUEST = ("engine", "memory")  # the latter takes its time: ten million events
PACKAGES = ("duckdb", "pymongo", "pymongoarrow", "pyarrow", "aiohttp", "msgspec")


def main() -> int:
    """Start the servers, measure, stop them; exit status 1 where a measurement failed."""
    parser = argparse.ArgumentParser(description="Measure logdrain, variants side by side.")
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=f"of: {', '.join(MEASUREMENTS + ON_REQUEST)}"
    )
    parser.add_argument("--events", type=int, help="size of each measurement (default: its own)")
    arguments = parser.parse_args()
    for name in arguments.names:
        if name not in MEASUREMENTS + ON_REQUEST:
            parser.error(f"no measurement {name!r}: there are {', '.join(MEASUREMENTS + ON_REQUEST)}")
    words = [] if arguments.events is None else ["--events", str(arguments.events)]
    with (
        tempfile.TemporaryDirectory(prefix="logdrain-bench-") as name,
        DataFolder(Path(name, "data")) as folder,
    ):
        mongodb, postgres = MongoServer(folder.mongodb), PostgresServer(folder.postgres)
        try:
            mongodb.start()
            postgres.start()
            print_facts(mongodb.uri, postgres.uri)
            servers = {"MONGODB_URI": mongodb.uri, "DATABASE_URL": postgres.uri}
            statuses = [measure(each, words, servers) for each in arguments.names or MEASUREMENTS]
        finally:
            postgres.stop()
            mongodb.stop()
    return int(any(statuses))


def measure(name: str, words: list[str], servers: dict[str, str]) -> int:
    """Run one measurement to its end; returns its exit status."""
    ours = {key: value for key, value in os.environ.items() if not key.startswith("LOGDRAIN_")}
    # pymongoarrow is built against an earlier patch release of pyarrow, and says so at length.
    command = [sys.executable, "-W", "ignore::RuntimeWarning", "-m", f"bench.{name}", *words]
    return subprocess.run(command, cwd=ROOT, env=ours | servers, check=False).returncode  # noqa: S603  # our own


def print_facts(mongodb_uri: str, postgres_url: str) -> None:
    """What the numbers depend on."""
    with pymongo.MongoClient[dict[str, Any]](mongodb_uri) as client:
        mongod = client.server_info()["version"]
    with psycopg.connect(postgres_url) as connection:
        postgres = connection.info.parameter_status("server_version")
    print(f"Python {platform.python_version()}, {len(os.sched_getaffinity(0))} cores")
    print(f"mongod {mongod}, Postgres {postgres}")
    print(", ".join(f"{package} {version(package)}" for package in PACKAGES), flush=True)


if __name__ == "__main__":
    sys.exit(main())
