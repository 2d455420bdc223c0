"""SIGTERM ends `serve` soon after any answer that it ever gave."""

import asyncio
import io
import os
import re
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest

from logdrain.sandbox.mongo_server import MongoServer
from logdrain.web.server.access import FAILURES_BURST
from tests.integration.web.test_drain import KEY, PAY
from tests.integration.web.waiting import until

ROOT = Path(__file__).parents[3]
STOP_WITHIN_S = 30
SMALL_BYTES = 1_048_576
LARGE = PAY * 4_000  # more than 256 KiB: parsed in a thread
OVER = PAY * 12_000
HALF = (
    f"POST /logs HTTP/1.1\r\nHost: drain\r\nAuthorization: Bearer {KEY}\r\nContent-Length: {2 * len(PAY)}\r\n"
)
assert 256 * 1024 < len(LARGE) < SMALL_BYTES < len(OVER)


@pytest.fixture
def mongod(tmp_path: Path) -> Iterator[MongoServer]:
    server = MongoServer(tmp_path / "mongodb")
    server.start()
    yield server
    server.stop()


@dataclass(frozen=True, slots=True)
class Case:
    """What is sent, and what is answered."""

    status: int
    body: bytes = PAY
    path: str = "/logs"
    method: str = "POST"
    key: str = KEY
    header: str = ""
    ack: str = "stored"
    is_store_down: bool = False
    spool_bytes: int = 4 * SMALL_BYTES
    count: int = 1


CASES = {
    "stored": Case(204),
    "stored, large": Case(204, LARGE),
    "spooled": Case(204, LARGE, ack="spooled", is_store_down=True),
    "a wrong key": Case(401, key="wrong"),
    "an unknown path": Case(404, path="/nothing"),
    "a wrong method": Case(405, method="DELETE"),
    "too large": Case(413, OVER),
    "wrong keys without end": Case(429, key="wrong", count=FAILURES_BURST + 1),
    "a large head": Case(431, header="x" * 20_000),
    "the store is down": Case(503, is_store_down=True),
    "the store is down, large": Case(503, LARGE, is_store_down=True),
    "the spool is full": Case(
        503, LARGE, ack="spooled", is_store_down=True, spool_bytes=SMALL_BYTES, count=4
    ),
}


@asynccontextmanager
async def drain(
    mongod: MongoServer, folder: Path, case: Case
) -> AsyncIterator[tuple["subprocess.Popen[bytes]", int]]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("LOGDRAIN_")} | {
        "MONGODB_URI": mongod.uri,
        "LOGDRAIN_KEYS": f"drain:shop:{KEY}",
        "LOGDRAIN_ACK": case.ack,
        "LOGDRAIN_BODY_SIZE_MAX_BYTES": str(SMALL_BYTES),
        "LOGDRAIN_SPOOL_FOLDER": str(folder / "spool"),
        "LOGDRAIN_SPOOL_SIZE_MAX_BYTES": str(case.spool_bytes),
        "LOGDRAIN_SPOOL_AFTER_S": "0.3",
        "LOGDRAIN_STORE_TIMEOUT_S": "1",
    }
    environment.pop("DATABASE_URL", None)
    log = folder / "log"
    with log.open("wb") as out:
        process = subprocess.Popen(  # noqa: ASYNC220  # it lives as long as this does
            [sys.executable, "-m", "logdrain", "serve", "--port", "0"],
            cwd=ROOT,
            env=environment,
            stdout=out,
            stderr=out,
        )
    try:
        await until(lambda: "event=serving" in log.read_text() or process.poll() is not None)
        [port] = re.findall(r"event=serving .*?port=(\d+)", log.read_text())
        yield process, int(port)
    finally:
        process.kill()
        process.wait()


@asynccontextmanager
async def half_a_body(port: int) -> AsyncIterator[asyncio.StreamWriter]:
    """A delivery under way: the drain waits for the rest of its body."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"{HALF}Expect: 100-continue\r\n\r\n".encode())
    assert b"100 Continue" in await reader.readuntil(b"\r\n\r\n")
    writer.write(PAY)
    await writer.drain()
    yield writer
    writer.close()


async def last_status(port: int, case: Case) -> int:
    """The status of the last of so many requests."""
    headers = {"Authorization": aiohttp.encode_basic_auth("shop", case.key)}
    if case.header:
        headers["X-Long"] = case.header
    status = 0
    async with aiohttp.ClientSession(headers=headers) as session:
        for number in range(case.count):
            request = session.request(
                case.method,
                f"http://127.0.0.1:{port}{case.path}",
                data=io.BytesIO(case.body),
                headers={"Logplex-Frame-Id": f"F{number}"},
            )
            async with request as response:
                status = response.status
    return status


@pytest.mark.parametrize("name", CASES)
async def test_sigterm_ends_serve_after(name: str, mongod: MongoServer, tmp_path: Path) -> None:
    case = CASES[name]
    async with drain(mongod, tmp_path, case) as (process, port):
        if case.is_store_down:
            # A first delivery makes the table, so that the next one is under way when MongoDB hangs.
            assert await last_status(port, Case(204, ack=case.ack)) == 204
            os.kill(mongod.pid, signal.SIGSTOP)
        assert await last_status(port, case) == case.status
        if case.is_store_down:
            os.kill(mongod.pid, signal.SIGCONT)
        await stop(process)


async def stop(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    assert await asyncio.to_thread(process.wait, STOP_WITHIN_S) == 0


async def test_sigterm_ends_serve_after_what_is_no_http(mongod: MongoServer, tmp_path: Path) -> None:
    async with drain(mongod, tmp_path, Case(400)) as (process, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"no HTTP\r\n\r\n")
        assert (await reader.read()).startswith((b"HTTP/1.0 400 ", b"HTTP/1.1 400 "))
        writer.close()
        await stop(process)


@pytest.mark.parametrize("is_cut", [True, False])
async def test_sigterm_ends_serve_beside_half_a_body(
    is_cut: bool,  # noqa: FBT001  # a parameter
    mongod: MongoServer,
    tmp_path: Path,
) -> None:
    async with drain(mongod, tmp_path, Case(0)) as (process, port), half_a_body(port) as writer:
        if is_cut:
            writer.transport.abort()
        await stop(process)


@pytest.mark.parametrize(("later", "event"), [(0, "close_given_up"), (2, "spool_left")])
async def test_sigterm_ends_serve_while_mongodb_hangs(
    later: int, event: str, mongod: MongoServer, tmp_path: Path
) -> None:
    case = Case(204, ack="spooled", count=1 + later)
    async with drain(mongod, tmp_path, case) as (process, port):
        assert await last_status(port, Case(204)) == 204
        os.kill(mongod.pid, signal.SIGSTOP)
        if later:
            assert await last_status(port, case) == 204
        await stop(process)
        os.kill(mongod.pid, signal.SIGCONT)
        assert f"event={event}" in (tmp_path / "log").read_text()
