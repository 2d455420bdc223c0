import base64
import gzip
import hashlib
import io
import re
import zlib
from collections.abc import AsyncIterator, Callable
from typing import Any

import pymongo
import pytest
from aiohttp import ClientResponse
from aiohttp.test_utils import TestClient, TestServer

from logdrain.bootstrap.drain import Drain
from logdrain.config import Settings, read_settings
from logdrain.drain.compiled import clean_frames
from logdrain.web.application import make_application

KEY = "a-drain-key-for-tests"
HEADERS = {"Authorization": "Basic " + base64.b64encode(f"shop:{KEY}".encode()).decode()}
Client = TestClient[Any, Any]


def frame(text: str, time: str = "2012-03-01T00:12:34.567890+00:00") -> bytes:
    message = f"<190>1 {time} host app web.1 - {text}\n".encode()
    return b"%d %s" % (len(message), message)


PAY = frame('@[production.pay] {"uid":123,"price":321321}')


def settings_for(mongodb_uri: str, **more: str) -> Settings:
    given = {
        "MONGODB_URI": mongodb_uri,
        "LOGDRAIN_KEYS": f"drain:shop:{KEY}",
        "LOGDRAIN_METRICS_OPEN": "1",
        "LOGDRAIN_ACK": "stored",
        "LOGDRAIN_SPOOL_FOLDER": "/nonexistent",
    }
    return read_settings({**given, **more})


async def client_for(settings: Settings) -> AsyncIterator[Client]:
    drain = Drain(settings)
    server = TestServer(make_application(drain.parts))
    await server.start_server(auto_decompress=False)
    async with TestClient(server) as client:
        yield client
    await drain.close()


@pytest.fixture
async def client(mongodb_uri: str) -> AsyncIterator[Client]:
    async for found in client_for(settings_for(mongodb_uri, LOGDRAIN_BODY_SIZE_MAX_BYTES="6000000")):
        yield found


@pytest.fixture
def documents(mongodb_uri: str) -> Callable[[str], list[dict[str, Any]]]:
    def read(collection: str) -> list[dict[str, Any]]:
        with pymongo.MongoClient[dict[str, Any]](mongodb_uri) as mongo:
            return list(mongo.get_default_database()[collection].find().sort("_id", 1))

    return read


async def post(client: Client, body: bytes, **headers: str) -> ClientResponse:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return await client.post("/logs", data=io.BytesIO(body), headers={**HEADERS, **named})


async def metric(client: Client, name: str) -> float:
    text = await (await client.get("/metrics")).text()
    found = re.search(rf"^{re.escape(name)} (\S+)$", text, re.MULTILINE)
    return float(found[1]) if found else 0.0


async def test_a_delivery_is_stored_and_answered_empty(client: Client, documents: Any) -> None:
    response = await post(client, PAY, Logplex_Frame_Id="F1", Logplex_Drain_Token="d.1")
    assert (response.status, await response.read()) == (204, b"")
    [document] = documents("production.pay")
    assert (document["uid"], document["price"]) == (123, 321321)
    assert document["_origin"] == {"drain": "shop", "app": "app", "proc": "web.1", "token": "d.1"}


@pytest.mark.parametrize("header", ["Logplex_Frame_Id", "X_Request_Id"])
async def test_the_same_delivery_again_adds_nothing(client: Client, documents: Any, header: str) -> None:
    body = PAY * 2 + b"junk" + frame("@[a.b] {oops")
    duplicates = await metric(client, "logdrain_events_duplicate_total")
    for _ in range(2):
        assert (await post(client, body, **{header: "F1"})).status == 204
    assert len(documents("production.pay")) == 2
    assert len(documents("_quarantine")) == 2
    assert await metric(client, "logdrain_events_duplicate_total") == duplicates + 2
    assert (await post(client, body, **{header: "F2"})).status == 204
    assert len(documents("production.pay")) == 4


async def test_a_router_s_request_id_is_not_the_sender_s(client: Client, documents: Any) -> None:
    for attempt in ("one", "two"):
        await post(client, PAY, User_Agent="excon/0.76.0", X_Request_Id=attempt)
    assert len(documents("production.pay")) == 1


async def test_without_any_id_the_body_names_the_delivery(client: Client, documents: Any) -> None:
    for _ in range(2):
        await post(client, PAY)
    await post(client, frame('@[production.pay] {"price":2}'))
    assert len(documents("production.pay")) == 2


@pytest.mark.parametrize("body", [b"", b"\n", b"what am i doing here", b"\x00\xff" * 100, b"1000000 <1>1 x"])
async def test_content_is_never_refused(client: Client, body: bytes) -> None:
    assert (await post(client, body)).status == 204


@pytest.mark.parametrize(
    ("coding", "encode"),
    [
        ("gzip", gzip.compress),
        ("deflate", zlib.compress),
        ("deflate", lambda body: zlib.compress(body, wbits=-15)),
        ("gzip", lambda body: gzip.compress(body[:100]) + gzip.compress(body[100:])),
        ("gzip", lambda body: gzip.compress(body) + bytes(1000)),
        ("identity", bytes),
    ],
)
async def test_encoded_bodies(
    client: Client, documents: Any, coding: str, encode: Callable[[bytes], bytes]
) -> None:
    assert (await post(client, encode(PAY * 3), Content_Encoding=coding)).status == 204
    assert len(documents("production.pay")) == 3


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br"])
async def test_a_body_that_cannot_be_decoded_is_kept(client: Client, documents: Any, coding: str) -> None:
    broken = gzip.compress(PAY)[:-9] + b"x"
    assert (await post(client, broken, Content_Encoding=coding)).status == 204
    [entry] = documents("_quarantine")
    assert (entry["reason"], entry["raw"]) == ("bad_encoding", broken)


@pytest.mark.parametrize("tail", [b"more", gzip.compress(b"") * 1001])
async def test_a_strange_end_of_a_compressed_body_is_kept(
    client: Client, documents: Any, tail: bytes
) -> None:
    assert (await post(client, gzip.compress(PAY) + tail, Content_Encoding="gzip")).status == 204
    assert documents("_quarantine")[0]["reason"] == "bad_encoding"


async def test_names_of_any_length_are_stored_or_kept(client: Client, documents: Any) -> None:
    tag = frame("@[" + "\x01" * 3_000_000 + '] {"a":1}')
    app = frame("@[a.b] {oops").replace(b" app ", b" " + b"a" * 2_000_000 + b" ", 1).partition(b" ")[2]
    assert (await post(client, tag)).status == 204
    assert (await post(client, b"%d %s" % (len(app), app))).status == 204
    assert sorted(found["reason"] for found in documents("_quarantine")) == ["bad_json", "name_too_long"]


async def test_bodies_being_received_have_a_bound_together(mongodb_uri: str) -> None:
    async for client in client_for(settings_for(mongodb_uri, LOGDRAIN_BODIES_SIZE_MAX_BYTES="1048576")):
        response = await post(client, bytes(1_100_000))
        assert (response.status, response.headers["Retry-After"]) == (503, "1")
        assert (await response.json())["error"]["code"] == "store_busy"
        assert (await post(client, PAY)).status == 204


async def test_a_slash_at_the_end_is_no_reason_to_lose_lines(client: Client, documents: Any) -> None:
    response = await client.post("/logs/", data=PAY, headers=HEADERS)
    assert response.status == 204
    assert len(documents("production.pay")) == 1


async def test_chunked_bodies(client: Client, documents: Any) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for at in range(0, len(PAY), 7):
            yield PAY[at : at + 7]

    response = await client.post("/logs", data=chunks(), headers=HEADERS)
    assert response.status == 204
    assert len(documents("production.pay")) == 1


async def test_log_shuttle_two_dashes_chunked_and_compressed(client: Client, documents: Any) -> None:
    header = b"<190>1 2013-09-25T01:16:49.371356+00:00 shuttle token shuttle - - "
    lines = [header + b'@[production.pay] {"price":%d}\n' % price for price in (1, 2)]

    async def chunks() -> AsyncIterator[bytes]:
        for line in lines:
            yield b"%d %s" % (len(line), line)

    headers = {**HEADERS, "User-Agent": "log-shuttle/0.18.0", "X-Request-Id": "one"}
    for body in (chunks(), chunks()):
        assert (await client.post("/logs", data=body, headers=headers)).status == 204
    packed = gzip.compress(b"".join([b"%d %s" % (len(line), line) for line in lines]))
    headers |= {"X-Request-Id": "two", "Content-Encoding": "gzip"}
    assert (await client.post("/logs", data=packed, headers=headers)).status == 204
    assert sorted(found["price"] for found in documents("production.pay")) == [1, 1, 2, 2]


async def test_five_hundred_frames_of_ten_kilobytes(client: Client, documents: Any) -> None:
    body = b"".join(frame(f'@[a.b] {{"n":{at},"text":"{"x" * 9_900}"}}') for at in range(500))
    assert (await post(client, body, Logplex_Msg_Count="500")).status == 204
    assert len(documents("a.b")) == 500


async def test_above_the_limit_is_413_before_and_after_decoding(client: Client) -> None:
    for body, headers in (
        (b"x" * 6_000_001, {}),
        (gzip.compress(bytes(6_000_001)), {"Content_Encoding": "gzip"}),
    ):
        response = await post(client, body, **headers)
        assert response.status == 413
        assert (await response.json())["error"]["code"] == "body_too_large"


@pytest.mark.parametrize("authorization", [None, "Basic c2hvcDp3cm9uZw==", "Bearer wrong"])
async def test_without_a_key_nobody_gets_in(
    client: Client, documents: Any, authorization: str | None
) -> None:
    headers = {} if authorization is None else {"Authorization": authorization}
    response = await client.post("/logs", data=PAY, headers=headers)
    assert response.status == 401
    assert response.headers["WWW-Authenticate"].startswith("Basic")
    assert (await response.json())["error"]["code"] == "unauthorized"
    assert documents("production.pay") == []


async def test_a_bearer_key_names_the_drain_itself(client: Client, documents: Any) -> None:
    response = await client.post("/logs", data=PAY, headers={"Authorization": f"Bearer {KEY}"})
    assert response.status == 204
    assert documents("production.pay")[0]["_origin"]["drain"] == "shop"


async def test_a_line_cut_between_two_deliveries(client: Client, documents: Any) -> None:
    line = b'@[a.b] {"text":"' + b"x" * 15_000 + b'"}'
    head = b"<190>1 2012-03-01T00:12:34.567890+00:00 host app web.1 - " + line[:10_000]
    tail = b"<190>1 2012-03-01T00:12:34.567890+00:00 host app web.1 - " + line[10_000:] + b"\n"
    first, second = (b"%d %s" % (len(part), part) for part in (head, tail))
    for body, name in ((first, "A"), (second, "B"), (first, "A"), (second, "B")):
        assert (await post(client, body, Logplex_Frame_Id=name)).status == 204
    assert [len(document["text"]) for document in documents("a.b")] == [15_000]
    assert documents("_quarantine") == []


async def test_every_frame_is_counted_under_one_kind(client: Client) -> None:
    async def counted() -> tuple[float, float]:
        kinds = ("event", "rejected", "piece", "app", "platform", "loss", "unreadable")
        lines = [await metric(client, f'logdrain_lines_total{{kind="{kind}"}}') for kind in kinds]
        return sum(lines), await metric(client, "logdrain_messages_received_total")

    before = await counted()
    router = b"<158>1 2020-01-08T22:33:57.353034+00:00 host heroku router - at=info"
    body = PAY + frame("plain") + frame("@[a.b] {oops") + b"%d %s" % (len(router), router)
    await post(client, body, Logplex_Msg_Count="9")
    after = await counted()
    assert (after[0] - before[0], after[1] - before[1]) == (4, 4)


async def test_health_names_what_is_wrong(client: Client) -> None:
    response = await client.get("/health")
    assert response.status == 200
    assert await response.json() == {"status": "ok", "mongodb": "ok", "core": clean_frames("auto").name}


async def test_health_tells_of_a_disk_that_is_nearly_full(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (await post(client, PAY)).status == 204  # MongoDB knows the disk of a database that is there
    monkeypatch.setattr("logdrain.model.disks._FREE_SHARE_MIN", 1.0)  # some of every disk is in use
    monkeypatch.setattr("logdrain.model.disks._FREE_MIN_BYTES", 2.0**70)
    response = await client.get("/health")
    report = await response.json()
    assert (response.status, report["status"]) == (200, "degraded")
    assert report["mongodb"]["code"] == "disk_nearly_full"


@pytest.mark.usefixtures("cancelled_connects")
async def test_without_mongodb_503_and_retry_after() -> None:
    settings = settings_for("mongodb://u:secret@127.0.0.1:1/x", LOGDRAIN_STORE_TIMEOUT_S="0.2")
    async for client in client_for(settings):
        response = await post(client, PAY)
        assert (response.status, response.headers["Retry-After"]) == (503, "1")
        assert (await response.json())["error"]["code"] == "store_unavailable"
        health = await client.get("/health")
        assert health.status == 503
        text = await health.text()
        assert "store_unavailable" in text
        assert "secret" not in text
        # Nothing to store: nothing stands in the way.
        assert (await post(client, frame("plain"))).status == 204


async def test_other_methods_and_paths(client: Client) -> None:
    wrong_method, nothing = await client.get("/logs"), await client.get("/nothing")
    assert (wrong_method.status, nothing.status) == (405, 404)
    assert wrong_method.headers["Allow"] == "POST"
    assert (await wrong_method.json())["error"]["code"] == "method_not_allowed"
    assert (await nothing.json())["error"]["code"] == "not_found"


def test_a_key_is_kept_as_its_hash_only(mongodb_uri: str) -> None:
    settings = settings_for(mongodb_uri)
    assert settings.keys[0].sha256 == hashlib.sha256(KEY.encode()).digest()
    assert KEY not in repr(settings)
