"""The recipe: from a text or a tree to a plan, one step after the other. No step knows an engine."""

from collections.abc import Callable, Sequence
from functools import partial

from sqlglot import exp

from logdrain.model.catalog import TableCatalog
from logdrain.model.events import Table
from logdrain.model.plans import ResultColumn, ResultTable
from logdrain.model.queries import Plan, QueryRequest
from logdrain.query.names.hive_forms import write_hive_forms
from logdrain.query.names.infer_types import complete_casts, infer_types
from logdrain.query.names.random_order import drop_seeds, write_random_windows
from logdrain.query.names.resolve import resolve_names
from logdrain.query.names.row_forms import write_row_forms
from logdrain.query.names.trino_checks import check_types
from logdrain.query.names.unseen import type_unseen
from logdrain.query.pushdown.aggregation import find_aggregation
from logdrain.query.pushdown.push_filters import push_filters
from logdrain.query.scan_hours import plan_by_hours
from logdrain.query.sql.call_checks import check_calls
from logdrain.query.sql.context import PlanContext, no_results, sql_errors
from logdrain.query.sql.syntax import read_statement
from logdrain.query.sql.zoned_types import name_zones
from logdrain.query.td.rewrite import freeze_now, rewrite_td_functions
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
    drop_seeds,
    write_random_windows,
    push_filters,  # what the scans need not read
    find_aggregation,  # what the store can answer alone
    infer_types,  # the types that an engine lowers by
)

_UNTYPED_STEPS = [step for step in STEPS if step not in {check_types, find_aggregation}]


def plan_query(
    request: QueryRequest,
    catalogs: Callable[[Table], TableCatalog],
    tables: Sequence[Table],
    *,
    has_addresses: bool = False,
    result_columns: Callable[[ResultTable], Sequence[ResultColumn]] = no_results,
) -> Plan:
    """Understand a query.

    Args:
        request: The query and what it depends on.
        catalogs: Asked only for the tables that the query names.
        tables: All tables there are.
        has_addresses: Whether the engine has a database of addresses, for the TD_IP_TO_… functions.
        result_columns: Asked only for the result tables that the query names.

    Raises:
        SqlSyntaxError, UnsupportedSql, UnknownTable, UnknownFunction, SqlTypeError, NumberOverflow, SqlError:
            with line and column of the request's text.
        StoreUnavailable: from `catalogs`.
        UnknownResult, ResultError: from `result_columns`.
    """
    context = partial(new_context, request, catalogs, tables, has_addresses, result_columns)
    return plan_by_hours(context, _planned, _UNTYPED_STEPS)


def _planned(context: PlanContext) -> Plan:
    with sql_errors(context, context.warnings):
        for step in STEPS:
            step(context)
        return finished_plan(context)


def check_text(request: QueryRequest) -> None:
    """Read a text as far as that can be done without knowing what tables there are.

    Raises:
        SqlSyntaxError, UnsupportedSql, SqlError: with line and column of the request's text.
    """
    context = new_context(request, TableCatalog, ())
    with sql_errors(context, context.warnings):
        for step in STEPS[: STEPS.index(resolve_names)]:
            step(context)


def new_context(
    request: QueryRequest,
    catalogs: Callable[[Table], TableCatalog],
    tables: Sequence[Table],
    has_addresses: bool = False,  # noqa: FBT001, FBT002  as `plan_query` has it
    result_columns: Callable[[ResultTable], Sequence[ResultColumn]] = no_results,
) -> PlanContext:
    """What the first step starts from."""
    is_written = isinstance(request.sql, str)
    text = request.sql if isinstance(request.sql, str) else ""
    tree = (exp.Select(), text, request.dialect, is_written)
    return PlanContext(*tree, request, catalogs, tables, has_addresses, result_columns)


def finished_plan(context: PlanContext) -> Plan:
    """What the steps have come to."""
    return Plan(
        statement=context.statement,
        text=context.text,
        dialect=context.dialect,
        is_written=context.is_written,
        scans=tuple(scan.finished() for scan in context.scans.values()),
        slice_column=context.slice_column,
        warnings=tuple(context.warnings),
        not_pushed=tuple(context.not_pushed),
        counts_from_now=tuple(context.counts_from_now),
        aggregation=context.aggregation,
        not_aggregated=context.not_aggregated,
        result_scans=tuple(scan.finished() for scan in context.result_scans.values()),
    )
