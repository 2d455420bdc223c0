"""How a SQL text is answered."""

import json
from collections.abc import Sequence

from logdrain.answer.queries import Queries
from logdrain.model.queries import QueryRequest
from logdrain.model.stops import Stop
from logdrain.web.asking.envelope import AnswerHead, AnswerParts
from logdrain.web.asking.row_formats import CONTENT_TYPES, encoded
from logdrain.web.asking.sql_question import SqlQuestion

WARNINGS_HEADER = "Logdrain-Warnings"
_WARNINGS_MAX_CHARS = 4_000


def answer_sql(
    queries: Queries, question: SqlQuestion, *, now_s: int, rows_max: int, stop: Stop
) -> AnswerParts:
    """The head as soon as the first rows are there, then the rows.

    Raises (while it is read): what `Queries.stream` raises.
    """
    request = QueryRequest(
        question.sql,
        question.database,
        question.dialect,
        now_s if question.scheduled_time is None else question.scheduled_time,
        now_s,
    )
    limits = [limit for limit in (question.timeout_s, queries.timeout_s) if limit is not None]
    timeout_s = min(limits, default=None)
    with queries.stream(request, stop=stop, timeout_s=timeout_s, rows_max=rows_max) as answer:
        yield AnswerHead(CONTENT_TYPES[question.format], _warned(answer.plan.warnings))
        yield from encoded(answer.rows, question.format)


def _warned(warnings: Sequence[str]) -> dict[str, str]:
    """Warnings as a header: a JSON list in ASCII; those that fit."""
    fitting = list(warnings)
    while fitting and len(json.dumps(fitting)) > _WARNINGS_MAX_CHARS:
        fitting.pop()
    return {WARNINGS_HEADER: json.dumps(fitting)} if fitting else {}
