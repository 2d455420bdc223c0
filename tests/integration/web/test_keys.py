"""A key's life, by command and on the wire: made, used, changed, revoked; and Postgres goes away."""

import json
import re
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from time import monotonic
from typing import Any

import psycopg
import pytest
from aiohttp.test_utils import TestClient, TestServer

from logdrain.__main__ import run
from logdrain.bootstrap.drain import Drain
from logdrain.config import read_settings
from logdrain.errors import ConfigError
from logdrain.ledger.schema.migrate import migrate
from logdrain.sandbox.postgres_server import PostgresServer
from logdrain.web.application import make_application
from logdrain.web.serve import serve

BODY = b'73 <190>1 2012-03-01T00:12:34.567890+00:00 host app web.1 - @[a.b] {"n":1}\n'
BOOTSTRAP = "a-key-of-the-environment"
WITHIN_S = 30.0
LOGPLEX_WAITS_S = 5.0

Client = TestClient[Any, Any]
Words = Callable[..., str]


@pytest.fixture
def logdrain(
    ledger_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> Words:
    """Run a command on the ledger; gives what it prints."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATABASE_URL", ledger_url)
    monkeypatch.setenv("LOGDRAIN_KEYS", f"drain:bootstrap:{BOOTSTRAP}")

    def command(*words: str, status: int = 0) -> str:
        assert run(list(words)) == status
        captured = capsys.readouterr()
        return captured.err if status else captured.out

    return command


@asynccontextmanager
async def drain_on(mongodb_uri: str, postgres: str, tmp_path: Path) -> AsyncIterator[Client]:
    environment = {
        "MONGODB_URI": mongodb_uri,
        "DATABASE_URL": postgres,
        "LOGDRAIN_SPOOL_FOLDER": str(tmp_path / "spool"),
        "LOGDRAIN_KEYS_REFRESH_S": "1",
        "LOGDRAIN_METRICS_OPEN": "1",
        "LOGDRAIN_KEYS": f"drain:bootstrap:{BOOTSTRAP}",
    }
    drain = Drain(read_settings(environment))
    server = TestServer(make_application(drain.parts))
    await server.start_server(auto_decompress=False)
    async with TestClient(server) as client:
        yield client
    await drain.close()


async def status(client: Client, secret: str) -> int:
    answer = await client.post("/logs", data=BODY, headers={"Authorization": f"Bearer {secret}"})
    await answer.read()
    return answer.status


async def await_status(client: Client, secret: str, expected: int) -> None:
    deadline = monotonic() + WITHIN_S
    while (got := await status(client, secret)) != expected:
        assert monotonic() < deadline, f"still {got}"


def secret_in(text: str) -> str:
    [secret] = set(re.findall(r"ldk_[0-9a-f]{64}", text))
    return str(secret)


async def test_a_key_s_life(logdrain: Words, ledger_url: str, mongodb_uri: str, tmp_path: Path) -> None:
    async with drain_on(mongodb_uri, ledger_url, tmp_path) as client:
        assert await status(client, "nobody's") == 401
        printed = logdrain("keys:create", "drain", "shop", "--host", "drain.example.com")
        old = secret_in(printed)
        assert f"heroku drains:add https://shop:{old}@drain.example.com/logs -a APP" in printed
        # At once: Logplex does not repeat what is answered 401.
        assert await status(client, old) == 204
        new = secret_in(logdrain("keys:create", "drain", "shop"))
        assert [await status(client, secret) for secret in (new, old, BOOTSTRAP)] == [204] * 3

        assert "revoke one by its id" in logdrain("keys:revoke", "shop", status=1)
        listed = logdrain("keys:list", "--format", "json")
        assert not any(secret in listed for secret in (old, new, BOOTSTRAP))
        ids = [row["id"] for row in json.loads(listed) if row["name"] == "shop"]
        assert "within 5 s" in logdrain("keys:revoke", str(ids[0]))
        await await_status(client, old, 401)
        assert await status(client, new) == 204
        reader = secret_in(logdrain("keys:create", "read", "bi"))
        assert await status(client, reader) == 401
        metrics = await (await client.get("/metrics")).text()
        for reason in ("unknown", "scope"):
            [count] = re.findall(
                rf'^logdrain_auth_failures_total{{reason="{reason}"}} (\S+)', metrics, re.MULTILINE
            )
            assert float(count) >= 1


def test_the_list_tells_where_a_key_is_and_who_may_revoke_it(logdrain: Words) -> None:
    logdrain("keys:create", "drain", "shop")
    rows = json.loads(logdrain("keys:list", "--format", "json"))
    assert [(row["name"], row["scope"], row["source"], row["revoked"]) for row in rows] == [
        ("bootstrap", "drain", "environment", None),
        ("shop", "drain", "postgres", None),
    ]
    assert "shop" in logdrain("keys:list")
    assert "take it out there" in logdrain("keys:revoke", "bootstrap", status=1)
    assert "did you mean 'shop'" in logdrain("keys:revoke", "shoop", status=1)
    assert "7" in logdrain("keys:create", "drain", "7", status=2)


@pytest.fixture
def own_postgres(tmp_path: Path) -> Iterator[PostgresServer]:
    """A migrated Postgres that the test may stop."""
    server = PostgresServer(tmp_path / "postgres", durable=False)
    server.start()
    migrate(server.uri)
    yield server
    server.stop()


async def test_without_postgres_known_keys_open_and_unknown_ones_are_to_come_again(
    own_postgres: PostgresServer,
    mongodb_uri: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("DATABASE_URL", own_postgres.uri)
    uri = own_postgres.uri
    async with drain_on(mongodb_uri, uri, tmp_path) as client:
        assert run(["keys:create", "drain", "shop"]) == 0
        secret = secret_in(capsys.readouterr().out)
        assert await status(client, secret) == 204
        own_postgres.stop()
        answer = await client.post("/logs", data=BODY, headers={"Authorization": "Bearer nobody's"})
        assert (answer.status, answer.headers["Retry-After"]) == (503, "1")
        assert (await answer.json())["error"]["code"] == "ledger_unavailable"
        assert [await status(client, known) for known in (secret, BOOTSTRAP)] == [204, 204]
    # Started again without Postgres: a key that it keeps is not refused for good, either.
    async with drain_on(mongodb_uri, uri, tmp_path) as client:
        assert [await status(client, known) for known in (secret, BOOTSTRAP)] == [503, 204]
        own_postgres.start()
        await await_status(client, secret, 204)
        assert await status(client, "nobody's") == 401


async def test_a_postgres_that_hangs_holds_nobody_up(
    logdrain: Words, ledger_url: str, mongodb_uri: str, tmp_path: Path
) -> None:
    secret = secret_in(logdrain("keys:create", "drain", "shop"))
    async with drain_on(mongodb_uri, ledger_url, tmp_path) as client:
        assert await status(client, secret) == 204
        with psycopg.connect(ledger_url) as holder:
            holder.execute("LOCK TABLE logdrain.keys")
            started = monotonic()
            assert await status(client, "nobody's") == 503
            assert monotonic() - started < LOGPLEX_WAITS_S
            assert await status(client, secret) == 204
            holder.rollback()
        await await_status(client, "nobody's", 401)


def test_serve_needs_a_key_or_a_place_for_keys() -> None:
    with pytest.raises(ConfigError, match="DATABASE_URL is not set"):
        serve(read_settings({"MONGODB_URI": "mongodb://127.0.0.1:1/x"}))
