"""What answers the questions of each route, in a query process."""

import msgspec

from logdrain.answer.queries import Queries
from logdrain.config import Settings
from logdrain.errors import NotFound
from logdrain.model.stops import Stop
from logdrain.web.asking.envelope import AnswerParts, Envelope
from logdrain.web.asking.sql_answers import answer_sql
from logdrain.web.asking.sql_question import SqlQuestion


class QuestionRunner:
    """Answers any question.

    Args:
        queries: SQL over all events.
        settings: Of the process.
    """

    def __init__(self, queries: Queries, settings: Settings) -> None:
        self._queries = queries
        self._settings = settings

    def answer(self, envelope: Envelope, *, now_s: int, stop: Stop) -> AnswerParts:
        """The answer, to be read in a thread; nothing is done before its first part is.

        Raises (while it is read):
            LogdrainError: it cannot be answered.
        """
        if envelope.route != "sql":
            raise NotFound(f"no question is asked at {envelope.route}")
        question = msgspec.json.decode(envelope.body, type=SqlQuestion)
        rows_max = self._settings.query_rows_max
        yield from answer_sql(self._queries, question, now_s=now_s, rows_max=rows_max, stop=stop)
