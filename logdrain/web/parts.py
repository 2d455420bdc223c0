"""Where handlers find what they need."""

from aiohttp import web

from logdrain.bootstrap import DrainParts

PARTS = web.AppKey("parts", DrainParts)
