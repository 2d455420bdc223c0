"""GET /health: can this process do its work?"""

import asyncio
from collections.abc import Awaitable

from aiohttp import web

from logdrain.errors import LogdrainError
from logdrain.web.parts import LEDGER_THREAD, PARTS


async def get_health(request: web.Request) -> web.Response:
    """200 `{"status": "ok", "mongodb": "ok", "postgres": "ok"}`, or 503 with what is wrong and what helps."""
    parts = request.app[PARTS]
    checks: dict[str, Awaitable[object]] = {"mongodb": parts.store.check()}
    if parts.ledger is not None:
        checks["postgres"] = request.app[LEDGER_THREAD].ask(parts.ledger.identity)
    outcomes = await asyncio.gather(*checks.values(), return_exceptions=True)
    report: dict[str, object] = {"status": "ok"}
    for part, outcome in zip(checks, outcomes, strict=True):
        if isinstance(outcome, LogdrainError):
            report["status"] = "failing"
            report[part] = {"code": outcome.code, "message": outcome.message, "hint": outcome.hint}
        elif isinstance(outcome, BaseException):
            raise outcome
        else:
            report[part] = "ok"
    return web.json_response(report, status=200 if report["status"] == "ok" else 503)
