"""Every function, called with arguments of every kind: a plan, or an error with its place."""

from itertools import product

import pytest

from logdrain.errors import SqlError
from logdrain.model.plans import Dialect
from logdrain.query.duckdb.functions_of_hive import HIVE
from logdrain.query.duckdb.functions_of_trino import TRINO
from logdrain.query.duckdb.templates import rule_of
from logdrain.query.sql.dialect import FRONT_DOORS
from logdrain.query.sql.signatures import SIGNATURES
from logdrain.query.td.registry import TD_FUNCTIONS
from tests.unit.query.event_tables import plan

ARGUMENTS = ("uid", "name", "NULL", "'a'", "TRUE")
COUNT_MAX = 4
TABLES_OF = {Dialect.TRINO: TRINO, Dialect.HIVE: HIVE}


def names(dialect: Dialect) -> list[str]:
    known = FRONT_DOORS[dialect].parser_class.FUNCTIONS.keys() | TD_FUNCTIONS.keys()
    return sorted({name.upper() for name in known} | {name.upper() for name in SIGNATURES[dialect]})


def calls(name: str) -> set[str]:
    return {
        f"{name}({', '.join([each] * count)})" for each, count in product(ARGUMENTS, range(COUNT_MAX + 1))
    }


@pytest.mark.parametrize("dialect", Dialect)
def test_a_call_is_planned_or_refused_with_its_place(dialect: Dialect) -> None:
    wrong = []
    for name in names(dialect):
        for call in calls(name):
            sql = f"SELECT {call} AS x FROM pay"  # noqa: S608  # that is what is tested
            try:
                plan(sql, dialect=dialect)
            except SqlError as error:
                if error.place is None:
                    wrong.append(f"{sql}: no place: {error}")
            except Exception as error:  # noqa: BLE001  # that is the question
                wrong.append(f"{sql}: {type(error).__name__}: {error}")
    assert wrong == []


@pytest.mark.parametrize("dialect", Dialect)
def test_each_entry_has_a_signature_and_takes_its_counts(dialect: Dialect) -> None:
    for function, lowering in TABLES_OF[dialect].items():
        if not isinstance(function, str) or function in {name.lower() for name in TD_FUNCTIONS}:
            continue
        signature = SIGNATURES[dialect][function]
        texts = {lowering} if isinstance(lowering, str) else set()
        if isinstance(lowering, dict):
            assert set(lowering) == set(signature.counts), function
            texts = set(lowering.values())
        for text in texts:
            assert all(f"_{count}" not in text for count in range(max(signature.counts), 10)), function
        assert callable(rule_of(lowering))


def test_a_wrong_call_keeps_the_warnings_of_the_query() -> None:
    with pytest.raises(SqlError) as caught:
        plan("SELECT nosuch, REGEXP_REPLACE(name, 'a') FROM pay", dialect=Dialect.HIVE)
    assert caught.value.located == "line 1, column 16: REGEXP_REPLACE takes 3 arguments, not 2"
    assert any("nosuch" in warning for warning in caught.value.warnings)


@pytest.mark.parametrize("function", ["json_tuple", "parse_url_tuple", "TD_PIVOT", "explode", "posexplode"])
def test_a_lateral_view_of_nothing_is_refused_with_its_place(function: str) -> None:
    with pytest.raises(SqlError) as caught:
        plan(f"SELECT a FROM pay LATERAL VIEW {function}() t AS a", dialect=Dialect.HIVE)  # noqa: S608
    assert caught.value.place is not None
