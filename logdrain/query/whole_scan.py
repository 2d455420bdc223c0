"""A scan that nobody wrote SQL for."""

from collections.abc import Callable, Sequence

from logdrain.errors import UnknownTable
from logdrain.model.catalog import TableCatalog
from logdrain.model.events import Table
from logdrain.model.names import nearest_hint
from logdrain.model.plans import Scan, TimeRange
from logdrain.query.names.sources import EventSource
from logdrain.query.sql.context import ScanBuilder


def whole_scan(
    name: str,
    database: str,
    time_range: TimeRange,
    columns: Sequence[str] | None,
    *,
    tables: Sequence[Table],
    catalogs: Callable[[Table], TableCatalog],
) -> Scan:
    """The scan of a table's events in a time range, unfiltered.

    Args:
        name: `database.table`, or a table of `database`.
        database: For a name without one.
        time_range: Of event time.
        columns: Paths of fields with dots, as the columns are called then; None for what `*` stands for.
        tables: All tables there are.
        catalogs: Asked for the one.

    Raises:
        UnknownTable: there is no such table, with the nearest.
    """
    known = {table.name: table for table in tables}
    full_name = (name if "." in name else f"{database}.{name}").lower()
    if full_name not in known:
        raise UnknownTable(
            f"there is no table {full_name}",
            hint=nearest_hint(full_name, known, "`logdrain tables` lists them"),
            table=full_name,
        )
    catalog = catalogs(known[full_name]).within(*time_range)
    context = ScanBuilder("scan", catalog, time_range=time_range)
    for column in EventSource("scan", context).star() if columns is None else columns:
        context.column(tuple(column.split(".")))
    return context.finished()
