"""Questions through HTTP: answered in query processes, which may be killed at any moment."""

import asyncio
import io
import json
import os
import signal
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from aiohttp import ClientResponse
from aiohttp.test_utils import TestClient

from logdrain.web.asking.pass_on import QUESTIONS, QuestionSender
from tests.integration.web.raw_drain import counted
from tests.integration.web.test_drain import HEADERS, client_for, frame, settings_for
from tests.integration.web.waiting import until

Client = TestClient[Any, Any]

ADMIN = "an-admin-key-for-tests"
ROWS = "SELECT n, item FROM shop.pay ORDER BY n"
# Runs for hours where nobody ends it.
ENDLESS = (
    "SELECT SUM(a * b * c) FROM UNNEST(SEQUENCE(1, 9999)) t (a), UNNEST(SEQUENCE(1, 9999)) u (b),"
    " UNNEST(SEQUENCE(1, 9999)) v (c)"
)


@pytest.fixture
async def client(mongodb_uri: str) -> AsyncIterator[Client]:
    settings = settings_for(
        mongodb_uri,
        LOGDRAIN_KEYS=f"drain:shop:a-drain-key-for-tests,admin:boss:{ADMIN}",
        LOGDRAIN_QUERY_PROCESSES="1",
        LOGDRAIN_QUERY_WAITING_MAX="1",
    )
    async for found in client_for(settings):
        body = b"".join(frame(f'@[shop.pay] {{"n":{n},"item":"a\\"b"}}') for n in range(3))
        await found.post("/logs", data=io.BytesIO(body), headers=HEADERS)
        yield found


async def ask(client: Client, sql: str, **more: Any) -> ClientResponse:
    headers = {"Authorization": f"Bearer {ADMIN}"}
    return await client.post("/v1/sql", json={"sql": sql, **more}, headers=headers)


def processes(client: Client) -> list[int]:
    questions = client.app[QUESTIONS]
    assert isinstance(questions, QuestionSender)
    return questions.processes.pids


def children(pid: int) -> list[int]:
    """Of all of its threads."""
    lists = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(each) for one in lists for each in one.read_text().split()]


def kill(client: Client) -> bool:
    """Kill what runs. One that had not taken the question leaves it to the next, which is killed then."""
    for pid in processes(client):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    return False


def is_gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


async def test_rows_come_as_lines_csv_or_arrow(client: Client) -> None:
    lines = await ask(client, ROWS)
    assert lines.status == 200
    assert lines.content_type == "application/x-ndjson"
    rows = [json.loads(line) for line in (await lines.text()).splitlines()]
    assert rows == [{"n": n, "item": 'a"b'} for n in range(3)]
    assert await (await ask(client, ROWS, format="csv")).text() == 'n,item\n0,"a""b"\n1,"a""b"\n2,"a""b"\n'
    arrow = await (await ask(client, ROWS, format="arrow")).read()
    assert pa.ipc.open_stream(arrow).read_all().to_pylist() == rows
    none = await ask(client, "SELECT n, gone FROM shop.pay WHERE n > 5")
    assert (none.status, await none.text()) == (200, "")
    assert "gone" in json.loads(none.headers["Logdrain-Warnings"])[0]


async def test_mistakes_have_a_code_and_a_place(client: Client) -> None:
    wrong = await ask(client, "SELECT n\nFROM shop.pays")
    error = (await wrong.json())["error"]
    assert (wrong.status, error["code"]) == (404, "unknown_table")
    assert error["message"].startswith("line 2, column 6")
    assert "shop.pay" in error["hint"]
    late = await ask(client, ENDLESS, timeout_s=0.2)
    assert (late.status, (await late.json())["error"]["code"]) == (504, "query_timeout")
    nobody = await client.post("/v1/sql", json={"sql": ROWS}, headers=HEADERS)
    assert nobody.status == 401


async def test_a_killed_process_takes_its_questions_with_it_and_no_others(client: Client) -> None:
    assert (await ask(client, ROWS)).status == 200
    asked = asyncio.create_task(ask(client, ENDLESS))
    await until(lambda: counted("logdrain_questions_running") == 1)
    engines = [engine for pid in processes(client) for engine in children(pid)]
    assert engines
    await until(lambda: asked.done() or kill(client))
    answer = await asked
    assert (answer.status, (await answer.json())["error"]["code"]) == (503, "query_process_died")
    assert answer.headers["Retry-After"]
    again = await ask(client, ROWS)
    assert (again.status, len((await again.text()).splitlines())) == (200, 3)
    await until(lambda: all(map(is_gone, engines)))


async def test_more_than_may_wait_are_told_to_come_again(client: Client) -> None:
    asked = [asyncio.create_task(ask(client, f"{ENDLESS} -- {n}")) for n in range(3)]
    await until(lambda: counted("logdrain_questions_waiting") == 1)
    refused = await ask(client, ROWS)
    assert (refused.status, (await refused.json())["error"]["code"]) == (429, "too_many_questions")
    assert refused.headers["Retry-After"]
    for task in asked:  # who asked goes away: their questions end
        task.cancel()
    await asyncio.gather(*asked, return_exceptions=True)
    await until(lambda: counted("logdrain_questions_running") == 0)
    assert (await ask(client, ROWS)).status == 200
