"""Tags and keys that look like commands, operators or other people's collections are data, or are refused."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pymongo
import pytest
from aiohttp.test_utils import TestClient, TestServer

from logdrain.bootstrap.drain import Drain
from logdrain.bootstrap.queries import open_queries
from logdrain.cli.output import to_json
from logdrain.config import read_settings
from logdrain.events.bson.documents import own_objects
from logdrain.events.read.look import MongoLook
from logdrain.model.plans import Dialect
from logdrain.model.queries import QueryRequest
from logdrain.web.application import make_application
from tests.fuzz.bodies import framed
from tests.integration.web.waiting import until

KEY = "a-drain-key-for-tests"
HEADERS = {"Authorization": "Basic " + base64.b64encode(f"shop:{KEY}".encode()).decode()}
PLAIN = frozenset("abcdefghijklmnopqrstuvwxyz0123456789_.")
HOSTILE_TAGS = (
    "$where.x", "a.$where", "$cmd.x", "a.$cmd.sys.inprog", "__proto__.constructor", "constructor.prototype",
    "admin.system.users", "local.oplog", "local.oplog.rs", "config.shards", "_quarantine.x", "_splits.y",
    "_catalog._catalog", "x._quarantine", "a..b", "/../etc.passwd", "';db.dropDatabase();'.x", '";--.x',
    "{$gt:1}.x", "a\0.b", "\0.\0", "\u202ea.b", "a\u200b.b\u200d", "e\u0301.o\u0308\u0323",
    "\u0430dmin.us\u0435rs", "İ.ß", "\x1b.x", "\x1b[31mred.x\x1b[0m", "a\u2028.b", "%00.%2e", "con.nul",
    "a" * 100 + ".b", "\U0001f600.x",
)  # fmt: skip
REFUSED_TAGS = {
    "": "bad_tag",
    "nodot": "bad_tag",
    "$where": "bad_tag",
    ".": "bad_tag",
    "a.": "bad_tag",
    "..": "bad_tag",
    "...": "bad_tag",
    ".b": "bad_tag",
    "\x1b[31m.x": "bad_tag",
    "system.profile": "reserved_name",
    "SYSTEM.users": "reserved_name",
    "system.": "bad_tag",
    "a" * 300 + ".b": "name_too_long",
    "é" * 300 + ".b": "name_too_long",
}
Client = TestClient[Any, Any]


@pytest.fixture
async def client(mongodb_uri: str, tmp_path: Path) -> AsyncIterator[Client]:
    environment = {
        "MONGODB_URI": mongodb_uri,
        "LOGDRAIN_KEYS": f"drain:shop:{KEY}",
        "LOGDRAIN_SPOOL_FOLDER": str(tmp_path / "spool"),
    }
    drain = Drain(read_settings(environment))
    server = TestServer(make_application(drain.parts))
    await server.start_server(auto_decompress=False)
    async with TestClient(server) as client:
        yield client
    await drain.close()


@pytest.fixture
def mongo(mongodb_uri: str) -> Any:
    with pymongo.MongoClient[dict[str, Any]](mongodb_uri) as client:
        yield client


async def post(client: Client, *lines: str) -> int:
    body = b"".join(framed(line.encode("utf-8", "surrogatepass")) for line in lines)
    async with client.post("/logs", data=body, headers=HEADERS) as response:
        return response.status


async def test_a_tag_names_a_collection_of_plain_letters_in_our_database_only(
    client: Client, mongo: Any
) -> None:
    databases = set(mongo.list_database_names())
    assert await post(client, *(f'@[{tag}] {{"tag":{json.dumps(tag)}}}' for tag in HOSTILE_TAGS)) == 204
    ours = mongo.get_default_database()

    def stored() -> dict[str, str]:
        tables = [name for name in ours.list_collection_names() if "." in name]
        return {document["tag"]: name for name in tables for document in ours[name].find()}

    await until(lambda: stored().keys() == set(HOSTILE_TAGS))
    for name in stored().values():
        assert name.count(".") == 1
        assert set(name) <= PLAIN
        assert not name.startswith("system.")
    assert set(mongo.list_database_names()) - databases <= {ours.name}


@pytest.mark.parametrize(("tag", "reason"), REFUSED_TAGS.items())
async def test_a_tag_that_can_be_no_table_is_kept_with_the_reason(
    client: Client, mongo: Any, tag: str, reason: str
) -> None:
    line = f'@[{tag}] {{"a":1}}'
    assert await post(client, line) == 204
    [entry] = mongo.get_default_database()["_quarantine"].find()
    assert (entry["reason"], entry["raw"], entry["_origin"]["drain"]) == (reason, line.encode(), "shop")
    assert [name for name in mongo.get_default_database().list_collection_names() if "." in name] == []


async def test_our_own_collections_cannot_be_reached_by_a_tag(client: Client, mongo: Any) -> None:
    lines = [f'@[_{name}] {{"state":"waiting"}}' for name in ("quarantine", "splits", "catalog", "late")]
    assert await post(client, *lines) == 204
    ours = mongo.get_default_database()
    assert ours["_quarantine"].count_documents({"reason": "bad_tag"}) == len(lines)
    assert all(
        ours[name].count_documents({"state": "waiting"}) == 0
        for name in ("_quarantine", "_splits", "_catalog")
    )


HOSTILE_RECORDS = (
    {"$where": "sleep(1000)", "$set": {"a": 1}, "$gt": "", "$ne": None},
    {"a.b": {"c.d": 1}, ".": 1, "..": 2, "": {"": 3}},
    {"__proto__": {"admin": True}, "constructor": {"prototype": {}}, "toString": 1},
    {"x": {"$ref": "a", "$id": 1, "$db": "admin"}, "y": {"$oid": "0" * 24}},
    {"z": {"$date": 1}, "w": {"$code": "1"}, "r": {"$regex": "x", "$options": "i"}},
    {"\u202eevil": 1, "a\u200b": 2, "a": 3, "e\u0301": 4, "\u00e9": 5, "\x1b[31m": 6},
    {"'\"`;--": 7, "<script>": "<script>alert(1)</script>"},
    {"=cmd|' /C calc'!A0": "=1+1", "+1": "+1", "-1": "-1", "@SUM(1)": "@SUM(1)"},
    {"key": "\u0000value", "long": "x" * 65_536},
    {"k" * 65_536: 1},
    {f"key{number}": number for number in range(10_000)},
)  # fmt: skip


@pytest.mark.parametrize("record", HOSTILE_RECORDS, ids=range(len(HOSTILE_RECORDS)))
async def test_keys_and_values_are_stored_as_they_were_printed(
    client: Client, mongo: Any, mongodb_uri: str, record: dict[str, object]
) -> None:
    assert await post(client, f"@[a.b] {json.dumps(record)}", '@[a.b] {"neighbour":true}') == 204
    ours = mongo.get_default_database()
    await until(lambda: ours["a.b"].count_documents({}) == 2)
    documents = own_objects(list(ours["a.b"].find({}, {"_id": 0, "time": 0, "_origin": 0})))
    assert record in documents
    assert {"neighbour": True} in documents
    assert ours["_quarantine"].count_documents({}) == 0
    look = MongoLook(mongodb_uri)
    try:
        shown = [to_json(event.record) for event in look.newest(look.tables(), 10)]
    finally:
        look.close()
    assert record in [json.loads(text) for text in shown]
    assert all(text.isprintable() for text in shown)


REFERENCES = (
    {"x": {"$ref": "a", "$id": 1, "$db": "admin"}},
    {"x": {"$ref": "a", "$id": {"$ref": "b", "$id": "2"}}},
    {"x": [{"$ref": "a", "$id": None}]},
)


@pytest.mark.parametrize("record", REFERENCES)
async def test_an_object_that_looks_like_a_reference_can_be_queried(
    client: Client, mongo: Any, mongodb_uri: str, record: dict[str, object]
) -> None:
    assert await post(client, f"@[a.b] {json.dumps(record)}", '@[a.b] {"x":{"plain":true}}') == 204
    await until(lambda: mongo.get_default_database()["a.b"].count_documents({}) == 2)

    def query() -> list[Any]:
        request = QueryRequest("SELECT * FROM b", "a", Dialect.TRINO, 0, 0)
        settings = read_settings({"MONGODB_URI": mongodb_uri})
        with open_queries(settings) as queries, queries.stream(request) as answer:
            return [row for batch in answer.rows for row in batch.to_pylist()]

    assert '"$ref"' in json.dumps(await asyncio.to_thread(query)).replace('\\"', '"')


async def test_keys_that_cannot_be_stored_are_kept_with_the_reason(client: Client, mongo: Any) -> None:
    lines = ['@[a.b] {"a\\u0000b":1}', '@[a.b] {"x":{"y":[{"\\u0000":1}]}}', '@[a.b] {"\\ud800":1}']
    assert await post(client, *lines) == 204
    entries = {
        entry["raw"].decode(): entry["reason"] for entry in mongo.get_default_database()["_quarantine"].find()
    }
    assert entries == dict(zip(lines, ("nul_in_key", "nul_in_key", "bad_json"), strict=True))


async def test_of_a_key_that_comes_twice_the_last_one_wins_also_for_our_own(
    client: Client, mongo: Any
) -> None:
    assert await post(client, '@[a.b] {"a":1,"_id":1,"time":5,"_origin":2,"a":2,"_id":3,"time":6}') == 204
    [document] = mongo.get_default_database()["a.b"].find()
    assert (document["a"], document["_id_"], document["_origin_"]) == (2, 3, 2)
    assert document["_origin"]["drain"] == "shop"
    assert document["time"].timestamp() == document["time"].replace(microsecond=0).timestamp()


async def test_errors_repeat_what_was_sent_as_json_and_nothing_else(client: Client) -> None:
    async with client.get("/<script>alert(1)</script>", headers=HEADERS) as response:
        assert (response.status, response.content_type) == (404, "application/json")
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert "<script>" in (await response.json())["error"]["message"]
