"""The jobs of the SQL cookbook yield what the page shows."""

import io
import json
import re
from pathlib import Path

import pytest

from logdrain.cli.output import print_table
from logdrain.model.events import Record
from tests.unit.query.event_tables import answer

PAGE = (Path(__file__).parents[3] / "docs" / "how-to" / "sql-cookbook.md").read_text()
JOBS = re.findall(
    r"^## \d+\. (.+)\n(?:(?!```).*\n)*```sql\n((?:.*\n)*?)```\n\n```\n((?:.*\n)*?)```", PAGE, re.MULTILINE
)


def events() -> dict[str, list[Record]]:
    tables: dict[str, list[Record]] = {}
    for table, record in re.findall(r"^@\[(\S+)\] (.*)$", PAGE, re.MULTILINE):
        tables.setdefault(table, []).append(json.loads(record))
    return tables


def test_the_page_has_as_many_jobs_as_it_says() -> None:
    assert f"\n{len(JOBS)} jobs with what comes out of them" in PAGE
    assert len(JOBS) == PAGE.count("```sql") >= 20


@pytest.mark.parametrize(("title", "sql", "output"), JOBS, ids=[title for title, _, _ in JOBS])
def test_a_job_yields_what_the_page_shows(title: str, sql: str, output: str) -> None:
    found = answer(sql, events())
    printed = io.StringIO()
    print_table(found.schema.names, found.rows, printed)
    assert printed.getvalue() == output, title
