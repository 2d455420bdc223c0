"""What a table's fields held, and how they are declared to be read, as a person types it."""

import json
from pathlib import Path

import pytest

from logdrain.__main__ import run
from tests.integration.events.aggregated import aggregated_tables

HOUR_MS = 3_600_000
FIRST_MS = 1_330_560_000_000  # 2012-03-01 00:00:00 UTC
TOTAL = ["query", "-d", "production", "--format", "csv", "SELECT SUM(price) AS total FROM pay"]


@pytest.fixture(autouse=True)
def _pay(monkeypatch: pytest.MonkeyPatch, mongodb_uri: str, tmp_path: Path) -> None:
    monkeypatch.setenv("MONGODB_URI", mongodb_uri)
    monkeypatch.chdir(tmp_path)
    with aggregated_tables(mongodb_uri) as tables:
        tables.store([(FIRST_MS + at * HOUR_MS, {"price": at}) for at in range(3)])
        tables.store([(FIRST_MS + HOUR_MS, {"price": "12.50", "name": "x"})])


def test_the_history_of_a_field_that_changed_its_type(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["schema", "production.pay"]) == 0
    text = capsys.readouterr().out
    number, string = (
        line.split("  ") for line in text.splitlines() if line.startswith("price ") and "%" in line
    )
    assert [part.strip() for part in number if part][:5] == [
        "price",
        "int",
        "75.00%",
        "2012-03-01 00:00",
        "2012-03-01 02:00",
    ]
    assert [part.strip() for part in string if part][:6] == [
        "price",
        "string",
        "25.00%",
        "2012-03-01 01:00",
        "2012-03-01 01:00",
        '"12.50"',
    ]
    assert "name " in text
    assert not any(line.startswith("name") and "%" in line for line in text.splitlines())
    assert run(["schema", "production.pay", "--json"]) == 0
    fields = {row["field"]: row for row in json.loads(capsys.readouterr().out)}
    assert [line["example"] for line in fields["name"]["types"]] == ['"x"']


def test_a_field_is_declared_and_is_no_more(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(TOTAL) == 1
    assert run(["schema:set", "production.pay", "price:double"]) == 0
    assert run(["schema:add", "production.pay", "name:STRING"]) == 0
    capsys.readouterr()
    assert run(TOTAL) == 0
    shown = capsys.readouterr()
    assert shown.out.split() == ["total", "15.5"]
    assert "price is declared DOUBLE" in shown.err
    assert run(["schema", "production.pay"]) == 0
    assert capsys.readouterr().out.count("(declared)") == 2
    assert run(["schema:set", "production.pay", "name:string"]) == 0
    assert run(["schema:remove", "production.pay", "name"]) == 0
    assert run(["schema", "production.pay"]) == 0
    assert "(declared)" not in capsys.readouterr().out
    assert run(TOTAL) == 1


@pytest.mark.parametrize("column", ["price", "price:", "price:decimal", ":int", "a..b:int"])
def test_what_is_no_field_and_type_is_refused(column: str) -> None:
    assert run(["schema:set", "production.pay", column]) == 2
