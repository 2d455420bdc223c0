"""Where a measurement finds its servers and how much is asked of it; `bench/run.py` says both."""

import argparse
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import pymongo

EVENTS_MIN = 1_000  # one for each hour of the thirty days, and some


def wanted_events(question: str, default: int) -> int:
    """`--events N`, or the measurement's own default; `question` is what it answers, for `--help`."""
    parser = argparse.ArgumentParser(
        description=question, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--events", type=int, default=default, help="default: %(default)s")
    events = int(parser.parse_args().events)
    if events < EVENTS_MIN:
        parser.error(f"--events {events} is too few to measure: {EVENTS_MIN} or more")
    return events


def server_url(name: str) -> str:
    """The URL in an environment variable."""
    url = os.environ.get(name, "")
    if not url:
        sys.exit(f"{name} is not set: start a measurement with bench/run.py, which brings the servers")
    return url


@contextmanager
def mongodb_database(name: str) -> Iterator[str]:
    """A MongoDB URI whose path is an empty database; it is dropped at the end."""
    uri = urlsplit(server_url("MONGODB_URI"))._replace(path=f"/{name}").geturl()
    with pymongo.MongoClient[dict[str, Any]](uri) as client:
        client.drop_database(name)
        yield uri
        client.drop_database(name)


def mongod_pid() -> int:
    """The process of the MongoDB server."""
    with pymongo.MongoClient[dict[str, Any]](server_url("MONGODB_URI")) as client:
        return int(client.admin.command("serverStatus")["pid"])
