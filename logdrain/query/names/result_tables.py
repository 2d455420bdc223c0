"""Result tables in a query: `FROM result.NAME.table`, read back from the Postgres that jobs write to.

Names are taken as they are written, without folding their case; a table outside of the result's own schema is
one quoted word, `result.NAME."schema.table"` (tables of results have no dot in their names).
"""

from dataclasses import dataclass, field

from sqlglot import exp

from logdrain.errors import UnknownResult, UnknownTable
from logdrain.model.plans import ResultTable
from logdrain.query.names.sources import QuerySource
from logdrain.query.sql.context import PlanContext, ResultScanBuilder

RESULT = "result"

_PARTS = ("result", "name", "table")


@dataclass(slots=True)
class ResultSource(QuerySource):
    """A reference to a result table: its columns are known, any other is an error."""

    scan: ResultScanBuilder = field(kw_only=True)

    def read(self, name: str) -> None:
        """The scan reads this column from now on."""
        self.scan.read[name] = self.scan.columns[name]


def result_source(context: PlanContext, node: exp.Table, alias: str, scan_name: str) -> ResultSource | None:
    """What `result.NAME.table` means; None for any other table reference.

    Raises:
        UnknownTable, UnknownResult: there is none; with line and column and the nearest name.
        LogdrainError: what asking its Postgres raises.
    """
    parts = [part.name for part in node.parts]
    if len(parts) != len(_PARTS) or parts[0].lower() != RESULT:
        return None
    _, result, name = parts
    schema, _, table = name.rpartition(".")
    named = ResultTable(result, schema, table)
    try:
        columns = context.result_columns(named)
    except (UnknownTable, UnknownResult) as error:
        raise type(error)(error.message, place=context.place(node), hint=error.hint) from error
    scan = ResultScanBuilder(scan_name, named, {column.name: column for column in columns})
    context.result_scans[scan_name] = scan
    return ResultSource(alias or table, list(scan.columns), scan=scan)
