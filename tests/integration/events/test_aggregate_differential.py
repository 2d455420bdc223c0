"""Random records, random queries: what MongoDB answers is what the engine answers, and what Python says."""

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from logdrain.errors import NumberOverflow
from logdrain.model.events import Record
from logdrain.model.plans import Dialect
from tests.integration.events.aggregated import SCHEDULED_TIME_S, AggregatedTables, Row, aggregated_tables

ON_A_SERVER = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
START_MS = (SCHEDULED_TIME_S - 5) * 1000

INTEGERS = st.integers(-3, 3) | st.sampled_from([2**31, 2**53 + 1, -(2**53) - 1, 2**62, -(2**62)])
DOUBLES = st.sampled_from([-0.0, 0.0, 0.1, -0.1, 1.5, 2.0**53, 1e15, -1e15, 1e-300]) | st.floats(-1e9, 1e9)
TEXTS = st.sampled_from(["", "a", "A", "b", "é", "e\u0301", "\0", "a\0b", "\U0001f600", "\uffff", "10", "9"])
FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "i": st.none() | INTEGERS,
    "small": st.integers(0, 2),
    "d": st.none() | DOUBLES,
    "m": st.none() | st.integers(-3, 3) | DOUBLES,
    "s": st.none() | TEXTS,
    "t": TEXTS,
    "b": st.none() | st.booleans(),
    "o": st.none() | st.just(7) | st.fixed_dictionaries({}, optional={"k": TEXTS, "n": st.integers(0, 3)}),
    "a": st.none() | st.lists(st.integers(0, 1), max_size=2),
    "x": st.sampled_from([1, "a", True, None, 0.5]),
}
EVENTS = st.lists(
    st.tuples(st.integers(0, 9_999), st.fixed_dictionaries({}, optional=FIELDS)), min_size=1, max_size=12
)
KEYS = ["small", "d", "s", "t", "b", "o.k", "o.n", "i"]
MEASURED = {
    "COUNT": ["i", "d", "m", "s", "b", "a", "x", "o.k", "time"],
    "SUM": ["i", "small", "d", "m", "o.n"],
    "MIN": ["i", "d", "m", "s", "b", "o.k", "time"],
    "MAX": ["i", "d", "m", "s", "b", "o.k", "time"],
    "AVG": ["i", "small", "d", "m"],
}
CONDITIONS: dict[str, Callable[[Record], bool]] = {
    f"TD_TIME_RANGE(time, {SCHEDULED_TIME_S - 3}, {SCHEDULED_TIME_S + 2})": lambda record: (
        SCHEDULED_TIME_S - 3 <= record["time"] < SCHEDULED_TIME_S + 2
    ),
    f"time > {SCHEDULED_TIME_S - 2}": lambda record: bool(record["time"] > SCHEDULED_TIME_S - 2),
    f"time IN ({SCHEDULED_TIME_S}, {SCHEDULED_TIME_S - 4})": lambda record: (
        record["time"] in {SCHEDULED_TIME_S, SCHEDULED_TIME_S - 4}
    ),
    "small <> 1": lambda record: record.get("small") not in {1, None},
    "i IS NULL": lambda record: record.get("i") is None,
    "s IN ('a', 'é')": lambda record: record.get("s") in {"a", "é"},
    "d > 0": lambda record: record.get("d") is not None and record["d"] > 0,
    "NOT t IS NULL": lambda record: record.get("t") is not None,
    "t BETWEEN 'A' AND 'b'": lambda record: "A" <= record.get("t", "") <= "b",
}


class Asked(NamedTuple):
    keys: list[str]
    measures: list[tuple[str, str]]
    conditions: list[str]

    @property
    def sql(self) -> str:
        columns = [*self.keys, *(f"{function}({of})" for function, of in self.measures)]
        named = ", ".join(f"{column} AS c{number}" for number, column in enumerate(columns))
        where = f" WHERE {' AND '.join(self.conditions)}" if self.conditions else ""
        group = f" GROUP BY {', '.join(self.keys)}" if self.keys else ""
        return f"SELECT {named} FROM {{table}}{where}{group}"  # noqa: S608  # made of the lists above


MEASURES = st.sampled_from([("COUNT", "*"), *((name, of) for name in MEASURED for of in MEASURED[name])])
QUESTIONS = st.builds(
    Asked,
    st.lists(st.sampled_from(KEYS), max_size=3, unique=True),
    st.lists(MEASURES, min_size=1, max_size=4),
    st.lists(st.sampled_from(sorted(CONDITIONS)), max_size=2, unique=True),
)


@pytest.fixture
def tables(mongodb_uri: str) -> Iterator[AggregatedTables]:
    with aggregated_tables(mongodb_uri) as opened:
        yield opened


@ON_A_SERVER
@given(events=EVENTS, questions=st.lists(QUESTIONS, min_size=3, max_size=3))
def test_the_store_answers_as_the_engine_and_as_python(
    tables: AggregatedTables, events: list[tuple[int, Record]], questions: list[Asked]
) -> None:
    table = next(tables.names)
    tables.store([(START_MS + offset_ms, record) for offset_ms, record in events], table)
    records = [{**record, "time": (START_MS + offset_ms) // 1000} for offset_ms, record in events]
    for asked in questions:
        sql = asked.sql.format(table=table)
        expected = by_python(asked, records)
        if expected is None:
            for queries in (tables.in_store, tables.in_engine):
                with pytest.raises(NumberOverflow):
                    tables.ask(sql, queries)
            continue
        in_store, in_engine = tables.ask(sql, tables.in_store), tables.ask(sql, tables.in_engine)
        assert in_store.schema == in_engine.schema
        assert in_store.answer.rows_read == in_engine.answer.rows_read
        require_same(asked, in_store.rows, expected, records)
        require_same(asked, in_engine.rows, expected, records)


def by_python(asked: Asked, records: Sequence[Record]) -> list[Row] | None:
    """The rows; None where a sum of whole numbers leaves 64 bits."""
    groups: dict[Row, list[Record]] = defaultdict(list)
    if not asked.keys:
        groups[()] = []
    for record in records:
        if all(CONDITIONS[condition](record) for condition in asked.conditions):
            groups[tuple(value(record, key) for key in asked.keys)].append(record)
    rows = [
        (*key, *(measured(*measure, group, records) for measure in asked.measures))
        for key, group in groups.items()
    ]
    is_overflown = any(type(cell) is int and not -(2**63) <= cell < 2**63 for row in rows for cell in row)
    return None if is_overflown else rows


def value(record: Record, name: str) -> Any:
    found: Any = record
    for step in name.split("."):
        found = found.get(step) if isinstance(found, dict) else None
    return found


def measured(function: str, of: str, group: Sequence[Record], records: Sequence[Record]) -> Any:
    if of == "*":
        return len(group)
    values = [found for record in group if (found := value(record, of)) is not None]
    if function == "COUNT":
        return len(values)
    if not values:
        return None
    if function in {"MIN", "MAX"}:
        extreme = min if function == "MIN" else max
        return extreme(values, key=lambda found: found.encode() if isinstance(found, str) else found)
    if any(isinstance(value(record, of), float) for record in records):
        total: Any = math.fsum(values)
    else:
        total = sum(values)
    return total if function == "SUM" else float(total) / len(values)


def require_same(asked: Asked, rows: list[Row], expected: list[Row], records: Sequence[Record]) -> None:
    """Equal in any order; sums and averages of doubles up to what rounding can do in any order of adding."""
    exact = len(asked.keys)
    ours, theirs = ({row[:exact]: row[exact:] for row in found} for found in (rows, expected))
    assert len(ours) == len(rows)
    assert ours.keys() == theirs.keys()
    for key, cells in ours.items():
        for cell, wanted, (function, of) in zip(cells, theirs[key], asked.measures, strict=True):
            if function in {"SUM", "AVG"} and isinstance(wanted, float) and isinstance(cell, float):
                sizes = [abs(found) for record in records if (found := value(record, of)) is not None]
                assert abs(cell - wanted) <= 2 * len(sizes) * math.fsum(sizes) * 2.0**-53
            else:
                assert cell == wanted


class Item(NamedTuple):
    """An item of ORDER BY; `nulls` is "" for what the dialect does."""

    column: int
    direction: str
    nulls: str


class Ordered(NamedTuple):
    """A question whose rows are filtered, sorted and cut."""

    asked: Asked
    having: list[tuple[int, str]]
    order: list[Item]
    offset: int | None
    limit: int | None
    dialect: Dialect

    def sql(self, table: str) -> str:
        columns = [*self.asked.keys, *(f"{function}({of})" for function, of in self.asked.measures)]
        having = " AND ".join(f"{columns[at]} {HAVING[condition]}" for at, condition in self.having)
        order = ", ".join(f"c{at} {direction} {nulls}" for at, direction, nulls in self.order)
        parts = [self.asked.sql.format(table=table)]
        parts += [f"HAVING {having}"] if having else []
        parts += [f"ORDER BY {order}"] if order else []
        cut = [f"OFFSET {self.offset}"] if self.offset is not None else []
        cut += [f"LIMIT {self.limit}"] if self.limit is not None else []
        return " ".join(parts + (cut[::-1] if self.dialect is Dialect.HIVE else cut))

    def expected(self, rows: list[Row]) -> list[Row]:
        """What is kept of all rows, sorted, not cut: equal ones come in any order."""
        found = [row for row in rows if all(PASSES[condition](row[at]) for at, condition in self.having)]
        for at, direction, nulls in reversed(self.order):
            is_descending = direction == "DESC"
            at_start = nulls == "NULLS FIRST" or (
                not nulls and self.dialect is Dialect.HIVE and not is_descending
            )
            missing = [row for row in found if row[at] is None]
            there = [row for row in found if row[at] is not None]
            there.sort(key=lambda row: comparable(row[at]), reverse=is_descending)  # at once
            found = missing + there if at_start else there + missing
        return found

    def keys(self, rows: list[Row]) -> list[Row]:
        """What the rows are sorted by."""
        return [tuple(row[item.column] for item in self.order) for row in rows]


def comparable(value: Any) -> Any:
    return value.encode() if isinstance(value, str) else value


HAVING = {
    "null": "IS NULL",
    "not_null": "IS NOT NULL",
    "above": "> 0",
    "below": "<= 1",
    "one_of": "IN (1, 3, -2)",
}
PASSES: dict[str, Callable[[Any], bool]] = {
    "null": lambda value: value is None,
    "not_null": lambda value: value is not None,
    "above": lambda value: value is not None and bool(value > 0),
    "below": lambda value: value is not None and bool(value <= 1),
    "one_of": lambda value: value is not None and value in {1, 3, -2},
}
# Sums and averages of doubles have no exact place in an order, and text is not compared with numbers.
EXACT = [("COUNT", "*"), ("SUM", "small"), ("SUM", "o.n"), ("AVG", "small")]
EXACT += [(function, of) for function in ("COUNT", "MIN", "MAX") for of in MEASURED[function]]
WHOLE: Record = {"i": 0, "small": 1, "d": 0.5, "m": 1, "s": "a", "t": "a", "b": True, "o": {"k": "a", "n": 1}}
TEXTUAL = {"s", "t", "b", "o.k"}


@st.composite
def ordered(draw: st.DrawFn) -> Ordered:
    keys = draw(st.lists(st.sampled_from(KEYS), min_size=1, max_size=2, unique=True))
    measures = draw(st.lists(st.sampled_from(EXACT), min_size=1, max_size=3))
    columns = st.integers(0, len(keys) + len(measures) - 1)
    having = draw(st.lists(st.tuples(columns, st.sampled_from(sorted(HAVING))), max_size=2))
    dialect, limit = draw(st.sampled_from(Dialect)), draw(st.none() | st.integers(0, 5))
    has_offset = dialect is Dialect.TRINO or limit is not None  # Hive's OFFSET comes with a LIMIT
    fields = [*keys, *("" if function == "COUNT" else of for function, of in measures)]
    return Ordered(
        Asked(keys, measures, []),
        [
            (at, condition)
            for at, condition in having
            if fields[at] not in TEXTUAL or condition in {"null", "not_null"}
        ],
        draw(
            st.lists(
                st.builds(
                    Item,
                    columns,
                    st.sampled_from(["", "ASC", "DESC"]),
                    st.sampled_from(["", "NULLS FIRST", "NULLS LAST"]),
                ),
                max_size=3,
                unique_by=lambda item: item.column,
            )
        ),
        draw(st.none() | st.integers(0, 4)) if has_offset else None,
        limit,
        dialect,
    )


@ON_A_SERVER
@given(events=EVENTS, questions=st.lists(ordered(), min_size=4, max_size=4))
def test_sorted_and_cut_they_are_the_engines_rows_too(
    tables: AggregatedTables, events: list[tuple[int, Record]], questions: list[Ordered]
) -> None:
    table = next(tables.names)
    events = [(0, WHOLE), *events]  # else the store is seldom asked
    tables.store([(START_MS + offset_ms, record) for offset_ms, record in events], table)
    records = [{**record, "time": (START_MS + offset_ms) // 1000} for offset_ms, record in events]
    for question in questions:
        everything = by_python(question.asked, records)
        if everything is None:
            continue
        expected = question.expected(everything)
        start = question.offset or 0
        end = None if question.limit is None else start + question.limit
        for queries in (tables.in_store, tables.in_engine):
            found = tables.ask(question.sql(table), queries, dialect=question.dialect).rows
            assert question.keys(found) == question.keys(expected)[start:end]
            assert not Counter(found) - Counter(expected)
            assert len(found) == len(expected[start:end])
