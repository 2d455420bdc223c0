import psycopg
import pytest

from tests.integration.results.result_table import ResultTable


@pytest.fixture
def table(postgres_url: str) -> ResultTable:
    return ResultTable(postgres_url)


@pytest.fixture
def ledger_table(ledger_url: str) -> ResultTable:
    """A result table in the ledger's own database."""
    with psycopg.connect(ledger_url) as connection:
        row = connection.execute("SELECT id::text FROM logdrain.identity").fetchone()
    assert row is not None
    return ResultTable(ledger_url, ledger_identity=row[0])
