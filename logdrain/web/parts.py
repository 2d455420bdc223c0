"""Where handlers find what they need."""

from aiohttp import web

from logdrain.bootstrap.drain import DrainParts
from logdrain.memory_budget import MemoryBudget
from logdrain.web.server.ledger_thread import LedgerThread

PARTS = web.AppKey("parts", DrainParts)
BODY_MEMORY = web.AppKey("body_memory", MemoryBudget)
LEDGER_THREAD = web.AppKey("ledger_thread", LedgerThread)
