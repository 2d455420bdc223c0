"""GET /metrics: Prometheus text."""

from aiohttp import web

from logdrain import metrics
from logdrain.errors import LogdrainError
from logdrain.model.keys import Scope
from logdrain.web.access import require
from logdrain.web.parts import LEDGER_THREAD, PARTS


async def get_metrics(request: web.Request) -> web.Response:
    """The process's metrics, and the runs of all workers on its ledger."""
    parts = request.app[PARTS]
    if not parts.is_metrics_open:
        await require(request, Scope.READ)
    ledger = parts.ledger
    try:
        totals = {} if ledger is None else await request.app[LEDGER_THREAD].ask(ledger.run_totals)
        if ledger is not None:
            lateness_s = await request.app[LEDGER_THREAD].ask(lambda: ledger.lateness_s(ledger.now()))
            metrics.SLICE_LATENESS_SECONDS.set(lateness_s)
    except LogdrainError:
        totals = {}  # a scrape shows the rest; /health says why
    return web.Response(
        body=metrics.render(totals), headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8"}
    )
