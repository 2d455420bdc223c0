"""Every function of the dialects, with what its own definition says: a row a function, NULL and edges too.

The definitions are those of https://trino.io/docs/current/functions.html and of
https://cwiki.apache.org/confluence/display/Hive/LanguageManual+UDF.
"""

import io
import json
import re
from pathlib import Path
from typing import Any

import pytest

from logdrain.cli.query_output import write_stream
from logdrain.model.plans import Dialect
from logdrain.query.sql.signatures import SIGNATURES
from tests.unit.query.event_tables import ENGINE, check, lowered, select

TABLE = {
    dialect: json.loads((Path(__file__).parent / f"functions_of_{dialect}.json").read_text(encoding="utf-8"))
    for dialect in Dialect
}
ROWS = [(dialect, name) for dialect, table in TABLE.items() for name in table]
# What comes before the value: a unit, or a count.
VALUE_SECOND = {"approx_most_frequent", "date_add", "date_diff", "date_trunc", "numeric_histogram"}
# Words without an argument, and calls with a grammar of their own.
WITHOUT_A_VALUE = {
    *("current_date", "current_timestamp", "current_timezone", "e", "extract", "infinity", "localtimestamp"),
    *("nan", "now", "pi", "position", "random", "rand", "uuid"),
    *("cume_dist", "dense_rank", "percent_rank", "rank", "row_number"),
}
# Types and names with a grammar of their own, forms that are refused, and what only LATERAL VIEW takes.
WITHOUT_A_ROW = {
    *("time", "timestamp", "json_exists", "json_tuple", "parse_url_tuple", "binary"),
    *("all_match", "any_match", "none_match", "histogram", "map_concat", "soundex"),
    *("array_except", "array_intersect", "array_max", "array_min", "array_remove", "array_union"),
    *("arrays_overlap", "e", "count", "date"),
}


@pytest.mark.parametrize(("dialect", "name"), ROWS, ids="-".join)
def test_a_function_yields_what_its_definition_says(dialect: Dialect, name: str) -> None:
    cases = TABLE[dialect][name]
    columns = ", ".join(f"{expression} AS c{number}" for number, expression in enumerate(cases))
    found = dict(zip(cases, printed(f"SELECT {columns}", dialect), strict=True))
    assert rounded(found) == rounded(cases)


@pytest.mark.parametrize("dialect", list(Dialect))
def test_every_function_that_we_translate_has_a_row(dialect: Dialect) -> None:
    known = {*TABLE[dialect], *TABLE[Dialect.TRINO]}
    assert set(SIGNATURES[dialect]) - known - WITHOUT_A_ROW == set()


@pytest.mark.parametrize("name", sorted(TABLE[Dialect.TRINO].keys() - WITHOUT_A_VALUE))
def test_a_field_that_no_event_has_had_may_be_an_argument(name: str) -> None:
    expression = next(iter(TABLE[Dialect.TRINO][name]))
    arguments = arguments_of(expression.partition(f"{name.upper()}(")[2])
    assert arguments[0]
    arguments[name in VALUE_SECOND] = "no_such_field"
    others = [part if "->" in part else re.sub(r"\b[xy]\b", "uid", part) for part in arguments]
    window = " OVER (ORDER BY time)" if " OVER " in expression else ""
    check(select(f"{name.upper()}({', '.join(others)}){window}", "login"))


def arguments_of(rest: str) -> list[str]:
    """The arguments of a call, from what stands behind its parenthesis."""
    depth, is_text, found = 0, False, [""]
    for sign in rest:
        is_text ^= sign == "'"
        depth += 0 if is_text else (sign in "([") - (sign in ")]")
        if depth < 0:
            break
        if sign == "," and not depth and not is_text:
            found.append("")
        else:
            found[-1] += sign
    return [part.strip() for part in found]


def rounded(value: Any) -> Any:
    """The value with twelve digits of each number with a fraction."""
    if isinstance(value, dict):
        return {key: rounded(part) for key, part in value.items()}
    if isinstance(value, list):
        return [rounded(part) for part in value]
    return float(f"{value:.12g}") if isinstance(value, float) else value


def printed(sql: str, dialect: Dialect) -> list[Any]:
    """The values of a query with one row, as `logdrain query --format ndjson` prints them."""
    out = io.StringIO()
    with ENGINE.run(lowered(sql, dialect=dialect), []) as rows:
        write_stream(rows, "ndjson", out)
    return list(json.loads(out.getvalue()).values())
