"""Deliveries while MongoDB is away: answered from the spool, stored when it is back."""

import os
import signal
from collections.abc import Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pymongo
import pytest

from logdrain.config import Settings
from logdrain.sandbox.mongo_server import MongoServer
from tests.integration.web.test_drain import (
    KEY,
    Client,
    client_for,
    frame,
    post,
    settings_for,
)
from tests.integration.web.waiting import until

WRITE_KEY = "a-write-key-for-tests"
serving = asynccontextmanager(client_for)


@pytest.fixture
def mongod(tmp_path: Path) -> Iterator[MongoServer]:
    server = MongoServer(tmp_path / "mongodb")
    server.start()
    yield server
    server.stop()


@pytest.fixture
def settings(mongod: MongoServer, tmp_path: Path) -> Settings:
    return settings_for(
        mongod.uri,
        LOGDRAIN_ACK="spooled",
        LOGDRAIN_KEYS=f"drain:shop:{KEY} write:site:{WRITE_KEY}",
        LOGDRAIN_SPOOL_FOLDER=str(tmp_path / "spool"),
        LOGDRAIN_SPOOL_AFTER_S="0.3",
    )


def numbers(mongod: MongoServer) -> list[int]:
    with pymongo.MongoClient[dict[str, Any]](mongod.uri) as mongo:
        return sorted(document["n"] for document in mongo["logdrain"]["a.b"].find())


async def send(client: Client, number: int) -> int:
    body = frame(f'@[a.b] {{"n":{number}}}')
    return (await post(client, body, Logplex_Frame_Id=f"F{number}")).status


@pytest.mark.usefixtures("cancelled_connects")
async def test_mongodb_stops_and_comes_back(mongod: MongoServer, settings: Settings) -> None:
    async with serving(settings) as client:
        assert await send(client, 0) == 204
        mongod.stop()
        assert [await send(client, number) for number in range(1, 20)] == [204] * 19
        mongod.start()
        await until(lambda: numbers(mongod) == list(range(20)))
        assert await send(client, 20) == 204
        await until(lambda: numbers(mongod) == list(range(21)))


async def test_mongodb_hangs(mongod: MongoServer, settings: Settings) -> None:
    async with serving(settings) as client:
        assert await send(client, 0) == 204
        os.kill(mongod.pid, signal.SIGSTOP)
        assert [await send(client, number) for number in range(1, 20)] == [204] * 19
        os.kill(mongod.pid, signal.SIGCONT)
        await until(lambda: numbers(mongod) == list(range(20)))


@pytest.mark.usefixtures("cancelled_connects")
async def test_the_next_process_replays_what_the_last_left(mongod: MongoServer, settings: Settings) -> None:
    mongod.stop()
    async with serving(settings) as client:
        assert [await send(client, number) for number in range(5)] == [204] * 5
    mongod.start()
    async with serving(settings) as client:
        await until(lambda: numbers(mongod) == list(range(5)))
        # A retry of what was acknowledged from the spool adds nothing.
        assert await send(client, 3) == 204
    assert numbers(mongod) == list(range(5))


@pytest.mark.usefixtures("cancelled_connects")
async def test_items_wait_in_the_spool_and_are_events_once(mongod: MongoServer, settings: Settings) -> None:
    item = b'{"event":"a.b","properties":{"n":1},"time":1330560001,"insert_id":"i1"}'
    plain = b'{"event":"a.b","properties":{"n":2}}'
    headers = {"Authorization": f"Bearer {WRITE_KEY}"}
    async with serving(settings) as client:
        mongod.stop()
        for body in (b"[" + item + b"," + plain + b',{"event":"a"}]', item):
            response = await client.post("/v1/events", data=body, headers=headers)
            assert response.status == 200
            assert (await response.json())["duplicates"] == 0
        mongod.start()
        await until(lambda: numbers(mongod) == [1, 2])
        # A repeat adds nothing, whether the store answers it or it waits behind others in the spool.
        assert (await client.post("/v1/events", data=item, headers=headers)).status == 200
    assert numbers(mongod) == [1, 2]
