"""`logdrain query -d DB "SELECT …"`."""

import argparse
import shutil
import sys
import tempfile
import time

from logdrain.cli import servers
from logdrain.cli.output import FORMATS, write_stream
from logdrain.cli.sql_text import add_sql_arguments, request_of
from logdrain.ports import ArrowStream


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the words of the command."""
    parser.epilog = (
        "Trino SQL with Treasure Data's TD_* functions. `time` is unix seconds, `_time` a timestamp. "
        "example: logdrain query -d production 'SELECT COUNT(*) AS n FROM pay'"
    )
    add_sql_arguments(parser)
    parser.add_argument("--format", "-f", choices=FORMATS, default="table", help="(default: %(default)s)")
    servers.add_data_argument(parser)


def run(arguments: argparse.Namespace) -> int:
    """Run SQL and print its rows: all of them, or none and an error."""
    from logdrain.bootstrap import open_queries
    from logdrain.pipeline.queries import Reading

    settings = servers.settings(arguments)
    request = request_of(arguments)
    started_s = time.monotonic()
    with (
        open_queries(settings) as queries,
        tempfile.TemporaryFile("w+", encoding="utf-8", newline="") as rows,
    ):

        def write(_reading: Reading, stream: ArrowStream) -> int:
            rows.seek(0)
            rows.truncate()
            return write_stream(stream, arguments.format, rows)

        answer = queries.run(request, write)
        for warning in answer.plan.warnings:
            sys.stderr.write(f"warning: {warning}\n")
        rows.seek(0)
        shutil.copyfileobj(rows, sys.stdout)
    if sys.stderr.isatty():
        seconds = time.monotonic() - started_s
        sys.stderr.write(f"{answer.rows_read} events read, {answer.rows_out} rows, {seconds:.2f} s\n")
    return 0
