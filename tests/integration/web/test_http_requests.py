"""What comes and is no request, or an unusual one, over raw sockets."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from unittest.mock import AsyncMock

import pytest

from logdrain.ingest.accept import IngestResult
from logdrain.model.events import Stored
from tests.integration.web.raw_drain import HEAD, POST, Drain, counted, running, until


@pytest.fixture
async def drain() -> AsyncIterator[Drain]:
    async with running() as found:
        yield found


@pytest.mark.parametrize(
    "octets",
    [
        b"garbage\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"POST logs HTTP/1.1\r\nHost: a\r\n\r\n",
        b"POST http://[ HTTP/1.1\r\nHost: a\r\n\r\n",
        b"POST /logs HTTP/1.1\r\n\r\n",
        b"POST /logs HTTP/1.1\r\nHost: a\r\nno colon\r\n\r\n",
        b"POST /logs HTTP/1.1\r\nHost: a\r\nContent-Length: many\r\n\r\n",
        b"POST /logs HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"POST /logs HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"POST /logs HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nsecret-octets\r\n",
    ],
)
async def test_what_is_no_http_is_answered_counted_and_not_quoted(
    drain: Drain, octets: bytes, capsys: Any, caplog: Any
) -> None:
    before = counted("logdrain_requests_malformed_total")
    answer = await drain.ask(octets)
    assert (answer.status, answer.code) == (400, "bad_request")
    assert counted("logdrain_requests_malformed_total") == before + 1
    [line] = capsys.readouterr().err.splitlines()
    assert "event=request_malformed" in line
    assert "secret" not in line
    assert caplog.records == []
    drain.parts.intake.accept.assert_not_called()


@pytest.mark.parametrize("head", ["X: " + "y" * 9_000, "X: y\r\n" * 200, "Cookie: " + "z" * 100_000])
async def test_heads_have_a_limit(drain: Drain, head: str) -> None:
    answer = await drain.ask(f"POST /logs HTTP/1.1\r\n{HEAD}{head.rstrip()}\r\n\r\n".encode())
    assert (answer.status, answer.code) == (431, "headers_too_large")


async def test_a_chunked_body_that_breaks_off_its_framing_is_not_taken(drain: Drain, capsys: Any) -> None:
    before = counted("logdrain_deliveries_total", status="400")
    async with drain.connect() as peer:
        peer.writer.write(f"POST /logs HTTP/1.1\r\n{HEAD}Transfer-Encoding: chunked\r\n\r\n".encode())
        await until(lambda: not any(each.is_idle for each in drain.connections.open))
        peer.writer.write(b"5\r\nhello\r\nsecret-octets\r\n")
        answer = await peer.answer()
        assert (answer.status, answer.code) == (400, "bad_request")
        assert await peer.is_ended()
    drain.parts.intake.accept.assert_not_called()
    assert counted("logdrain_deliveries_total", status="400") in {before, before + 1}
    assert "secret" not in capsys.readouterr().err


async def test_a_body_that_is_cut_off_is_not_taken(drain: Drain) -> None:
    before = counted("logdrain_deliveries_total", status="499")
    async with drain.connect() as peer:
        peer.writer.write(f"POST /logs HTTP/1.1\r\n{HEAD}Content-Length: 99\r\n\r\nhalf".encode())
        peer.writer.write_eof()
        assert await peer.is_ended()
    await until(lambda: counted("logdrain_deliveries_total", status="499") == before + 1)
    drain.parts.intake.accept.assert_not_called()


@pytest.mark.parametrize(
    ("request_line", "status"),
    [
        ("POST /logs HTTP/1.1", 204),
        ("POST /logs HTTP/1.0", 204),
        ("POST /logs/ HTTP/1.1", 204),
        ("POST /logs?x HTTP/1.1", 204),
        ("POST /logs?src=%0A HTTP/1.1", 204),
        ("POST /%6Cogs HTTP/1.1", 204),
        ("POST http://drain:80/logs HTTP/1.1", 204),
        ("POST //logs HTTP/1.1", 404),
        ("POST /LOGS HTTP/1.1", 404),
        ("POST /logs/x HTTP/1.1", 404),
        ("POST /%2e%2e/etc/passwd HTTP/1.1", 404),
        ("POST / HTTP/1.1", 404),
        ("OPTIONS * HTTP/1.1", 404),
        ("OPTIONS /logs HTTP/1.1", 405),
        ("PUT /logs HTTP/1.1", 405),
        ("BREW /logs HTTP/1.1", 400),
    ],
)
async def test_targets_and_methods(drain: Drain, request_line: str, status: int) -> None:
    answer = await drain.ask(f"{request_line}\r\n{HEAD}Content-Length: 2\r\n\r\nhi".encode())
    assert answer.status == status
    if status == 204:
        assert answer.body == b""
    else:
        assert answer.code == {400: "bad_request", 404: "not_found", 405: "method_not_allowed"}[status]
    assert drain.parts.intake.accept.call_count == (status == 204)
    assert answer.headers.get("allow") == ("post" if status == 405 else None)


async def test_head_has_no_body(drain: Drain) -> None:
    async with drain.connect() as peer:
        peer.writer.write(b"HEAD /logs HTTP/1.1\r\nHost: a\r\n\r\n" + POST)
        head = await peer.reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 405 ")
        assert (await peer.answer()).status == 204


async def test_pipelined_requests_are_answered_in_order(drain: Drain) -> None:
    async with drain.connect() as peer:
        peer.writer.write(POST * 100 + b"GET /none HTTP/1.1\r\nHost: a\r\n\r\n")
        assert [(await peer.answer()).status for _ in range(101)] == [204] * 100 + [404]
    assert drain.parts.intake.accept.call_count == 100


async def test_expectations(drain: Drain) -> None:
    async with drain.connect() as peer:
        head = f"POST /logs HTTP/1.1\r\n{HEAD}Expect: 100-Continue\r\nContent-Length: 2\r\n\r\n"
        peer.writer.write(head.encode())
        assert (await peer.answer()).status == 100
        peer.writer.write(b"hi")
        assert (await peer.answer()).status == 204
        peer.writer.write(head.replace("100-Continue", "tea").encode() + b"hi")
        assert (await peer.answer()).status == 204


async def test_who_closes_its_half_after_the_request_is_answered(drain: Drain) -> None:
    may_answer = asyncio.Event()

    async def take(_: object) -> IngestResult:
        await may_answer.wait()
        return IngestResult(0, Stored())

    drain.parts.intake.accept = AsyncMock(side_effect=take)
    async with drain.connect() as peer:
        peer.writer.write(POST)
        peer.writer.write_eof()
        await until(lambda: drain.parts.intake.accept.called)
        asyncio.get_running_loop().call_later(0.01, may_answer.set)
        assert (await peer.answer()).status == 204
        assert await peer.is_ended()
