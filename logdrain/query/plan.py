"""The recipe: from a text to a plan, one step after the other."""

from collections.abc import Callable, Sequence

from sqlglot.errors import SqlglotError

from logdrain.errors import SqlError
from logdrain.model.catalog import TableCatalog
from logdrain.model.events import Table
from logdrain.model.plans import Plan, QueryRequest
from logdrain.query.draft import Draft
from logdrain.query.engine_sql import write_engine_sql
from logdrain.query.hive_forms import write_hive_forms
from logdrain.query.pushdown import push_filters
from logdrain.query.resolve import resolve_names
from logdrain.query.rewrite import (
    complete_casts,
    fold_td_functions,
    infer_types,
    keep_numbers,
    stop_the_clock,
)
from logdrain.query.slice_column import find_slice_column
from logdrain.query.syntax import read_statement
from logdrain.query.translations import translate_functions

STEPS: tuple[Callable[[Draft], None], ...] = (
    read_statement,  # one query, nothing else
    write_hive_forms,
    resolve_names,  # tables become scans, columns get their meaning
    infer_types,
    fold_td_functions,
    complete_casts,
    stop_the_clock,
    find_slice_column,
    push_filters,  # what the scans need not read
    infer_types,
    keep_numbers,
    translate_functions,
    write_engine_sql,
)


def plan_query(
    request: QueryRequest, catalogs: Callable[[Table], TableCatalog], tables: Sequence[Table]
) -> Plan:
    """Plan a query.

    Args:
        request: The SQL text and what it depends on.
        catalogs: Asked only for the tables that the SQL names.
        tables: All tables there are.

    Raises:
        SqlSyntaxError, UnsupportedSql, UnknownTable, UnknownFunction, SqlTypeError, NumberOverflow, SqlError:
            with line and column of the request's text.
        StoreUnavailable: from `catalogs`.
    """
    draft = Draft(request, catalogs, tables)
    try:
        for step in STEPS:
            step(draft)
    except RecursionError:
        raise SqlError("the query is nested too deeply") from None
    except SqlglotError as error:
        raise SqlError(f"the query cannot be understood: {error}") from error
    return Plan(
        scans=tuple(scan.finished() for scan in draft.scans.values()),
        engine_sql=draft.engine_sql,
        slice_column=draft.slice_column,
        warnings=tuple(draft.warnings),
        not_pushed=tuple(draft.not_pushed),
    )
