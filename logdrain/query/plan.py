"""The recipe: from a text to a plan, one step after the other."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from sqlglot.errors import SqlglotError

from logdrain.errors import SqlError
from logdrain.model.catalog import TableCatalog
from logdrain.model.events import Table
from logdrain.model.plans import Plan, QueryRequest, ResultColumn, ResultTable
from logdrain.query.aggregation import find_aggregation
from logdrain.query.draft import Draft, no_results
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
from logdrain.query.risks import note_risks
from logdrain.query.row_forms import write_row_forms
from logdrain.query.sessions import write_sessions
from logdrain.query.slice_column import find_slice_column
from logdrain.query.syntax import read_statement
from logdrain.query.translations import translate_functions
from logdrain.query.trino_checks import check_types
from logdrain.query.unseen import unnest_unseen
from logdrain.query.zones import keep_zones, name_zones

STEPS: tuple[Callable[[Draft], None], ...] = (
    read_statement,  # one query, nothing else
    write_row_forms,
    write_hive_forms,
    resolve_names,  # tables become scans, columns get their meaning
    infer_types,
    unnest_unseen,
    fold_td_functions,
    name_zones,
    infer_types,
    check_types,
    complete_casts,
    stop_the_clock,
    find_slice_column,
    write_sessions,
    push_filters,  # what the scans need not read
    find_aggregation,  # what the store can answer alone
    infer_types,
    note_risks,  # before translation moves things about
    keep_numbers,
    keep_zones,
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
    draft = Draft(request, catalogs, tables, has_addresses, result_columns)
    with _named_errors(draft):
        for step in STEPS:
            if is_lean and draft.aggregation is not None:
                break
            step(draft)
    return Plan(
        scans=tuple(scan.finished() for scan in draft.scans.values()),
        engine_sql=draft.engine_sql,
        slice_column=draft.slice_column,
        warnings=tuple(draft.warnings),
        not_pushed=tuple(draft.not_pushed),
        risky_parts=tuple(draft.risky_parts),
        engine_places=draft.engine_places,
        counts_from_now=tuple(draft.counts_from_now),
        aggregation=draft.aggregation,
        not_aggregated=draft.not_aggregated,
        result_scans=tuple(scan.finished() for scan in draft.result_scans.values()),
        columns=tuple(draft.statement.named_selects),
    )


def check_text(request: QueryRequest) -> None:
    """Read a text as far as that can be done without knowing what tables there are.

    Raises:
        SqlSyntaxError, UnsupportedSql, SqlError: with line and column of the request's text.
    """
    draft = Draft(request, TableCatalog, ())
    with _named_errors(draft):
        for step in STEPS[: STEPS.index(resolve_names)]:
            step(draft)


@contextmanager
def _named_errors(draft: Draft) -> Iterator[None]:
    try:
        yield
    except RecursionError:
        raise SqlError("the query is nested too deeply") from None
    except SqlglotError as error:
        raise SqlError(f"the query cannot be understood: {error}") from error
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        raise SqlError("a function in the query has arguments that it does not take") from error
    except SqlError as error:
        error.warnings = tuple(draft.warnings)
        raise
