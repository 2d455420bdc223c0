"""The node against a drain that answers as told."""

import asyncio
import base64
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import pytest
from aiohttp import web
from aiohttp.test_utils import BaseTestServer, TestServer, unused_port

from logdrain.sandbox.http_logplex import Logplex, Outcome
from logdrain.sandbox.logplex import LogplexMessage, encode_body

MESSAGES = [LogplexMessage(datetime(2012, 3, 1, tzinfo=UTC), text) for text in (b"one", b"two")]


class Drain:
    """Answers one status after the other, then the last again and again; keeps what it was sent."""

    def __init__(self, *statuses: int) -> None:
        self.statuses = list(statuses)
        self.requests: list[web.Request] = []
        self.bodies: list[bytes] = []

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(request)
        self.bodies.append(await request.read())
        return web.Response(status=self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0])


def serve(handler: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> TestServer:
    application = web.Application()
    application.router.add_post("/logs", handler)
    return TestServer(application)


def url_of(server: BaseTestServer) -> str:
    return f"http://shop:KEY@127.0.0.1:{server.port}/logs"


async def test_what_a_drain_is_sent() -> None:
    drain = Drain(204)
    async with serve(drain.answer) as server, Logplex(url_of(server)) as node:
        host = f"127.0.0.1:{server.port}"
        report = await node.deliver(MESSAGES)
    assert (report.outcome, report.tries) == (Outcome.ACCEPTED, (204,))
    assert drain.bodies == [encode_body(MESSAGES)]
    assert dict(drain.requests[0].headers) == {
        "Host": host,
        "Authorization": "Basic " + base64.b64encode(b"shop:KEY").decode(),
        "Content-Type": "application/logplex-1",
        "Content-Length": str(len(encode_body(MESSAGES))),
        "Logplex-Msg-Count": "2",
        "Logplex-Frame-Id": report.frame_id,
        "Logplex-Drain-Token": "d.00000000-0000-4000-8000-000000000000",
        "User-Agent": "Logplex/v72",
    }
    assert len(report.frame_id) == 32
    assert report.frame_id == report.frame_id.upper()


@pytest.mark.parametrize(
    ("statuses", "outcome", "tries"),
    [
        ([200], Outcome.ACCEPTED, (200,)),
        ([503, 204], Outcome.ACCEPTED, (503, 204)),
        ([429, 302, 204], Outcome.ACCEPTED, (429, 302, 204)),
        ([500], Outcome.GIVEN_UP, (500, 500, 500)),
        ([401], Outcome.DROPPED, (401,)),
        ([413], Outcome.DROPPED, (413,)),
        ([503, 400], Outcome.DROPPED, (503, 400)),
    ],
)
async def test_what_is_tried_again(statuses: list[int], outcome: Outcome, tries: tuple[int, ...]) -> None:
    drain, pauses = Drain(*statuses), list[float]()

    async def pause(seconds: float) -> None:
        pauses.append(seconds)

    async with serve(drain.answer) as server, Logplex(url_of(server), pause=pause) as node:
        report = await node.deliver(MESSAGES)
    assert (report.outcome, report.tries) == (outcome, tries)
    assert {request.headers["Logplex-Frame-Id"] for request in drain.requests} == {report.frame_id}
    assert set(drain.bodies) == {encode_body(MESSAGES)}
    assert pauses == [0.02, 0.04][: len(tries) - 1]


async def test_a_slow_drain_is_tried_again() -> None:
    done = asyncio.Event()

    async def never(_request: web.Request) -> web.Response:
        await done.wait()
        return web.Response()

    async with serve(never) as server, Logplex(url_of(server), timeout_s=0.01) as node:
        report = await node.deliver(MESSAGES)
        done.set()
    assert (report.outcome, report.tries) == (Outcome.GIVEN_UP, ("timeout",) * 3)


async def test_a_chunked_answer_is_none() -> None:
    async def chunked(request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse(status=200)
        answer.enable_chunked_encoding()
        await answer.prepare(request)
        await answer.write(b"ok")
        return answer

    async with serve(chunked) as server, Logplex(url_of(server)) as node:
        report = await node.deliver(MESSAGES)
    assert (report.outcome, report.tries) == (Outcome.GIVEN_UP, ("chunked answer",) * 3)


async def test_nobody_listens() -> None:
    async with Logplex(f"http://127.0.0.1:{unused_port()}/logs") as node:
        report = await node.deliver(MESSAGES)
    assert (report.outcome, report.tries) == (Outcome.GIVEN_UP, ("ClientConnectorError",) * 3)


async def test_a_node_has_one_connection_and_one_delivery_at_a_time() -> None:
    drain = Drain(204)
    async with serve(drain.answer) as server, Logplex(url_of(server)) as node:
        await asyncio.gather(*(node.deliver(MESSAGES) for _ in range(5)))
    transports = {id(request.protocol) for request in drain.requests}
    assert (len(drain.requests), len(transports)) == (5, 1)
