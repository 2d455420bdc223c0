"""SQL over printed lines, as a real MongoDB and the engine answer it: rows, or the error.

`sql_cases.json` holds the lines and the statements. A row is what `logdrain query --format ndjson` prints,
without the names.
"""

import asyncio
import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from logdrain.answer.queries import Queries
from logdrain.bootstrap.drain import SystemClock
from logdrain.cli.query_output import write_stream
from logdrain.clients.framing import frame
from logdrain.drain.reading import parse, read
from logdrain.errors import LogdrainError
from logdrain.events.mongo_client import close_async, database_name, open_async
from logdrain.events.read.scan import MongoScanSource
from logdrain.events.write.store import MongoEventStore
from logdrain.model.events import Delivery
from logdrain.model.plans import Dialect
from logdrain.model.queries import QueryRequest
from tests.changed_settings import settings_with
from tests.conftest import own_mongodb_database
from tests.unit.query.event_tables import ENGINE, NOW_S, SCHEDULED_TIME_S

GIVEN = json.loads((Path(__file__).parent / "sql_cases.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def queries(mongodb_server_uri: str) -> Iterator[Queries]:
    """The lines of the file, stored as a drain stores them."""
    with own_mongodb_database(mongodb_server_uri) as uri:
        asyncio.run(store(uri, GIVEN["lines"]))
        source = MongoScanSource(uri)
        yield Queries(source, ENGINE)
        source.close()


@pytest.mark.parametrize("case", GIVEN["cases"], ids=lambda case: case["sql"])
def test_a_statement_comes_to_its_rows(case: dict[str, Any], queries: Queries) -> None:
    assert outcome(case, queries) == case.get("rows", case.get("error"))


def outcome(case: dict[str, Any], queries: Queries) -> list[list[Any]] | str:
    """The rows of a statement, or its error."""
    request = QueryRequest(
        case["sql"], "shop", Dialect(case.get("dialect", "trino")), SCHEDULED_TIME_S, NOW_S
    )
    printed = io.StringIO()

    try:
        with queries.stream(request) as answer:
            write_stream(answer.rows, "ndjson", printed)
    except LogdrainError as error:
        return f"{type(error).__name__}: {error}"
    rows = [list(json.loads(line).values()) for line in printed.getvalue().splitlines()]
    return rows if "ORDER BY" in case["sql"].upper() else sorted(rows, key=repr)


async def store(uri: str, lines: list[str]) -> None:
    """Store printed lines, as one delivery."""
    delivery = Delivery("shop", "one", "", None)
    body = b"".join(frame(datetime.now(UTC), "app", "web.1", line.encode()) for line in lines)
    batch = read(parse(body, delivery), delivery, []).batch
    client = open_async(uri, driver="pymongo", timeout_s=30)
    limits = settings_with(store_timeout_s=30)
    await MongoEventStore(client, database_name(uri), SystemClock(), limits).write(batch)
    await close_async(client)
