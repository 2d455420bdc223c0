"""Where handlers find what they need."""

from aiohttp import web

from logdrain.bootstrap import DrainParts
from logdrain.web.server.body import BodyRoom
from logdrain.web.server.ledger_thread import LedgerThread

PARTS = web.AppKey("parts", DrainParts)
BODY_ROOM = web.AppKey("body_room", BodyRoom)
LEDGER_THREAD = web.AppKey("ledger_thread", LedgerThread)
