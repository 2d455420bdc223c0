"""Every route on one screen."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress

from aiohttp import ClientPayloadError, web

from logdrain import log, metrics
from logdrain.bootstrap import DrainParts
from logdrain.errors import LogdrainError, MethodNotAllowed, NotFound
from logdrain.web.body import BodyRoom
from logdrain.web.health import get_health
from logdrain.web.ledger_thread import LedgerThread
from logdrain.web.logs import post_logs
from logdrain.web.metrics_page import get_metrics
from logdrain.web.parts import BODY_ROOM, LEDGER_THREAD, PARTS

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_ROUTES = (
    web.post("/logs", post_logs),
    web.post("/logs/", post_logs),  # Logplex drops for good what is answered 404
    web.get("/health", get_health),
    web.get("/metrics", get_metrics),
)

_SPLIT_CHECKS_PER_WAIT = 4
_LEDGER_WITHIN_S = 2.0
_CLIENT_GONE = 499  # nobody reads it; what counters call it


def make_application(parts: DrainParts) -> web.Application:
    """The application. Request bodies must reach it undecoded: see http_server."""
    application = web.Application(middlewares=[_answer_errors])
    application[PARTS] = parts
    application[BODY_ROOM] = BodyRoom(parts.bodies_size_max_bytes)
    application[LEDGER_THREAD] = LedgerThread(_LEDGER_WITHIN_S)
    application.add_routes(_ROUTES)
    application.cleanup_ctx.append(_expire_splits)
    return application


@web.middleware
async def _answer_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Errors as JSON; anything unforeseen is a 500, which senders repeat, and one log line."""
    try:
        return await handler(request)
    except LogdrainError as error:
        response = _error_response(error)
        log.warning(
            "request_refused", path=request.path, status=error.status, code=error.code, message=error.message
        )
    except web.HTTPNotFound:
        response = _error_response(NotFound(f"nothing is served at {request.path}"))
    except web.HTTPMethodNotAllowed as error:
        allowed = ", ".join(sorted(error.allowed_methods))
        response = _error_response(MethodNotAllowed(f"{request.path} takes {allowed}"))
        response.headers["Allow"] = allowed
    except web.HTTPException:
        raise  # aiohttp's own answer
    except (ConnectionError, ClientPayloadError):
        log.info("client_gone", path=request.path)
        response = web.Response(status=_CLIENT_GONE)
    except Exception as error:  # noqa: BLE001  # the boundary: no request may end the server
        log.error("request_failed", path=request.path, error=f"{type(error).__name__}: {error}")
        response = _error_response(LogdrainError("something unforeseen went wrong", hint="see the log"))
    if request.path.rstrip("/") == "/logs":
        metrics.DELIVERIES.labels(str(response.status)).inc()
    return response


def _error_response(error: LogdrainError) -> web.Response:
    body = {"error": {"code": error.code, "message": error.message, "hint": error.hint}}
    response = web.json_response(body, status=error.status)
    if error.retryable:
        response.headers["Retry-After"] = "1"
    if response.status == web.HTTPUnauthorized.status_code:
        response.headers["WWW-Authenticate"] = 'Basic realm="logdrain", charset="UTF-8"'
    return response


async def _expire_splits(application: web.Application) -> AsyncIterator[None]:
    """While the application runs, move cut lines whose rest does not come to quarantine."""
    parts = application[PARTS]

    async def forever() -> None:
        while True:
            await asyncio.sleep(parts.split_wait_s / _SPLIT_CHECKS_PER_WAIT)
            now_ms = int(parts.clock.now().timestamp() * 1000)
            try:
                await parts.store.expire_splits(now_ms - int(parts.split_wait_s * 1000))
            except Exception as error:  # noqa: BLE001  # tried again the next time, whatever it was
                log.warning("splits_not_expired", message=str(error))

    task = asyncio.create_task(forever())
    yield
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
