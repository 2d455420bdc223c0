"""The routes of questions: they are checked here, and answered in query processes."""

import msgspec
from aiohttp import web

from logdrain.errors import BadRequest
from logdrain.model.keys import Scope
from logdrain.web.asking.envelope import Envelope
from logdrain.web.asking.pass_on import QUESTIONS
from logdrain.web.asking.sql_question import SqlQuestion
from logdrain.web.server.access import require


async def post_sql(request: web.Request) -> web.StreamResponse:
    """`POST /v1/sql`: the rows of a SQL text, as they come."""
    await require(request, Scope.ADMIN)
    try:
        question = msgspec.json.decode(await request.read(), type=SqlQuestion)
    except msgspec.MsgspecError as error:
        raise BadRequest(str(error)) from error
    envelope = Envelope("sql", msgspec.Raw(msgspec.json.encode(question)))
    return await request.app[QUESTIONS].stream(request, envelope)
