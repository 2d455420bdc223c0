"""A narrowed key sees what it would see if the rest had never been logged: whatever the SQL."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from logdrain.answer.queries import Queries
from logdrain.errors import LogdrainError
from logdrain.model.narrowing import read_narrowing
from tests.conftest import own_mongodb_database
from tests.integration.events.aggregated import SCHEDULED_TIME_S, AggregatedTables, aggregated_tables

START_MS = SCHEDULED_TIME_S * 1000
SECRET = "hidden-9731"  # nothing that a narrowed key may see has it

Row = dict[str, Any]


def row(tenant: int, number: int, **more: Any) -> Row:
    return {
        "tenant": tenant,
        "n": number,
        "price": number / 2,
        "item": f"item-{number % 3}",
        "tags": ["a", f"t{number}"],
        "user": {"name": f"u{number}"},
        **more,
    }


SEEN = [row(7, number) for number in range(6)]
OTHERS = [
    row(8, 1_000_000 + number, item=SECRET, tags=[SECRET], user={"name": SECRET}) for number in range(6)
]
# As the narrowed key must not see them: more fields, one of them with two types, one below another.
FULL = [
    {
        **each,
        "email": f"{SECRET}@x" if each["n"] % 2 else each["n"],
        "user": {**each["user"], "phone": SECRET},
    }
    for each in (*SEEN, *OTHERS)
]
NARROWING = read_narrowing(
    ("production.pay", "production.o*"), {"field": "tenant", "op": "eq", "value": 7}, ("Email", "user.phone")
)


class Worlds(NamedTuple):
    """The same events, narrowed; and a store in which there is nothing else."""

    narrowed: Queries
    alone: Queries
    ask: AggregatedTables

    def outcome(self, sql: str, queries: Queries) -> object:
        """Rows in an order of ours, names and types, warnings; or the error."""
        try:
            asked = self.ask.ask(sql, queries)
        except LogdrainError as error:
            return str(error), getattr(error, "warnings", ())
        return sorted(map(repr, asked.rows)), asked.schema, asked.answer.plan.warnings


@pytest.fixture(scope="module")
def worlds(mongodb_server_uri: str) -> Iterator[Worlds]:
    with (
        own_mongodb_database(mongodb_server_uri) as uri,
        own_mongodb_database(mongodb_server_uri) as uri_alone,
        aggregated_tables(uri) as full,
        aggregated_tables(uri_alone) as alone,
    ):
        for tables, rows in ((full, FULL), (alone, SEEN)):
            tables.store([(START_MS + number, each) for number, each in enumerate(rows)])
            tables.store([(START_MS + number, each) for number, each in enumerate(rows[:3])], "other")
        full.store([(START_MS, {"n": SECRET, "tenant": 7})], "secret_table")
        yield Worlds(full.in_store.narrowed(NARROWING), alone.in_engine, full)


FIELDS = ("n", "price", "item", "tags", "user", '"user".name', "tenant", "time")
HIDDEN = ("email", "EMAIL", '"user".phone', "emial", "never")
names = st.sampled_from(FIELDS + HIDDEN)
tables = st.sampled_from(("pay", "other", "production.pay", "secret_table", "pays", "PAY"))
expressions = st.one_of(
    names,
    st.builds("CAST({} AS BIGINT)".format, names),
    st.builds("COALESCE(CAST({} AS VARCHAR), 'none')".format, names),
    st.builds("LENGTH({})".format, names),
    st.builds("{} + 1".format, names),
    st.builds("1 / ({} - 1000001)".format, names),  # an error, were a hidden row ever looked at
    st.builds("TYPEOF({})".format, names),
    st.builds("CASE WHEN {} IS NULL THEN 'no' ELSE 'yes' END".format, names),
)
conditions = st.one_of(
    st.just("1 = 1 OR tenant = 8"),
    st.just("tenant = 8"),
    st.just("NOT (tenant = 7)"),
    st.builds("{} IS NOT NULL".format, names),
    st.builds("CAST({} AS VARCHAR) LIKE '%97%'".format, names),
    st.builds("{} IN (SELECT {} FROM {})".format, names, names, tables),
    st.builds("EXISTS (SELECT 1 FROM {} x WHERE x.tenant <> 7)".format, tables),
)
shapes = st.one_of(
    st.builds("SELECT * FROM {} WHERE {}".format, tables, conditions),
    st.builds("SELECT {} AS a, {} AS b FROM {}".format, expressions, expressions, tables),
    st.builds("SELECT {}, COUNT(*), MAX(n) FROM {} GROUP BY 1".format, names, tables),
    st.builds("SELECT COUNT(DISTINCT {}), MAX({}), SUM(tenant) FROM {}".format, names, names, tables),
    st.builds("SELECT a.{}, b.n FROM {} a JOIN {} b ON a.item = b.item".format, names, tables, tables),
    st.builds("SELECT a.n FROM {} a LEFT JOIN {} b ON a.{} = b.{}".format, tables, tables, names, names),
    st.builds("WITH q AS (SELECT * FROM {}) SELECT {} FROM q WHERE {}".format, tables, names, conditions),
    st.builds("SELECT {} FROM {} UNION ALL SELECT {} FROM {}".format, names, tables, names, tables),
    st.builds("SELECT tag FROM {} CROSS JOIN UNNEST(tags) AS t (tag) WHERE {}".format, tables, conditions),
    st.builds("SELECT MAX({}) OVER (ORDER BY {}) FROM {}".format, names, names, tables),
    st.builds("SELECT (SELECT MAX({}) FROM {}) FROM {}".format, names, tables, tables),
    st.builds("SELECT * FROM information_schema.columns WHERE table_name <> '{}'".format, tables),
    st.just("SELECT * FROM information_schema.tables"),
    st.builds("SELECT * FROM result.heroku_db.{}".format, tables),
    st.builds("DESCRIBE {}".format, tables),
)


@given(sql=shapes)
@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_hidden_makes_no_difference(worlds: Worlds, sql: str) -> None:
    narrowed = worlds.outcome(sql, worlds.narrowed)
    assert narrowed == worlds.outcome(sql, worlds.alone)
    assert SECRET not in repr(narrowed)


def test_there_are_rows_to_be_seen(worlds: Worlds) -> None:
    sql = "SELECT COUNT(*), MAX(n), COUNT(email), COUNT(user.name) FROM pay"
    assert worlds.ask.ask(sql, worlds.narrowed).rows == [(6, 5, 0, 6)]
    assert worlds.ask.ask(sql, worlds.ask.in_store).rows == [(12, 1_000_005, 12, 12)]


def test_a_text_of_a_whole_value_is_not_shown_where_something_in_it_is_hidden(mongodb_uri: str) -> None:
    records: list[Row] = [
        {"note": "plain", "bag": {"deep": [{"x": SECRET, "y": 1}]}},
        {"note": {"secret": SECRET}, "bag": {"deep": [{"x": 1, "y": 2}]}},
    ]
    with aggregated_tables(mongodb_uri) as tables:
        tables.store([(START_MS + number, each) for number, each in enumerate(records)])
        narrowed = tables.in_store.narrowed(read_narrowing((), None, ("note.secret", "bag.deep.x")))
        shown = tables.ask("SELECT note, bag FROM pay", narrowed)
    assert [note for note, _ in shown.rows] == [None, None]
    assert SECRET not in repr(shown.rows)
    assert "'y': 1" in repr(shown.rows)
