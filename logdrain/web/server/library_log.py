"""What libraries log, as one line of ours: without tracebacks, and without what a peer has sent."""

import asyncio
import logging
from typing import Any

from logdrain import log


class OneLine(logging.Handler):
    """Writes a record of `logging` as an event. Its arguments may quote a peer: only the form is shown."""

    def emit(self, record: logging.LogRecord) -> None:
        """See logging.Handler."""
        kind = record.exc_info[0] if record.exc_info else None
        write = log.error if record.levelno >= logging.ERROR else log.warning
        write(
            "library_said",
            library=record.name,
            message=str(record.msg).partition("\n")[0],
            error=kind.__name__ if kind else None,
        )


def take_over(loop: asyncio.AbstractEventLoop) -> None:
    """From now on, warnings and errors of libraries and of the event loop are lines of ours."""
    logging.basicConfig(level=logging.WARNING, handlers=[OneLine()], force=True)
    loop.set_exception_handler(_event_loop_failed)


def _event_loop_failed(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    error = context.get("exception")
    log.error(
        "event_loop_failed",
        message=str(context.get("message", "")).partition("\n")[0],
        error=f"{type(error).__name__}: {error}" if error else None,
    )
