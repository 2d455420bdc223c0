"""`logdrain.Client` and `logdrain.AsyncClient`: events from a Python program, and questions.

ld = logdrain.Client()
ld.track("shop.pay", {"price": 10, "tags": ["a"]}, user_id=123)
"""

import importlib
from types import TracebackType
from typing import Self

from logdrain.clients.question import Question, QuestionAnswer
from logdrain.clients.recorder import Recorder

FLUSH_S = 10.0
# asyncio is imported where it is used: `import logdrain` stays quick for commands and scripts.


class Client(Recorder):
    """Sends events to a drain, and asks it questions."""

    def flush(self, timeout_s: float = FLUSH_S) -> int:
        """Send what waits; how many events are left when that is done or time is up."""
        return self._flush(timeout_s)

    def close(self, timeout_s: float = FLUSH_S) -> int:
        """Flush; how many events are left. The client may be used again."""
        return self._flush(timeout_s)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class AsyncClient(Recorder):
    """The same for asyncio: `track` and its like never wait, `flush`, `close` and `run` are awaited.

    async with logdrain.AsyncClient() as ld:
        ld.track("shop.pay", {"price": 10})
        answer = await ld.run(ld.query("shop.pay").sum("price"))
    """

    async def flush(self, timeout_s: float = FLUSH_S) -> int:
        """Send what waits; how many events are left when that is done or time is up."""
        left: int = await importlib.import_module("asyncio").to_thread(self._flush, timeout_s)
        return left

    async def close(self, timeout_s: float = FLUSH_S) -> int:
        """Flush; how many events are left. The client may be used again."""
        return await self.flush(timeout_s)

    async def run(self, question: Question) -> QuestionAnswer:
        """Ask a question."""
        answer: QuestionAnswer = await importlib.import_module("asyncio").to_thread(question.run)
        return answer

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()
