"""What http_connections builds on in aiohttp, so that an upgrade which takes it away fails by name."""

import inspect

import pytest
from aiohttp import web

from logdrain.web.server.connections import Connection

OVERRIDDEN = {
    "connection_made": ["transport"],
    "connection_lost": ["exc"],
    "data_received": ["data"],
    "eof_received": [],
    "finish_response": ["request", "resp", "start_time"],
    "handle_error": ["request", "status", "exc", "message"],
}


@pytest.mark.parametrize("name", OVERRIDDEN)
def test_what_a_connection_overrides_is_there(name: str) -> None:
    inherited = inspect.signature(getattr(web.RequestHandler, name))
    assert list(inherited.parameters)[1:] == OVERRIDDEN[name]
    assert name in vars(Connection)


def test_what_a_connection_calls_is_there() -> None:
    for name in ("close", "force_close"):
        assert list(inspect.signature(getattr(web.RequestHandler, name)).parameters) == ["self"]
    options = inspect.signature(web.RequestHandler).parameters
    wanted = {"keepalive_timeout", "lingering_time", "max_line_size", "max_field_size", "max_headers"}
    assert wanted <= set(options)
    assert {"auto_decompress", "read_bufsize", "access_log"} <= set(options)


async def test_a_server_keeps_its_handler_where_it_can_be_wrapped() -> None:
    async def handle(_: web.BaseRequest) -> web.StreamResponse:
        return web.Response()

    assert web.Server(handle).request_handler is handle


def test_nothing_private_is_used() -> None:
    ours = set(Connection.__slots__) | {"_turn", "_answer_last"}
    private = {name for name in vars(Connection) if name.startswith("_") and not name.startswith("__")}
    assert private <= ours
    inherited = {name for each in web.RequestHandler.__mro__ for name in vars(each)}
    assert ours.isdisjoint(inherited)
