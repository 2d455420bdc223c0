"""Trino's times with a zone: the engine has the instant, the type has the zone.

`FROM_UNIXTIME(t, z)`, `x AT TIME ZONE z` and `TIMESTAMP '… z'` are instants; DATE_TRUNC and DATE_ADD keep
the zone, comparisons and TO_UNIXTIME see the instant, all else the local time. That is in the rows, too.
"""

from datetime import UTC, datetime, timedelta
from functools import lru_cache

from sqlglot import exp

from logdrain.errors import UnsupportedSql
from logdrain.model.plans import Dialect
from logdrain.query.duckdb.templates import template
from logdrain.query.sql.context import SqlTree
from logdrain.query.sql.kinds import TEXT, is_of
from logdrain.query.sql.zoned_types import OFFSET, ZONED, called_zone, is_zoned, type_zone
from logdrain.query.values.td_time import find_zone

_ZONE_HINT = "write an IANA name: 'Asia/Tokyo'"
_UNKNOWN_HINT = "name the zone in the same SELECT, or use TD_DATE_TRUNC and TD_TIME_FORMAT, which take one"

_LOCAL = "_0 AT TIME ZONE _1"
# Of a local time that a clock change repeats the first, where the engine takes the last.
_INSTANT = (
    "CASE WHEN ((_0 AT TIME ZONE _1) - INTERVAL '1' HOUR) AT TIME ZONE _1 = _0 "
    "THEN (_0 AT TIME ZONE _1) - INTERVAL '1' HOUR ELSE _0 AT TIME ZONE _1 END"
)
_START = "_0 - ((_0 AT TIME ZONE _1) - _2)"
_AS_TEXT = "STRFTIME(_0 AT TIME ZONE _1, '%Y-%m-%d %H:%M:%S.%g ') || _1"
_MINUTES = "CAST((EPOCH(_0 AT TIME ZONE _1) - EPOCH(_0)) / 60 AS BIGINT)"
_ISO_8601 = (
    "STRFTIME(_0 AT TIME ZONE _1, '%Y-%m-%dT%H:%M:%S.%g') || CASE _2 WHEN 0 THEN 'Z' ELSE "
    "PRINTF('%s%02d:%02d', CASE WHEN _2 < 0 THEN '-' ELSE '+' END, ABS(_2) // 60, ABS(_2) % 60) END"
)

_OFFSET_PARTS = {"TIMEZONE_HOUR": "CAST(TRUNC(_0 / 60) AS BIGINT)", "TIMEZONE_MINUTE": "_0 % 60"}

_OF_A_DAY = frozenset({"HOUR", "MINUTE", "SECOND", "MILLISECOND"})
_STEPS = (exp.DateAdd, exp.TimestampAdd)
_STARTS = (exp.TimestampTrunc, exp.DateTrunc)
_CHOICES = (exp.Case, exp.If, exp.Coalesce, exp.Nullif, exp.Greatest, exp.Least)
_NO_TIMES = frozenset({exp.DType.BOOLEAN, exp.DType.NULL})
_SEE_INSTANTS = (exp.TimeToUnix, exp.Count, exp.CountIf, exp.ApproxDistinct, exp.Connector, exp.Predicate)


def lower_time_zones(context: SqlTree) -> None:
    """Write every time with a zone as its instant, and as the local time where that is read.

    Raises:
        UnsupportedSql: a zone that the engine lacks, or that is not known where it is needed.
    """
    if context.dialect is not Dialect.TRINO:
        return
    zones = _Zones(context)
    zones.check_columns()
    for node in reversed(list(context.statement.walk())):
        zones.write(node)
    for select in _outermost(context.statement):
        for projection in select.expressions:
            if is_zoned(projection.this):
                zones.localize(projection.this)
        order = select.args.get("order")
        for key in order.expressions if order and select.args.get("distinct") else ():
            if is_zoned(key.this):
                zones.localize(key.this)


class _Zones:
    def __init__(self, context: SqlTree) -> None:
        self._context = context

    def check_columns(self) -> None:
        """Refuse a column whose type was not inferred (in UNNEST), but which has a zone where it is made."""
        statement = self._context.statement
        made = {
            (source.alias, name)
            for source in statement.find_all(exp.Subquery, exp.CTE)
            for name, projection in zip(_names(source), source.this.selects, strict=False)
            if is_zoned(projection)
        }
        tables = [(table.alias, table.name) for table in statement.find_all(exp.Table)]
        made |= {(alias, column) for alias, name in tables for table, column in made if name == table}
        for column in statement.find_all(exp.Column) if made else ():
            is_known = column.type is not None and not column.is_type(exp.DType.UNKNOWN)
            if not is_known and (column.table, column.name) in made:
                raise self._refusal(column, "the zone of this time is not known here")

    def write(self, node: exp.Expr) -> None:
        """One node, whose arguments are written already."""
        if isinstance(node, exp.SetOperation):
            self._check_union(node)
        elif not self._is_made(node):
            children = [child for child in node.iter_expressions() if is_zoned(child)]
            if isinstance(node, exp.DateDiff):
                self._date_diff(node)
            elif isinstance(node, _CHOICES) and children:
                self._check_choice(node)
            elif isinstance(node, exp.Cast) and children:
                self._cast(node)
            elif isinstance(node, exp.Anonymous) and node.name.lower() == "to_iso8601" and children:
                minutes = self._filled(_MINUTES, children[0])
                node.replace(self._filled(_ISO_8601, children[0], minutes))
            elif children and (part := _OFFSET_PARTS.get(_part_name(node))):
                node.replace(template(part, self._filled(_MINUTES, children[0])))
            elif isinstance(node, exp.Func) and not (isinstance(node, _SEE_INSTANTS) or _holds_zone(node)):
                for child in children:
                    self.localize(child)

    def localize(self, node: exp.Expr) -> None:
        """Put the local time in the place of an instant."""
        node.replace(self._local(node))

    def _is_made(self, node: exp.Expr) -> bool:
        """Write what makes a time with a zone; False where the node does not."""
        made: exp.Expr | None = None
        if isinstance(node, exp.UnixToTime) and node.args.get("zone"):
            made = node.copy()
            made.set("zone", None)
        elif isinstance(node, exp.AtTimeZone):
            made = exp.cast(node.this.copy(), exp.DType.TIMESTAMPTZ)
        elif called_zone(node) is not None:
            made = self._called(node)
        elif isinstance(node, _STARTS) and is_zoned(node.this):
            made = self._start(node)
        elif isinstance(node, _STEPS) and is_zoned(node.this):
            made = self._step(node, node.text("unit").upper())
        elif (
            isinstance(node, (exp.Add, exp.Sub))
            and isinstance(node.expression, exp.Interval)
            and is_zoned(node.this)
        ):
            # Trino adds days as 24 hours here, months on the calendar of the zone.
            unit = node.expression.text("unit").upper()
            made = self._step(node, unit if unit in ("MONTH", "YEAR") else "HOUR")
        if made is None:
            return False
        self._checked(node, type_zone(node))
        made = exp.Paren(this=made)
        made.type = node.type
        node.replace(made)
        return True

    def _called(self, node: exp.Expr) -> exp.Expr:
        time, zone = node.expressions
        if node.name.lower() == "at_timezone":
            return exp.cast(time.copy(), exp.DType.TIMESTAMPTZ)
        local = self._local(time) if is_zoned(time) else exp.cast(time.copy(), exp.DType.TIMESTAMP)
        return self._instant(local, self._checked(node, zone))

    def _start(self, node: exp.Expr) -> exp.Expr:
        unit = exp.Literal.string(node.text("unit").lower())
        start = exp.Anonymous(this="DATE_TRUNC", expressions=[unit, self._local(node.this)])
        if node.text("unit").upper() in _OF_A_DAY:
            return self._filled(_START, node.this, start)
        return self._instant(start, self._zone(node.this))

    def _step(self, node: exp.Expr, unit: str) -> exp.Expr:
        moved = node.copy()
        if unit in _OF_A_DAY:
            return moved
        moved.set("this", self._local(node.this))
        return self._instant(exp.Paren(this=moved), self._zone(node.this))

    def _date_diff(self, node: exp.DateDiff) -> None:
        """Days and longer units are those of the first time's zone."""
        later, first = node.this, node.expression  # date_diff(unit, first, later)
        for side in (later, first):
            if not is_zoned(side) and (is_zoned(later) or is_zoned(first)):
                side.replace(exp.cast(side.copy(), exp.DType.TIMESTAMPTZ))
        if is_zoned(first) and node.text("unit").upper() not in _OF_A_DAY:
            zone = self._zone(first)
            for side in (node.this, node.expression):
                side.replace(template(_LOCAL, side, zone))

    def _cast(self, node: exp.Cast) -> None:
        if is_of(node.to, TEXT):
            node.replace(self._filled(_AS_TEXT, node.this))
        else:
            self.localize(node.this)

    def _check_choice(self, node: exp.Expr) -> None:
        values = [part for part in node.iter_expressions() if not is_of(part, _NO_TIMES)]
        if isinstance(node, exp.Nullif):
            values = [node.this]
        zones = {_zone_name(part) for part in values if not isinstance(part, (exp.If, exp.Null))}
        if len(zones) > 1:
            raise self._refusal(node, "times of several zones in one value")

    def _check_union(self, node: exp.SetOperation) -> None:
        for left, right in zip(node.left.selects, node.right.selects, strict=False):
            if (is_zoned(left) or is_zoned(right)) and _zone_name(left) != _zone_name(right):
                raise self._refusal(left, "times of several zones in one column")

    def _filled(self, text: str, time: exp.Expr, third: exp.Expr | None = None) -> exp.Expr:
        return template(text, time, self._zone(time), third or exp.Null())

    def _local(self, time: exp.Expr) -> exp.Expr:
        return self._filled(_LOCAL, time)

    def _instant(self, local: exp.Expr, zone: exp.Expr) -> exp.Expr:
        text = _INSTANT if not zone.is_string or _repeats_times(zone.name) else _LOCAL
        return template(text, local, zone)

    def _zone(self, node: exp.Expr) -> exp.Expr:
        """The zone of a time, as the engine calls it."""
        zone = type_zone(node)
        if zone is None or not (zone.is_string or isinstance(node, exp.Paren)):
            raise self._refusal(node, "the zone of this time is not a constant, and not known here")
        return self._checked(node, zone)

    def _checked(self, node: exp.Expr, zone: exp.Expr | None) -> exp.Expr:
        if zone is None or not zone.is_string:
            return zone or exp.Null()
        name = zone.name
        offset = OFFSET.fullmatch(name)
        if offset:  # the engine reads POSIX signs: west is positive
            hours = int(offset["hours"])
            return exp.Literal.string(
                f"Etc/GMT{'-' if offset['sign'] == '+' else '+'}{hours}" if hours else "UTC"
            )
        if find_zone(name) is None or name[:1] in "+-":
            raise UnsupportedSql(
                f"{name!r} is no time zone here", place=self._context.place(node), hint=_ZONE_HINT
            )
        return exp.Literal.string(name)

    def _refusal(self, node: exp.Expr, problem: str) -> UnsupportedSql:
        return UnsupportedSql(f"{problem}", place=self._context.place(node), hint=_UNKNOWN_HINT)


@lru_cache(maxsize=256)
def _repeats_times(name: str) -> bool:
    """Whether the clock there has ever been changed since 1970."""
    zone = find_zone(name)
    days = (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=30 * month) for month in range(1000))
    return zone is None or len({zone.utcoffset(day) for day in days}) > 1


def _outermost(statement: exp.Expr) -> list[exp.Select]:
    if isinstance(statement, exp.SetOperation):
        return [*_outermost(statement.left), *_outermost(statement.right)]
    if isinstance(statement, exp.Subquery):
        return _outermost(statement.this)
    return [statement] if isinstance(statement, exp.Select) else []


def _part_name(node: exp.Expr) -> str:
    """`TIMEZONE_HOUR(x)` and `EXTRACT(TIMEZONE_HOUR FROM x)` by their part."""
    return node.name.upper() if isinstance(node, (exp.Anonymous, exp.Extract)) else ""


def _names(source: exp.Expr) -> list[str]:
    """What the columns of a derived table are called."""
    renamed = [column.name for column in source.args["alias"].columns] if _has_columns(source) else []
    return renamed or list(source.this.named_selects)


def _has_columns(source: exp.Expr) -> bool:
    return isinstance(source.args.get("alias"), exp.TableAlias)


def _holds_zone(node: exp.Expr) -> bool:
    """Whether it is, or is a list or row of, times with a zone."""
    return bool(node.type and any(part.this is ZONED for part in node.type.find_all(exp.DataType)))


def _zone_name(node: exp.Expr) -> str:
    zone = type_zone(node)
    return zone.sql() if zone is not None else ""
