"""SQL in, plan and rows out: each `*.golden` file has a query, a line of dashes, and what it comes to.

The first line of a query names its database and dialect. `LOGDRAIN_WRITE_GOLDEN=1` writes what comes out into
the files; read the difference before you keep it.
"""

import os
from pathlib import Path
from typing import Any

import pytest

from logdrain.errors import LogdrainError
from logdrain.model.plans import Dialect
from logdrain.query.explain import explain
from tests.unit.query.event_tables import answer

FILES = sorted(Path(__file__).parent.glob("*.golden"))
LINE = "\n--------\n"


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_query_comes_to_what_its_file_says(file: Path) -> None:
    query, _, expected = file.read_text(encoding="utf-8").partition(LINE)
    found = outcome(query)
    if os.environ.get("LOGDRAIN_WRITE_GOLDEN"):
        file.write_text(query.rstrip() + LINE + found, encoding="utf-8")
    else:
        assert found == expected


def outcome(query: str) -> str:
    """The plan and the rows of a query, or its error, as text."""
    _, database, dialect = query.splitlines()[0].split()
    try:
        found = answer(query, database=database, dialect=Dialect(dialect))
    except LogdrainError as error:
        return f"{type(error).__name__}: {error}\n"
    head = " | ".join(f"{field.name} {field.type}" for field in found.schema)
    lines = [" | ".join(map(cell, row)) for row in found.rows]
    if "ORDER BY" not in query:
        lines.sort()  # threads take turns
    return "\n".join(
        [explain(found.query, []), "", "rows", f"  {head}", *(f"  {line}" for line in lines), ""]
    )


def cell(value: Any) -> str:
    """A value as text; NULL is a dash."""
    return "-" if value is None else str(value)
