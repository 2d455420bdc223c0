"""`logdrain schema`, `schema:…`, `table:show`: a table's fields, what they held, and how they are read."""

import argparse
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from typing import NamedTuple

from logdrain.bootstrap import require
from logdrain.cli import servers
from logdrain.cli.events import open_look, table_named
from logdrain.cli.output import print_table, to_json
from logdrain.errors import UsageError
from logdrain.events.read.look import MongoLook
from logdrain.events.write.declarations import MongoDeclarations
from logdrain.model.catalog import (
    DECLARED_TYPES,
    HOUR_S,
    FieldPath,
    FieldType,
    SeenField,
    TableCatalog,
    TypeKind,
    is_plain,
)

_SHARE_EVENTS_MAX = 100_000
_VALUE_LENGTH = 24


class TypeLine(NamedTuple):
    """A type that a field has held.

    Attributes:
        share: Of the newest events.
        first: The first hour of event time, as text; "" where the catalog does not say.
        last: The last one.
        example: A value.
        example_id: The `_id` of its event.
    """

    field: str
    type: str
    share: str
    first: str
    last: str
    example: str
    example_id: str


def add_schema_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the words of the command."""
    parser.add_argument("table", help="database.table")
    parser.add_argument("--json", action="store_true", help="print JSON")
    servers.add_data_argument(parser)


def run_schema(arguments: argparse.Namespace) -> int:
    """Print a table's fields, the types that they have held, and the SQL type they read as."""
    from logdrain.bootstrap.events import open_source
    from logdrain.types.sql_types import column_type

    with open_source(servers.settings_of(arguments)) as source, open_look(arguments) as look:
        catalog = source.catalog(table_named(arguments.table, source.tables()))
        wanted = [
            SeenField(path, of)
            for path, types in sorted(catalog.fields.items())
            if arguments.json or len(types - {FieldType.NULL}) > 1
            for of in sorted(types)
        ]
        history = _history(catalog, wanted, look)

    def sql_type(path: FieldPath) -> str:
        declared = catalog.declared.get(path)
        return f"{declared} (declared)" if declared else str(column_type(catalog, path))

    paths = sorted({*catalog.fields, *catalog.declared})
    rows = [(".".join(path), ", ".join(sorted(catalog.types(path))), sql_type(path)) for path in paths]
    headings = ("field", "seen", "sql_type")
    if arguments.json:
        found: list[dict[str, object]] = [dict(zip(headings, row, strict=True)) for row in rows]
        for row in found:
            row["types"] = [line._asdict() for line in history if line.field == row["field"]]
        print(to_json(found))
        return 0
    print_table(headings, [("time", "date", "BIGINT"), ("_time", "date", "TIMESTAMPTZ"), *rows], sys.stdout)
    if history:
        print("\nFields that have held several types. A query reads a field as what it held in the hours")
        print(f"of the query's time range. The share is that of the newest {_SHARE_EVENTS_MAX:,} events.\n")
        print_table(TypeLine._fields, history, sys.stdout)
    if catalog.has_times_without_zone:
        print("Of some events the `time` has no zone: the frame's timestamp counts, `time_` has the text.")
    if catalog.is_full:
        print("There are more fields than LOGDRAIN_FIELDS_MAX: the others read as NULL.")
    return 0


def add_table_show_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the words of the command."""
    parser.add_argument("database", help="the first half of the tag")
    parser.add_argument("table", help="the second half")
    parser.add_argument("--json", action="store_true", help="print JSON")
    servers.add_data_argument(parser)


def run_table_show(arguments: argparse.Namespace) -> int:
    """Print a table's fields, as `logdrain schema DATABASE.TABLE` does."""
    arguments.table = f"{arguments.database}.{arguments.table}"
    return run_schema(arguments)


def add_schema_set_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the words of the command."""
    _add_columns(parser, f"field:type, such as price:double; types: {', '.join(DECLARED_TYPES)}")


def run_schema_set(arguments: argparse.Namespace) -> int:
    """Read these fields as these types, and no others as declared ones."""
    with _declarations(arguments) as (table, declarations):
        declarations.replace(table, _declared(arguments.columns))
    return 0


def add_schema_add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the words of the command."""
    add_schema_set_arguments(parser)


def run_schema_add(arguments: argparse.Namespace) -> int:
    """Read these fields, too, as these types."""
    with _declarations(arguments) as (table, declarations):
        declarations.add(table, _declared(arguments.columns))
    return 0


def add_schema_remove_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the words of the command."""
    _add_columns(parser, "a field that is read as what it held, again")


def run_schema_remove(arguments: argparse.Namespace) -> int:
    """Read these fields as what they held, again."""
    with _declarations(arguments) as (table, declarations):
        declarations.remove(table, [_path(name) for name in arguments.columns])
    return 0


def _add_columns(parser: argparse.ArgumentParser, words: str) -> None:
    parser.add_argument("table", help="database.table")
    parser.add_argument("columns", nargs="+", metavar="column", help=words)
    servers.add_data_argument(parser)


@contextmanager
def _declarations(arguments: argparse.Namespace) -> Iterator[tuple[str, MongoDeclarations]]:
    with open_look(arguments) as look:
        table = table_named(arguments.table, look.tables())
    uri = require(servers.settings_of(arguments).mongodb_uri, "MONGODB_URI")
    with closing(MongoDeclarations(uri)) as declarations:
        yield table.name, declarations


def _declared(columns: list[str]) -> dict[FieldPath, TypeKind]:
    declared = {}
    for column in columns:
        name, colon, of = column.rpartition(":")
        if not colon or of.lower() not in DECLARED_TYPES:
            hint = f"write {name or of}:TYPE; types: {', '.join(DECLARED_TYPES)}"
            raise UsageError(f"{column!r} is no field:type", hint=hint)
        declared[_path(name)] = DECLARED_TYPES[of.lower()]
    return declared


def _path(name: str) -> FieldPath:
    if not all(name.split(".")):
        raise UsageError(f"{name!r} names no field", hint="write field, or object.field")
    return tuple(name.split("."))


def _history(catalog: TableCatalog, fields: list[SeenField], look: MongoLook) -> list[TypeLine]:
    counted = [of for of in fields if is_plain(of.path) and "[]" not in of.path]
    from logdrain.types.type_table import BSON_TYPES

    types = [(path, BSON_TYPES[of].aliases) for path, of in counted]
    shares = dict(zip(counted, look.type_shares(catalog.table, types, _SHARE_EVENTS_MAX), strict=True))
    lines = []
    for of in fields:
        hours = catalog.hours.get(of)
        event = look.event(catalog.table, hours.example) if hours and hours.example else None
        lines.append(
            TypeLine(
                ".".join(of.path),
                of.type.value,
                f"{shares[of]:.2%}" if of in shares else "",
                _hour(hours.first) if hours else "",
                _hour(hours.last) if hours else "",
                _value(event.record, of.path) if event else "",
                hours.example.hex() if hours else "",
            )
        )
    return lines


def _hour(hour: int) -> str:
    return datetime.fromtimestamp(hour * HOUR_S, UTC).strftime("%Y-%m-%d %H:00")


def _value(record: object, path: FieldPath) -> str:
    for key in path:
        if not isinstance(record, dict) or key not in record:
            return ""
        record = record[key]
    text = to_json(record)
    return text if len(text) <= _VALUE_LENGTH else text[:_VALUE_LENGTH] + "…"
