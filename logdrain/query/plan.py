"""The recipe: from a text to a plan, one step after the other."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from sqlglot.errors import SqlglotError

from logdrain.errors import Place, SqlError
from logdrain.model.catalog import TableCatalog
from logdrain.model.events import Table
from logdrain.model.plans import Plan, QueryRequest, ResultColumn, ResultTable
from logdrain.query.duckdb.errors import note_risks
from logdrain.query.duckdb.hive_forms import write_hive_forms
from logdrain.query.duckdb.random_order import write_random_windows
from logdrain.query.duckdb.rewrite import (
    complete_casts,
    freeze_now,
    infer_types,
    match_integer_semantics,
    rewrite_td_functions,
)
from logdrain.query.duckdb.row_forms import write_row_forms
from logdrain.query.duckdb.translations import translate_functions
from logdrain.query.duckdb.write_sql import write_engine_sql
from logdrain.query.duckdb.zones import lower_time_zones, name_zones
from logdrain.query.names.resolve import resolve_names
from logdrain.query.names.trino_checks import check_types
from logdrain.query.names.unseen import type_unseen
from logdrain.query.pushdown.aggregation import find_aggregation
from logdrain.query.pushdown.push_filters import push_filters
from logdrain.query.sql.call_checks import check_calls
from logdrain.query.sql.context import PlanContext, no_results
from logdrain.query.sql.syntax import read_statement
from logdrain.query.td.sessions import write_sessions
from logdrain.query.td.slice_column import find_slice_column

STEPS: tuple[Callable[[PlanContext], None], ...] = (
    read_statement,  # one query, nothing else
    write_row_forms,
    write_hive_forms,
    resolve_names,  # tables become scans, columns get their meaning
    check_calls,
    infer_types,
    type_unseen,
    rewrite_td_functions,
    name_zones,
    infer_types,
    check_types,
    complete_casts,
    freeze_now,
    find_slice_column,
    write_sessions,
    write_random_windows,
    push_filters,  # what the scans need not read
    find_aggregation,  # what the store can answer alone
    infer_types,
    note_risks,  # before translation moves things about
    match_integer_semantics,
    lower_time_zones,
    translate_functions,
    write_engine_sql,
)


def plan_query(
    request: QueryRequest,
    catalogs: Callable[[Table], TableCatalog],
    tables: Sequence[Table],
    *,
    has_addresses: bool = False,
    is_lean: bool = False,
    result_columns: Callable[[ResultTable], Sequence[ResultColumn]] = no_results,
) -> Plan:
    """Plan a query.

    Args:
        request: The SQL text and what it depends on.
        catalogs: Asked only for the tables that the SQL names.
        tables: All tables there are.
        has_addresses: Whether the engine has a database of addresses, for the TD_IP_TO_… functions.
        is_lean: Whether the plan ends where the store can answer alone, and has no SQL for the engine then.
        result_columns: Asked only for the result tables that the SQL names.

    Raises:
        SqlSyntaxError, UnsupportedSql, UnknownTable, UnknownFunction, SqlTypeError, NumberOverflow, SqlError:
            with line and column of the request's text.
        StoreUnavailable: from `catalogs`.
        UnknownResult, ResultError: from `result_columns`.
    """
    context = PlanContext(request, catalogs, tables, has_addresses, result_columns)
    with _sql_errors(context):
        for step in STEPS:
            if is_lean and context.aggregation is not None:
                break
            step(context)
    return Plan(
        scans=tuple(scan.finished() for scan in context.scans.values()),
        engine_sql=context.engine_sql,
        slice_column=context.slice_column,
        warnings=tuple(context.warnings),
        not_pushed=tuple(context.not_pushed),
        risky_parts=tuple(context.risky_parts),
        engine_places=context.engine_places,
        counts_from_now=tuple(context.counts_from_now),
        aggregation=context.aggregation,
        not_aggregated=context.not_aggregated,
        result_scans=tuple(scan.finished() for scan in context.result_scans.values()),
        columns=tuple(context.statement.named_selects),
    )


def check_text(request: QueryRequest) -> None:
    """Read a text as far as that can be done without knowing what tables there are.

    Raises:
        SqlSyntaxError, UnsupportedSql, SqlError: with line and column of the request's text.
    """
    context = PlanContext(request, TableCatalog, ())
    with _sql_errors(context):
        for step in STEPS[: STEPS.index(resolve_names)]:
            step(context)


@contextmanager
def _sql_errors(context: PlanContext) -> Iterator[None]:
    """What the parser raises becomes a SqlError; every SqlError gets the warnings so far."""
    try:
        yield
    except RecursionError:
        raise _warned(SqlError("the query is nested too deeply", place=Place(1, 1)), context) from None
    except SqlglotError as error:
        place = context.place(context.statement)
        raise _warned(SqlError(f"the query cannot be understood: {error}", place=place), context) from error
    except SqlError as error:
        _warned(error, context)
        raise


def _warned(error: SqlError, context: PlanContext) -> SqlError:
    error.warnings = tuple(context.warnings)
    return error
