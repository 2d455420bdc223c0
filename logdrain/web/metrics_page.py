"""GET /metrics: Prometheus text."""

from aiohttp import web

from logdrain import metrics
from logdrain.errors import LogdrainError
from logdrain.web.parts import LEDGER_THREAD, PARTS


async def get_metrics(request: web.Request) -> web.Response:
    """The process's metrics, and the runs of all workers on its ledger."""
    ledger = request.app[PARTS].ledger
    try:
        totals = {} if ledger is None else await request.app[LEDGER_THREAD].ask(ledger.run_totals)
    except LogdrainError:
        totals = {}  # a scrape shows the rest; /health says why
    return web.Response(
        body=metrics.render(totals), headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8"}
    )
