"""POST /v1/events on a real MongoDB: what is stored, what is answered, and our own client against it."""

import asyncio
import gzip
import io
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import pymongo
import pytest
from aiohttp import ClientResponse

import logdrain
from tests.integration.web.test_drain import KEY, Client, client_for, settings_for

WRITE_KEY = "a-write-key-for-tests"
HEADERS = {"Authorization": f"Bearer {WRITE_KEY}"}
Documents = Callable[[str], list[dict[str, Any]]]


@pytest.fixture
async def client(mongodb_uri: str) -> AsyncIterator[Client]:
    keys = f"write:site:{WRITE_KEY} drain:shop:{KEY}"
    settings = settings_for(
        mongodb_uri, LOGDRAIN_KEYS=keys, LOGDRAIN_BODY_SIZE_MAX_BYTES="1100000", LOGDRAIN_TABLES_MAX="2"
    )
    async for found in client_for(settings):
        yield found


@pytest.fixture
def documents(mongodb_uri: str) -> Documents:
    def read(collection: str) -> list[dict[str, Any]]:
        with pymongo.MongoClient[dict[str, Any]](mongodb_uri) as mongo:
            return list(mongo.get_default_database()[collection].find().sort("_id", 1))

    return read


async def send(client: Client, body: bytes, **headers: str) -> ClientResponse:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return await client.post("/v1/events", data=io.BytesIO(body), headers={**HEADERS, **named})


async def answer(client: Client, *items: Any) -> dict[str, Any]:
    response = await send(client, json.dumps(items).encode(), Content_Type="application/json")
    assert response.status == 200
    found: dict[str, Any] = await response.json()
    return found


def item(number: int, **more: Any) -> dict[str, Any]:
    given = {"event": "shop.pay", "properties": {"n": number}, "time": 1_330_560_001 + number}
    return {**given, "insert_id": f"order-{number}", **more}


async def test_items_are_events_and_say_what_became_of_them(client: Client, documents: Documents) -> None:
    first = await answer(client, item(1), item(2, user_id="u7"), {"event": "shop.pay", "insert_id": "x"})
    server_time = first.pop("server_time")
    assert first == {
        "accepted": 2,
        "duplicates": 0,
        "rejected": [
            {
                "index": 2,
                "insert_id": "x",
                "code": "insert_id_without_time",
                "message": "an insert_id needs a time: the same item a second later would be another event",
            }
        ],
    }
    again = await answer(client, item(3), item(1))
    assert (again["accepted"], again["duplicates"], again["rejected"]) == (1, 1, [])
    assert again["server_time"] >= server_time
    stored = documents("shop.pay")
    assert [document["n"] for document in stored] == [1, 2, 3]
    assert stored[1]["user_id"] == "u7"
    assert stored[1]["_origin"] == {"drain": "site", "app": "", "proc": ""}
    (quarantined,) = documents("_quarantine")
    assert quarantined["reason"] == "insert_id_without_time"
    assert json.loads(quarantined["raw"]) == {"event": "shop.pay", "insert_id": "x"}


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (json.dumps(item(1)).encode(), {"Content_Type": "text/plain"}),
        (gzip.compress(json.dumps([item(1)]).encode()), {"Content_Encoding": "gzip"}),
        (
            json.dumps(item(1)).encode() + b"\n" + json.dumps(item(1)).encode(),
            {"Content_Type": "application/x-ndjson; charset=utf-8"},
        ),
    ],
    ids=["object", "gzip", "lines"],
)
async def test_forms_of_a_body(
    client: Client, documents: Documents, body: bytes, headers: dict[str, str]
) -> None:
    response = await send(client, body, **headers)
    assert response.status == 200
    assert (await response.json())["accepted"] == 1
    assert [document["n"] for document in documents("shop.pay")] == [1]


async def test_no_item_that_is_an_event(client: Client, documents: Documents) -> None:
    response = await send(client, b'[{"event":"pay"},{"event":"a.b","time":"noon","insert_id":"7"}]')
    found = await response.json()
    assert (response.status, found["error"]["code"], found["accepted"]) == (400, "bad_request", 0)
    assert [(each["index"], each["insert_id"], each["code"]) for each in found["rejected"]] == [
        (0, None, "bad_tag"),
        (1, "7", "bad_time"),
    ]
    assert len(documents("_quarantine")) == 2


@pytest.mark.parametrize(
    ("body", "headers", "refusal"),
    [
        (b'[{"event":', {}, (400, "bad_request")),
        (b"[]", {"Content_Encoding": "gzip"}, (400, "bad_request")),
        (b"[]", {"Content_Encoding": "br"}, (400, "bad_request")),
        (b"[]", {"Content_Type": "text/html"}, (415, "unsupported_media_type")),
        (b"[]", {"Authorization": f"Bearer {KEY}"}, (401, "unauthorized")),
        (b"[]", {"Authorization": "Bearer wrong"}, (401, "unauthorized")),
        (b"[" + b" " * 1_100_000 + b"]", {}, (413, "body_too_large")),
    ],
    ids=["cut", "no gzip", "coding", "media type", "scope", "unknown key", "large"],
)
async def test_a_request_that_is_refused_keeps_nothing(
    client: Client,
    documents: Documents,
    body: bytes,
    headers: dict[str, str],
    refusal: tuple[int, str],
) -> None:
    response = await send(client, body, **headers)
    assert (response.status, (await response.json())["error"]["code"]) == refusal
    assert documents("_quarantine") == []


async def test_an_empty_list_is_no_mistake(client: Client) -> None:
    assert (await answer(client))["accepted"] == 0


async def test_what_only_the_store_can_refuse(client: Client, documents: Documents) -> None:
    found = await answer(
        client, *(item(number, event=f"shop.t{number}") for number in range(4)), {"event": "pay"}
    )
    assert found["accepted"] == 2
    assert [(each["index"], each["code"], each.get("count")) for each in found["rejected"]] == [
        (4, "bad_tag", None),
        (None, "too_many_tables", 2),
    ]
    assert len(documents("_quarantine")) == 3


async def test_our_client_stores_each_event_once(client: Client, documents: Documents) -> None:
    sender = logdrain.Client(str(client.make_url("")), write_key=WRITE_KEY, transport="http")
    for number in range(250):
        sender.track("shop.pay", {"n": number}, user_id=number % 7)
    left = await asyncio.to_thread(sender.flush, 60)
    await asyncio.to_thread(sender.close)
    assert (left, sender.sent, sender.dropped) == (0, 250, 0)
    assert sorted(document["n"] for document in documents("shop.pay")) == list(range(250))
