"""GET /metrics: Prometheus text."""

import math
from functools import partial

from aiohttp import web

from logdrain import metrics
from logdrain.errors import LogdrainError
from logdrain.model.keys import Scope
from logdrain.ports.clock import Clock
from logdrain.ports.ledger import History
from logdrain.web.parts import LEDGER_THREAD, PARTS
from logdrain.web.server.access import require


async def get_metrics(request: web.Request) -> web.Response:
    """The process's metrics, and the runs of all workers on its ledger."""
    parts = request.app[PARTS]
    if not parts.settings.is_metrics_open:
        await require(request, Scope.READ)
    totals: dict[str, int] = {}
    if parts.ledger is not None:
        try:
            totals, lateness_s = await request.app[LEDGER_THREAD].ask(
                partial(_ask, parts.ledger.history, parts.ledger.clock)
            )
        except LogdrainError:  # a scrape shows the rest; /health says why
            lateness_s = math.nan  # not known, rather than what it was
        metrics.SLICE_LATENESS_SECONDS.set(lateness_s)
    return web.Response(
        body=metrics.render(totals), headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8"}
    )


def _ask(history: History, clock: Clock) -> tuple[dict[str, int], float]:
    return history.totals(), history.lateness_s(clock.now())
