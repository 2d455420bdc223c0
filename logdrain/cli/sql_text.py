"""How a command is given SQL: as a word, from STDIN or from a file."""

import argparse
import sys
from pathlib import Path

from logdrain.errors import UsageError
from logdrain.model.plans import Dialect


def add_text_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare SQL, -q and -T."""
    parser.add_argument("sql", nargs="?", metavar="SQL", help="the query; - reads it from STDIN")
    parser.add_argument("-q", "--query", type=Path, metavar="FILE", help="read the query from a file")
    parser.add_argument(
        "-T",
        "--type",
        choices=["trino", "presto", "hive"],
        default="trino",
        help="the SQL dialect (default: %(default)s)",
    )


def dialect_of(arguments: argparse.Namespace) -> Dialect:
    """The dialect asked for; Presto is Trino's earlier name."""
    return Dialect.HIVE if arguments.type == "hive" else Dialect.TRINO


def sql_of(arguments: argparse.Namespace) -> str:
    """The SQL text, from wherever it was given.

    Raises:
        UsageError: none was given, or two, or the file cannot be read.
    """
    if (arguments.sql is None) == (arguments.query is None):
        what = "no query was given" if arguments.sql is None else "the query was given twice"
        if arguments.query is not None and not arguments.query.is_file():
            what += f", and {arguments.query} is no file"
        raise UsageError(what, hint="give the query once: as an argument, as - for STDIN, or with -q FILE")
    if arguments.sql is not None and arguments.sql != "-":
        return str(arguments.sql)
    return read_sql(arguments.query)


def read_sql(file: Path | None) -> str:
    """The text of a file, or of STDIN; a byte order mark before it is left out.

    Raises:
        UsageError: it cannot be read, or is no UTF-8.
    """
    name = "STDIN" if file is None else str(file)
    try:
        octets = sys.stdin.buffer.read() if file is None else file.read_bytes()
    except OSError as error:
        raise UsageError(f"{name} cannot be read: {error.strerror}", hint="name a file with SQL") from error
    try:
        return octets.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = octets.count(b"\n", 0, error.start) + 1
        raise UsageError(f"{name}, line {line}: this is no UTF-8", hint="save it as UTF-8") from error
