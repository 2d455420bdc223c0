"""Peers that keep us waiting, too many of them, and what they may see, over raw sockets."""

import json
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from unittest.mock import AsyncMock, Mock

import pytest

from logdrain.errors import DiskNearlyFull, LedgerUnavailable, StoreUnavailable
from tests.integration.web.raw_drain import KEY, POST, Drain, counted, later, running, until


@pytest.fixture
async def drain() -> AsyncIterator[Drain]:
    async with running() as found:
        yield found


@pytest.mark.parametrize("begun", [b"", b"POST /logs HT", b"POST /logs HTTP/1.1\r\nHost: a\r\n"])
async def test_a_head_that_does_not_arrive_ends_the_connection(drain: Drain, begun: bytes) -> None:
    before = counted("logdrain_connections_closed_total", reason="slow_head")
    async with drain.connect() as peer:
        peer.writer.write(POST)
        assert (await peer.answer()).status == 204
        async with drain.connect() as slow:
            slow.writer.write(begun)
            await until(lambda: len(drain.connections.open) == 2)
            later(drain, 14.0)
            assert len(drain.connections.open) == 2
            later(drain, 16.0)
            assert await slow.is_ended()
        peer.writer.write(POST)  # a connection that idles is no slow one
        assert (await peer.answer()).status == 204
    assert counted("logdrain_connections_closed_total", reason="slow_head") == before + 1


async def test_a_head_after_the_first_request_must_arrive_too(drain: Drain) -> None:
    async with drain.connect() as peer:
        peer.writer.write(POST)
        await peer.answer()
        await until(lambda: all(each.is_idle for each in drain.connections.open))
        peer.writer.write(b"POST")
        await until(lambda: not any(each.is_idle for each in drain.connections.open))
        later(drain, 16.0)
        assert await peer.is_ended()


async def test_an_answer_that_nobody_takes_ends_the_connection(drain: Drain) -> None:
    drain.parts.settings = replace(drain.parts.settings, is_metrics_open=True)
    before = counted("logdrain_connections_closed_total", reason="unread")
    async with drain.connect() as peer:
        peer.writer.transport.pause_reading()  # type: ignore[attr-defined]  # the transport of a socket reads
        metrics_wanted = b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n"

        def is_stuck() -> bool:
            peer.writer.write(metrics_wanted * 10)
            return any(each.unsent_bytes for each in drain.connections.open)

        await until(is_stuck)
        later(drain, 1.0)
        assert drain.connections.open
        later(drain, 1.0 + 31.0)
        await until(lambda: not drain.connections.open)
    assert counted("logdrain_connections_closed_total", reason="unread") == before + 1


async def test_above_the_limit_others_get_503(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("logdrain.web.server.connections._SILENT_BEFORE_IT_MAKES_ROOM_S", 3600.0)
    before = counted("logdrain_connections_refused_total")
    async with running(connections_max=2) as drain:
        async with drain.connect() as first, drain.connect() as second:
            await until(lambda: len(drain.connections.open) == 2)
            assert counted("logdrain_connections") == 2
            answer = await drain.ask(POST)
            assert (answer.status, answer.code) == (503, "too_many_connections")
            assert (answer.headers["retry-after"], answer.headers["connection"]) == ("1", "close")
            for peer in (first, second):
                peer.writer.write(POST)
                assert (await peer.answer()).status == 204
        await until(lambda: not drain.connections.open)
        assert (await drain.ask(POST)).status == 204
    assert counted("logdrain_connections_refused_total") == before + 1
    assert counted("logdrain_connections") == 0


async def test_the_connection_that_idles_longest_makes_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("logdrain.web.server.connections._SILENT_BEFORE_IT_MAKES_ROOM_S", 0.0)
    async with running(connections_max=2) as drain, drain.connect() as first, drain.connect() as second:
        for peer in (first, second):
            peer.writer.write(POST)
            assert (await peer.answer()).status == 204
        await until(lambda: all(each.is_idle for each in drain.connections.open))
        assert (await drain.ask(POST)).status == 204
        assert await first.is_ended()
        second.writer.write(POST)
        assert (await second.answer()).status == 204


async def test_who_is_refused_and_stays_is_sent_away() -> None:
    async with running(connections_max=1) as drain, drain.connect(), drain.connect() as refused:
        assert (await refused.answer()).status == 503
        later(drain, 3.0)
        assert await refused.is_ended()


async def test_metrics_need_a_key_and_health_keeps_names_to_itself(drain: Drain) -> None:
    get = "GET {} HTTP/1.1\r\nHost: a\r\n{}\r\n"
    reader = f"Authorization: Bearer {KEY}read\r\n"
    assert (await drain.ask(get.format("/metrics", "").encode())).status == 401
    answer = await drain.ask(get.format("/metrics", reader).encode())
    assert answer.status == 200
    assert re.search(rb"^logdrain_connections 1\.0$", answer.body, re.MULTILINE)
    drain.parts.intake.has_spool = True
    drain.parts.intake.core = "python"
    drain.parts.intake.check_spool = AsyncMock(
        side_effect=DiskNearlyFull("/spool: 1 % is free", hint="make room")
    )
    drain.parts.store.check.side_effect = StoreUnavailable("db7.internal:27017 refused", hint="look there")
    closed, opened = [
        json.loads((await drain.ask(get.format("/health", key).encode())).body) for key in ("", reader)
    ]
    assert closed == {
        "status": "degraded",
        "mongodb": {"code": "store_unavailable", "hint": "look there"},
        "spool": {"code": "disk_nearly_full", "hint": "make room"},
        "core": "python",
    }
    assert opened["mongodb"]["message"] == "db7.internal:27017 refused"
    drain.parts.intake.has_spool = False
    failing = await drain.ask(get.format("/health", "").encode())
    assert (failing.status, json.loads(failing.body)["status"]) == (503, "failing")
    drain.parts.store.check.side_effect = DiskNearlyFull("/db: 1 % is free", hint="make room")
    nearly = await drain.ask(get.format("/health", "").encode())
    assert (nearly.status, json.loads(nearly.body)["status"]) == (200, "degraded")


async def test_without_the_ledger_metrics_do_not_repeat_what_it_said(drain: Drain) -> None:
    asked = f"GET /metrics HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {KEY}read\r\n\r\n".encode()
    drain.parts.ledger = Mock()
    drain.parts.ledger.history.totals.return_value = {"failed": 3}
    drain.parts.ledger.history.lateness_s.return_value = 90.0
    there = (await drain.ask(asked)).body
    assert b'logdrain_runs_total{state="failed"} 3.0' in there
    assert b"logdrain_slice_lateness_seconds 90.0" in there
    drain.parts.ledger.history.totals.side_effect = LedgerUnavailable("away")
    away = (await drain.ask(asked)).body
    assert b"logdrain_runs_total{" not in away
    assert b"logdrain_slice_lateness_seconds NaN" in away
