"""What must hold for any text that comes from a person: SQL, cron, intervals, patterns, result URLs."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import duckdb
from psycopg.conninfo import conninfo_to_dict

from logdrain.errors import CronInvalid, LogdrainError, ResultUrlInvalid, SqlError, ZoneInvalid
from logdrain.jobs import cron as cron_expressions
from logdrain.model.plans import Dialect
from logdrain.model.queries import EngineQuery
from logdrain.model.result_files import FileTarget
from logdrain.query.duckdb.allowed_functions import ENGINE_FUNCTIONS
from logdrain.query.values.java_format import formatted, has_seconds, pattern_parts
from logdrain.query.values.td_interval import interval
from logdrain.results.url.connection_url import PARAMETERS
from logdrain.results.url.target import parse_result, resolve
from tests.unit.query.event_tables import NOW_S, TABLES, lowered

_INSTANT = datetime(2012, 3, 1, tzinfo=UTC)
_TABLE_FUNCTIONS = frozenset({"unnest", "generate_series", "range"})
# What no query may reach, by what the engine itself calls it.
_SHUT = (
    "read_",
    "glob",
    "parquet",
    "sniff",
    "duckdb_",
    "pragma",
    "getenv",
    "current_setting",
    "query",
    "scan",
    "secret",
)
_CONNECTION = {"host", "port", "user", "password", "dbname", *PARAMETERS}
_PASSWORD_IN_PLACE = re.compile(r"postgres(?:ql)?://[^/?#@:]*:s3cretpassw0rd@")
_SECRET = "s3cretpassw0rd"  # to be looked for in messages


def sql(octets: bytes) -> None:
    """A text becomes one SELECT over its scans and allowed functions, or our error; in both dialects."""
    text = octets.decode("utf-8", "replace")
    for dialect in Dialect:
        try:
            query = lowered(text, TABLES, dialect=dialect)
        except SqlError as error:
            _check_message(error)
        else:
            check_query(query)


def check_query(query: EngineQuery) -> None:
    """The engine's own parser finds nothing in a query but its scans, its WITH, and allowed functions."""
    with duckdb.connect(":memory:") as connection:
        row = connection.execute("SELECT json_serialize_sql(?)", [query.sql]).fetchone()
    assert row is not None
    tree = json.loads(row[0])
    if tree["error"]:
        return  # the engine will not run it either
    assert len(tree["statements"]) == 1
    known = {scan.name.lower() for scan in query.plan.scans}
    nodes = list(_nodes(tree))
    for node in nodes:
        if isinstance(node.get("cte_map"), dict):
            known |= {entry["key"].lower() for entry in node["cte_map"].get("map", [])}
        if "cte_name" in node:
            known.add(str(node["cte_name"]).lower())
    for node in nodes:
        if node.get("type") == "BASE_TABLE":
            where = (node.get("catalog_name"), node.get("schema_name"))
            assert not any(where), f"a table of a schema: {node}"
            assert node["table_name"].lower() in known, f"reads {node['table_name']}"
        if node.get("type") == "TABLE_FUNCTION":
            assert node["function"]["function_name"].lower() in _TABLE_FUNCTIONS
        if node.get("class") == "FUNCTION" and not node.get("is_operator"):
            name = node["function_name"].lower()
            assert not name.startswith(_SHUT) or name in ENGINE_FUNCTIONS, f"calls {name}"


def cron(octets: bytes) -> None:
    """An expression has instants that come later and later, whole minutes all, or an error of ours."""
    expression, _, zone = octets.decode("utf-8", "replace").partition("\n")
    try:
        found = cron_expressions.parse(expression, zone or "UTC")
    except (CronInvalid, ZoneInvalid) as error:
        _check_message(error)
        return
    at = _INSTANT
    for _ in range(3):
        following = found.next_after(at)
        if following is None:
            break
        assert following > at
        assert following.second == following.microsecond == 0
        at = following


def td_interval(octets: bytes) -> None:
    """A spec is a range that does not go backwards, or none, or leaves the calendar."""
    try:
        found = interval(octets.decode("utf-8", "replace"), NOW_S, UTC)
    except OverflowError:
        return
    assert found is None or found[0] <= found[1]


def java_format(octets: bytes) -> None:
    """A pattern is text for every time, or it is refused as a whole."""
    parts = pattern_parts(octets.decode("utf-8", "replace"))
    if parts is None:
        return
    assert isinstance(has_seconds(parts), bool)
    for zone_names in (True, False):
        assert isinstance(formatted(_INSTANT, parts, zone_names=zone_names), str)


def result(octets: bytes) -> None:
    """A result goes to a named host over TCP with known parameters, or is refused without its password."""
    text = octets.decode("utf-8", "replace").replace("PASSWORD", _SECRET)
    try:
        parsed = parse_result(text)
        target = resolve(parsed, parsed.url or "postgres://u@ledger/db", _no_variable)
    except ResultUrlInvalid as error:
        _check_message(error)
        if _PASSWORD_IN_PLACE.match(text) and text.count(_SECRET) == 1 and _SECRET in str(error):
            raise AssertionError("the password is in the message") from None
        return
    if isinstance(target, FileTarget):
        assert target.folder.startswith("/")
        assert ".." not in target.folder.split("/")
        assert "/" not in target.table
        assert target.table not in {"", ".", ".."}
        return
    found = conninfo_to_dict(target.dsn)
    assert found.keys() <= _CONNECTION
    host = str(found["host"])
    assert host
    assert not host.startswith(("/", "@")), "a Unix socket"
    assert target.table
    assert len(target.table.encode()) <= 63  # Postgres cuts what is longer
    assert "\0" not in target.table + target.schema


def _no_variable(_: str) -> None:
    return None


def _check_message(error: LogdrainError) -> None:
    assert error.message
    assert "\x1b[4m" not in error.message, "the parser's own underlining"


def _nodes(tree: Any) -> Iterator[dict[str, Any]]:
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            yield node
            waiting.extend(node.values())
        elif isinstance(node, list):
            waiting.extend(node)
