"""GET /metrics: Prometheus text."""

import math
from functools import partial

from aiohttp import web

from logdrain import metrics
from logdrain.errors import LogdrainError
from logdrain.model.keys import Scope
from logdrain.ports.ledger import Ledger
from logdrain.web.parts import LEDGER_THREAD, PARTS
from logdrain.web.server.access import require


async def get_metrics(request: web.Request) -> web.Response:
    """The process's metrics, and the runs of all workers on its ledger."""
    parts = request.app[PARTS]
    if not parts.is_metrics_open:
        await require(request, Scope.READ)
    totals: dict[str, int] = {}
    if parts.ledger is not None:
        try:
            totals, lateness_s = await request.app[LEDGER_THREAD].ask(partial(_ask, parts.ledger))
        except LogdrainError:  # a scrape shows the rest; /health says why
            lateness_s = math.nan  # not known, rather than what it was
        metrics.SLICE_LATENESS_SECONDS.set(lateness_s)
    return web.Response(
        body=metrics.render(totals), headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8"}
    )


def _ask(ledger: Ledger) -> tuple[dict[str, int], float]:
    return ledger.run_totals(), ledger.lateness_s(ledger.now())
