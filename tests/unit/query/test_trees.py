"""A request may be a tree: usage questions hand over trees, not texts."""

from pathlib import Path

import pytest
from sqlglot import exp

from logdrain.errors import SqlError, UnsupportedSql
from logdrain.model.catalog import TableCatalog
from logdrain.model.events import Table
from logdrain.model.plans import Dialect
from logdrain.model.queries import EngineQuery, Plan, QueryRequest
from logdrain.query.plan import plan_query
from logdrain.query.sql.syntax import parse_query
from tests.unit.query.event_tables import ENGINE, NOW_S, SCHEDULED_TIME_S, TABLES, catalog_of

GOLDEN = sorted((Path(__file__).parents[2] / "golden").glob("*.golden"))
CATALOGS = {
    table: catalog_of(table, records)
    for table, records in ((Table(*name.split(".")), records) for name, records in TABLES.items())
}


def planned(request: QueryRequest) -> Plan:
    return plan_query(request, CATALOGS.get, list(CATALOGS))  # type: ignore[arg-type]  # only tables that are there


def requests(file: Path) -> tuple[QueryRequest, QueryRequest]:
    """The query of a golden file as a text, and as a tree."""
    text = file.read_text(encoding="utf-8").partition("\n--------\n")[0]
    _, database, name = text.splitlines()[0].split()
    dialect = Dialect(name)
    tree = parse_query(text, dialect)
    return (
        QueryRequest(text, database, dialect, SCHEDULED_TIME_S, NOW_S),
        QueryRequest(tree, database, dialect, SCHEDULED_TIME_S, NOW_S),
    )


def outcome(request: QueryRequest) -> EngineQuery | SqlError:
    """What the engine runs for a request, or why not."""
    try:
        return ENGINE.lower(planned(request))
    except SqlError as error:
        return error


@pytest.mark.parametrize("file", GOLDEN, ids=lambda file: file.stem)
def test_a_tree_means_what_its_text_means(file: Path) -> None:
    text, tree = requests(file)
    of_text, of_tree = outcome(text), outcome(tree)
    if isinstance(of_text, SqlError):
        assert isinstance(of_tree, SqlError)
        assert (of_tree.code, of_tree.hint, of_tree.place) == (of_text.code, of_text.hint, None)
        return
    assert isinstance(of_tree, EngineQuery)
    assert of_tree.sql == of_text.sql
    assert of_tree.plan.scans == of_text.plan.scans
    assert of_tree.plan.aggregation == of_text.plan.aggregation
    assert not [warning for warning in of_tree.plan.warnings if warning.startswith("line ")]


def test_a_tree_is_not_changed() -> None:
    tree = parse_query("SELECT uid, TD_SCHEDULED_TIME() AS t FROM pay", Dialect.TRINO)
    before = tree.sql()
    request = QueryRequest(tree, "production", Dialect.TRINO, SCHEDULED_TIME_S, NOW_S)
    plan = planned(request)
    first, second = ENGINE.lower(plan), ENGINE.lower(plan)
    assert tree.sql() == before
    assert first.sql == second.sql


def test_a_tree_is_checked_as_a_text_is() -> None:
    tree = parse_query("SELECT 1 AS one", Dialect.TRINO).copy()
    tree.set("locks", [exp.Lock(update=True)])
    with pytest.raises(UnsupportedSql, match="row locks"):
        plan_query(QueryRequest(tree, "", Dialect.TRINO, 0, 0), TableCatalog, [])
