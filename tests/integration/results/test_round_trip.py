from datetime import UTC
from typing import Any

import pyarrow as pa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.integration.results.result_table import ResultTable

_TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
_TIMES = st.datetimes(timezones=st.just(UTC)).map(lambda at: at.replace(fold=0))
_COLUMNS: dict[str, tuple[pa.DataType, st.SearchStrategy[Any]]] = {
    "integer": (pa.int64(), st.integers(-(2**63), 2**63 - 1)),
    "double": (pa.float64(), st.floats()),
    "text": (pa.string(), _TEXTS),
    "flag": (pa.bool_(), st.booleans()),
    "at": (pa.timestamp("us", "UTC"), _TIMES),
    "raw": (pa.binary(), st.binary()),
}
_ROWS = st.lists(st.tuples(*(st.none() | values for _, values in _COLUMNS.values())), max_size=40)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=_ROWS)
def test_whatever_goes_in_is_read_back(table: ResultTable, rows: list[tuple[Any, ...]]) -> None:
    table.execute("DROP TABLE IF EXISTS payment_history, logdrain_marks")
    arrays: dict[str, Any] = {"row": pa.array(range(len(rows)), pa.int64())}
    for place, (name, (arrow, _)) in enumerate(_COLUMNS.items()):
        arrays[name] = pa.array([row[place] for row in rows], arrow)
    assert table.add(0, **arrays) == len(rows)
    # repr() tells NaN, 0.0 and -0.0 apart as == does not.
    assert [repr(row[1:]) for row in table.rows()] == [repr(row) for row in rows]
