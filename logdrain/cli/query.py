"""`logdrain query` and `logdrain explain`."""

import argparse
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

from logdrain.cli import servers
from logdrain.cli.query_output import FORMATS, write_stream
from logdrain.cli.sql_text import add_text_arguments, dialect_of, sql_of
from logdrain.errors import RunKilled
from logdrain.log import printable
from logdrain.model.queries import QueryRequest
from logdrain.model.stops import Stop

_T = TypeVar("_T")


def _add_sql_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare SQL, -q, -d, -T and --scheduled-time."""
    add_text_arguments(parser)
    parser.add_argument("-d", "--database", default="", help="where table names without a database live")
    parser.add_argument(
        "--scheduled-time",
        metavar="TIME",
        help="what TD_SCHEDULED_TIME() returns: unix seconds or a date and time (default: now)",
    )


def _request_of(arguments: argparse.Namespace) -> QueryRequest:
    """The query asked for."""
    from logdrain.jobs.option_values import read_time

    now_s = int(time.time())
    scheduled = arguments.scheduled_time
    return QueryRequest(
        sql=sql_of(arguments),
        database=arguments.database,
        dialect=dialect_of(arguments),
        scheduled_time_s=now_s if scheduled is None else int(read_time(scheduled).timestamp()),
        now_s=now_s,
    )


def add_query_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the words of the command."""
    parser.epilog = (
        "Trino SQL with Treasure Data's TD_* functions. `time` is unix seconds, `_time` a timestamp.\n"
        "example: logdrain query -d production 'SELECT COUNT(*) AS n FROM pay'"
    )
    _add_sql_arguments(parser)
    parser.add_argument("-f", "--format", choices=FORMATS, default="table", help="default: %(default)s")
    servers.add_data_argument(parser)


def run_query(arguments: argparse.Namespace) -> int:
    """Run SQL and print its rows: all of them, or none and an error."""
    from logdrain.answer.queries import Answer, once_more
    from logdrain.bootstrap.queries import open_queries
    from logdrain.errors import SqlError

    settings = servers.settings_of(arguments)
    request = _request_of(arguments)
    started_s = time.monotonic()
    with (
        open_queries(settings) as queries,
        tempfile.TemporaryFile("w+", encoding="utf-8", newline="") as rows,
    ):

        def write(stop: Stop) -> Answer:
            rows.seek(0)
            rows.truncate()
            with queries.stream(request, stop=stop, rows_max=settings.query_rows_max) as answer:
                write_stream(answer.rows, arguments.format, rows)
            return answer

        try:
            answer = run_in_thread(lambda stop: once_more(partial(write, stop)))
        except SqlError as error:
            _warn(error.warnings)
            raise
        _warn(answer.plan.warnings)
        rows.seek(0)
        shutil.copyfileobj(rows, sys.stdout)
    if sys.stderr.isatty():
        seconds = time.monotonic() - started_s
        sys.stderr.write(
            f"{answer.rows_read} events read ({answer.bytes_read} bytes), "
            f"{answer.rows.rows_read} rows, {seconds:.2f} s\n"
        )
    return 0


def run_in_thread(run: Callable[..., _T]) -> _T:
    """Run it in another thread, and ask it to end at Ctrl-C: the engine does not always hear that itself."""
    stop = Stop()
    with ThreadPoolExecutor(1) as pool:
        try:
            return pool.submit(run, stop=stop).result()
        except KeyboardInterrupt:
            stop.request(RunKilled("ended by Ctrl-C"))
            raise


def _warn(warnings: Iterable[str]) -> None:
    for warning in warnings:
        sys.stderr.write(f"warning: {printable(warning)}\n")


def add_explain_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the words of the command."""
    _add_sql_arguments(parser)
    servers.add_data_argument(parser)


def run_explain(arguments: argparse.Namespace) -> int:
    """Print what is read from MongoDB, what is filtered there, and what the engine runs."""
    from logdrain.bootstrap.queries import open_queries

    settings = servers.settings_of(arguments)
    with open_queries(settings) as queries:
        print(printable(queries.explain(_request_of(arguments))))
    return 0
