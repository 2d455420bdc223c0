"""Every route on one screen."""

from collections.abc import Awaitable, Callable

from aiohttp import HttpVersion11, web

from logdrain import log, metrics
from logdrain.bootstrap.drain import DrainParts
from logdrain.errors import BadRequest, LogdrainError, MethodNotAllowed, NotFound
from logdrain.memory_budget import MemoryBudget
from logdrain.web.background import answer_questions, expire_splits, refresh_keys, replay_spool
from logdrain.web.drain import post_logs
from logdrain.web.events import post_events
from logdrain.web.health import get_health
from logdrain.web.metrics_page import get_metrics
from logdrain.web.parts import BODY_MEMORY, LEDGER_THREAD, PARTS
from logdrain.web.questions import post_sql
from logdrain.web.server.access import ACCESS, Access
from logdrain.web.server.answers import error_response
from logdrain.web.server.key_ring import KeyRing
from logdrain.web.server.ledger_thread import LedgerThread

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


async def _expect(request: web.Request) -> None:
    """`Expect: 100-continue` is answered; any other expectation is no reason to refuse (RFC 9110 10.1.1)."""
    if request.version == HttpVersion11 and request.headers.get("Expect", "").lower() == "100-continue":
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        request.writer.output_size = 0  # the answer itself has not begun


_ROUTES = (
    web.post("/logs", post_logs, expect_handler=_expect),
    web.post("/logs/", post_logs, expect_handler=_expect),  # Logplex drops for good what is answered 404
    web.post("/v1/events", post_events, expect_handler=_expect),
    web.get("/health", get_health),
    web.get("/metrics", get_metrics),
    web.post("/v1/sql", post_sql),
)

_ROUTES_HINT = "there are " + ", ".join(
    f"{route.method} {route.path}" for route in _ROUTES if not route.path.endswith("/")
)
_LEDGER_WITHIN_S = 2.0
_CLIENT_GONE = 499  # nobody reads it; what counters call it


def make_application(parts: DrainParts) -> web.Application:
    """The application. Request bodies must reach it undecoded: see http_server."""
    application = web.Application(middlewares=[_answer_errors])
    application[PARTS] = parts
    application[BODY_MEMORY] = MemoryBudget(
        parts.settings.bodies_size_max_bytes,
        "too many large bodies are being received",
        metrics.BODY_MEMORY_BYTES.set,
    )
    application[LEDGER_THREAD] = LedgerThread(_LEDGER_WITHIN_S)
    stored = parts.stored_keys.valid if parts.stored_keys else None
    ring = KeyRing(parts.settings.keys, stored, refresh_s=parts.settings.keys_refresh_s)
    application[ACCESS] = Access(ring, proxy_count=parts.settings.proxy_count)
    application.add_routes(_ROUTES)
    application.cleanup_ctx.extend((expire_splits, refresh_keys, replay_spool, answer_questions))
    return application


@web.middleware
async def _answer_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Errors as JSON; anything unforeseen is a 500, which senders repeat, and one log line."""
    try:
        return await handler(request)
    except LogdrainError as error:
        response = error_response(error)
        log.warning(
            "request_refused",
            path=request.path,
            status=error.status,
            code=error.code,
            message=error.located,
            hint=error.hint,
        )
    except web.HTTPNotFound:
        response = error_response(NotFound(f"nothing is served at {request.path}", hint=_ROUTES_HINT))
    except web.HTTPMethodNotAllowed as error:
        allowed = ", ".join(sorted(error.allowed_methods))
        response = error_response(MethodNotAllowed(f"{request.path} takes {allowed}", hint=_ROUTES_HINT))
        response.headers["Allow"] = allowed
    except web.HTTPException:
        raise  # aiohttp's own answer
    except web.RequestPayloadError:
        broken = BadRequest("the body breaks the framing that its head declares", hint="RFC 9112 7.1")
        response = error_response(broken)
        log.warning("request_malformed", path=request.path, code=broken.code)
    except ConnectionError:
        log.info("client_gone", path=request.path)
        response = web.Response(status=_CLIENT_GONE)
    except Exception as error:  # noqa: BLE001  # the boundary: no request may end the server
        log.error("request_failed", path=request.path, error=f"{type(error).__name__}: {error}")
        response = error_response(LogdrainError("something unforeseen went wrong", hint="see the log"))
    if request.path.rstrip("/") == "/logs":
        metrics.DELIVERIES.labels(str(response.status)).inc()
    return response
