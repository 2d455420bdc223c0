"""Connections: how many there are, and for how long each may keep us waiting.

aiohttp ends idle connections and bounds heads and the queue of pipelined requests. It has no bound on
connections, none on a peer that sends its head octet by octet or does not read its answer, and it answers
what is no HTTP with text and a traceback in the log. Only public names of its RequestHandler are used or
overridden; tests/unit/web/test_aiohttp_names.py says so when one goes away.
"""

import asyncio
from enum import Enum, auto

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError, LineTooLong

from logdrain import log, metrics
from logdrain.config import Settings
from logdrain.errors import BadRequest, HeadersTooLarge, LogdrainError, TooManyConnections
from logdrain.web.server.answers import error_response, refusal

HEADER_SIZE_MAX_BYTES = 8190
HEADERS_MAX = 128
_READ_SIZE_BYTES = 64 * 1024
# An answer that is not taken away, not even in part.
_UNREAD_MAX_S = 30.0
_LINGERING_S = 5.0
_REFUSED_AT_ONCE_MAX = 64
_REFUSED_STAYS_S = 2.0
_SILENT_BEFORE_IT_MAKES_ROOM_S = 1.0


class _State(Enum):
    IDLE = auto()
    HEAD = auto()
    REQUEST = auto()
    REFUSED = auto()


class Connections:
    """The protocol factory for `loop.create_server`; keeps all connections within their limits.

    Args:
        server: Of an AppRunner that was set up.
        settings: How many connections there may be; how long a head may take, from its first octet or from
            connecting; how long a connection may idle between two requests.

    Attributes:
        open: Those that were admitted.
    """

    def __init__(self, server: web.Server, settings: Settings) -> None:
        self.settings = settings
        self._server = server
        self._loop = asyncio.get_running_loop()
        self.open: set[Connection] = set()
        self._refused: set[Connection] = set()
        self._silent: dict[Connection, None] = {}  # those without a request, the longest first
        handle = server.request_handler

        async def begin_and_handle(request: web.BaseRequest) -> web.StreamResponse:
            if isinstance(request.protocol, Connection):
                request.protocol.begin(request)
            return await handle(request)

        server.request_handler = begin_and_handle

    def __call__(self) -> "Connection":
        """A connection that is about to be made."""
        return Connection(self, self._server, self._loop)

    def admit(self, connection: "Connection") -> bool:
        """Take a connection in; where there is no room, the one that has said nothing longest makes it."""
        if len(self.open) >= self.settings.connections_max and not self._make_room():
            metrics.CONNECTIONS_REFUSED.inc()
            return False
        self.open.add(connection)
        metrics.CONNECTIONS.set(len(self.open))
        return True

    def refuse(self, connection: "Connection") -> bool:
        """Whether a connection that was not admitted may stay until its peer has read the answer."""
        may_stay = len(self._refused) < _REFUSED_AT_ONCE_MAX
        if may_stay:
            self._refused.add(connection)
        return may_stay

    def note(self, connection: "Connection", *, is_silent: bool) -> None:
        """Whether an admitted connection waits for a request, from now on."""
        self._silent.pop(connection, None)
        if is_silent and connection in self.open:
            self._silent[connection] = None

    def forget(self, connection: "Connection") -> None:
        """It is gone."""
        self._silent.pop(connection, None)
        self.open.discard(connection)
        self._refused.discard(connection)
        metrics.CONNECTIONS.set(len(self.open))

    def close_overdue(self, now_s: float) -> None:
        """End the connections that have kept us waiting for too long; `now_s` is the loop's time."""
        for connection in [*self.open, *self._refused]:
            if reason := connection.overdue(now_s):
                metrics.CONNECTIONS_CLOSED.labels(reason).inc()
                connection.abort()

    def _make_room(self) -> bool:
        oldest = next(iter(self._silent), None)
        if oldest is None or self._loop.time() - oldest.since_s < _SILENT_BEFORE_IT_MAKES_ROOM_S:
            return False
        metrics.CONNECTIONS_CLOSED.labels("made_room").inc()
        self.forget(oldest)
        oldest.force_close()
        return True


class Connection(web.RequestHandler):
    """One connection, from accept to its end."""

    __slots__ = (
        "_all",
        "_has_ended",
        "_request",
        "_state",
        "_unread_bytes",
        "_unread_since_s",
        "_wire",
        "since_s",
    )

    def __init__(self, connections: Connections, server: web.Server, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(
            server,
            loop=loop,
            access_log=None,  # type: ignore[arg-type]  # what AppRunner passes on to have none
            auto_decompress=False,
            keepalive_timeout=connections.settings.idle_timeout_s,
            lingering_time=_LINGERING_S,
            max_line_size=HEADER_SIZE_MAX_BYTES,
            max_field_size=HEADER_SIZE_MAX_BYTES,
            max_headers=HEADERS_MAX,
            read_bufsize=_READ_SIZE_BYTES,
        )
        self._all = connections
        self._wire: asyncio.Transport | None = None
        self._request: web.BaseRequest | None = None
        self._has_ended = False
        self._unread_bytes = 0
        self._unread_since_s = 0.0
        self._turn(_State.HEAD)

    @property
    def is_idle(self) -> bool:
        """Whether it waits for a next request."""
        return self._state is _State.IDLE

    @property
    def has_ended(self) -> bool:
        """Whether the peer sends nothing any more; it may still read."""
        return self._has_ended

    @property
    def unsent_bytes(self) -> int:
        """What the peer has not made room for."""
        return self._wire.get_write_buffer_size() if self._wire else 0

    def overdue(self, now_s: float) -> str:
        """Why this connection must end now, or ""."""
        waited_s = now_s - self.since_s
        if self._state is _State.REFUSED:
            return "refused" if waited_s > _REFUSED_STAYS_S else ""
        if self._state is _State.HEAD and waited_s > self._all.settings.head_timeout_s:
            return "slow_head"
        unread_bytes = self.unsent_bytes
        if not unread_bytes or unread_bytes < self._unread_bytes or not self._unread_bytes:
            self._unread_since_s = now_s
        self._unread_bytes = unread_bytes
        return "unread" if now_s - self._unread_since_s > _UNREAD_MAX_S else ""

    def begin(self, request: web.BaseRequest) -> None:
        """Its head has arrived."""
        self._request = request
        self._turn(_State.REQUEST)
        if self._has_ended:
            self._answer_last(request)

    def abort(self) -> None:
        """End it at once; what is unsent is dropped."""
        if self._wire is not None:
            self._wire.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See asyncio.Protocol."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101  # create_server makes no other
        self._wire = transport
        if self._all.admit(self):
            self._turn(_State.HEAD)
            super().connection_made(transport)
            return
        self._turn(_State.REFUSED)
        if not self._all.refuse(self):
            transport.abort()
            return
        error = TooManyConnections(
            f"{self._all.settings.connections_max} connections are open", hint="LOGDRAIN_CONNECTIONS_MAX"
        )
        transport.write(refusal(error))
        transport.write_eof()  # closed at once, the answer would be lost to the request that nobody reads

    def data_received(self, data: bytes) -> None:
        """See asyncio.Protocol."""
        if self._state is _State.REFUSED:
            return
        if data and self.is_idle:
            self._turn(_State.HEAD)
        super().data_received(data)

    def eof_received(self) -> bool:  # type: ignore[override]  # asyncio.Protocol's type, which aiohttp narrows
        """See asyncio.Protocol: who has sent a whole request and nothing more still gets its answer."""
        self._has_ended = True
        if self._request is not None:
            self._answer_last(self._request)
        return self._state in (_State.HEAD, _State.REQUEST)  # a head may be whole, and not yet looked at

    def connection_lost(self, exc: BaseException | None) -> None:
        """See asyncio.Protocol."""
        self._all.forget(self)
        self._wire = None
        if self._state is not _State.REFUSED:
            super().connection_lost(exc)

    async def finish_response(
        self, request: web.BaseRequest, resp: web.StreamResponse, start_time: float | None
    ) -> tuple[web.StreamResponse, bool]:
        """Send an answer; the next request may come."""
        try:
            return await super().finish_response(request, resp, start_time)
        finally:
            self._request = None
            self._turn(_State.IDLE)

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,  # noqa: ARG002  # it quotes what was sent
    ) -> web.StreamResponse:
        """Answer what never became a request; the application answers its own errors."""
        kind = type(exc).__name__
        if isinstance(exc, HttpProcessingError):
            error = _malformed(exc)
            metrics.REQUESTS_MALFORMED.inc()
            log.warning("request_malformed", code=error.code, error=kind)
        else:
            error = LogdrainError("something unforeseen went wrong", hint="see the log")
            log.error("request_failed", path=request.path, status=status, error=kind)
        if request.writer.output_size > 0:
            raise ConnectionError("an answer is under way already")
        response = error_response(error)
        response.force_close()
        return response

    def _answer_last(self, request: web.BaseRequest) -> None:
        """The peer sends no more: what is whole is answered, what is not never will be."""
        if request.content.is_eof():
            self.close()
        else:
            self.abort()

    def _turn(self, state: _State) -> None:
        self._state = state
        self.since_s = self._loop.time()
        self._all.note(self, is_silent=state in (_State.IDLE, _State.HEAD))


def _malformed(error: HttpProcessingError) -> LogdrainError:
    if isinstance(error, LineTooLong) or "Too many headers" in error.message:
        return HeadersTooLarge(
            f"a head has {HEADERS_MAX} fields at most, of {HEADER_SIZE_MAX_BYTES} octets each",
            hint="docs/reference/limits.md",
        )
    return BadRequest("this is not HTTP/1.1, or its framing is broken", hint="RFC 9112; TLS ends before us")
