"""GET /health: can this process do its work?"""

import asyncio
from collections.abc import Awaitable

from aiohttp import web

from logdrain.errors import DiskNearlyFull, LogdrainError
from logdrain.model.keys import Scope
from logdrain.web.parts import LEDGER_THREAD, PARTS
from logdrain.web.server.access import require


async def get_health(request: web.Request) -> web.Response:
    """200 `{"status": "ok", "mongodb": "ok", "spool": "ok", "core": …}`, or what is wrong and what helps.

    `degraded`, still 200: deliveries are taken in all the same. `failing`, 503: they are not.
    """
    parts = request.app[PARTS]
    checks: dict[str, Awaitable[object]] = {"mongodb": parts.store.check()}
    if parts.intake.has_spool:
        checks["spool"] = parts.intake.check_spool()
    if parts.ledger is not None:
        # A question to its tables: a Postgres that only accepts connections is not enough.
        checks["postgres"] = request.app[LEDGER_THREAD].ask(parts.ledger.history.totals)
    outcomes = await asyncio.gather(*checks.values(), return_exceptions=True)
    may_read = parts.settings.is_metrics_open or await _may_read(request)
    report: dict[str, object] = {"status": "ok"}
    found = dict(zip(checks, outcomes, strict=True))
    for part, outcome in found.items():
        if isinstance(outcome, LogdrainError):
            report["status"] = "degraded"
            # The driver's words name hosts: not for everybody.
            message = {"message": outcome.located} if may_read else {}
            report[part] = {"code": outcome.code, **message, "hint": outcome.hint}
        elif isinstance(outcome, BaseException):
            raise outcome
        else:
            report[part] = "ok"
    if not parts.intake.has_spool and not isinstance(found["mongodb"], DiskNearlyFull | None):
        report["status"] = "failing"
    report["core"] = parts.intake.core
    return web.json_response(report, status=503 if report["status"] == "failing" else 200)


async def _may_read(request: web.Request) -> bool:
    """Whether a valid key came along; none is no attempt."""
    if "Authorization" not in request.headers:
        return False
    try:
        await require(request, Scope.READ)
    except LogdrainError:
        return False
    return True
