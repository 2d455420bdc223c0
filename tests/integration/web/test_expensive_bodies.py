"""Small requests that ask for much: they are answered like others, and leave little behind."""

import gzip
from collections.abc import AsyncIterator
from typing import Any

import pymongo
import pytest

from tests.integration.web.test_drain import Client, client_for, frame, post, settings_for

TIME = "2012-03-01T00:12:34.567890+00:00"


@pytest.fixture
async def client(mongodb_uri: str) -> AsyncIterator[Client]:
    async for found in client_for(settings_for(mongodb_uri)):
        yield found


def stored(mongodb_uri: str, collection: str) -> list[dict[str, Any]]:
    with pymongo.MongoClient[dict[str, Any]](mongodb_uri) as mongo:
        return list(mongo.get_default_database()[collection].find())


async def test_a_body_of_frames_of_six_octets_is_one_entry(client: Client, mongodb_uri: str) -> None:
    body = gzip.compress(b"5 <1>1" * 100_000)
    assert len(body) < 2_000
    for _ in range(2):
        assert (await post(client, body, Content_Encoding="gzip", Logplex_Frame_Id="F1")).status == 204
    [entry] = stored(mongodb_uri, "_quarantine")
    assert (entry["reason"], entry["raw"].count(b"<1>1")) == ("bad_header", 100_000)


async def test_names_of_any_length_are_taken_and_none_is_stored_longer_than_255_octets(
    client: Client, mongodb_uri: str
) -> None:
    ends = b"".join(
        b"%d %s" % (len(message), message)
        for message in (f"<190>1 {TIME} host app p{at} - x}}\n".encode() for at in range(800))
    )
    long = {"Logplex_Frame_Id": "i" * 8_000, "Logplex_Drain_Token": "t" * 8_000}
    for _ in range(2):
        assert (await post(client, ends + frame("@[a.b] {}"), **long)).status == 204
    [event] = stored(mongodb_uri, "a.b")
    assert len(event["_origin"]["token"]) == 255
    assert event["_origin"]["token"].startswith("t" * 200)


async def test_a_record_of_long_keys_leaves_a_small_catalog(client: Client, mongodb_uri: str) -> None:
    record = "{" + ",".join(f'"k{number}":1' for number in range(1_990)) + "}"
    for _ in range(97):
        record = f'{{"{"x" * 900}":{record}}}'
    assert (await post(client, frame(f"@[a.b] {record}"))).status == 204
    assert len(stored(mongodb_uri, "a.b")) == 1
    notes = stored(mongodb_uri, "_catalog")
    assert sorted((len(note["path"]), note["type"]) for note in notes) == [(0, "full"), (1, "object")]
