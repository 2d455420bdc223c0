"""`logdrain.LogHandler`: what a program logs becomes events."""

import logging
from typing import Any

from logdrain.clients.recorder import LOGGER, Recorder

_OF_RECORDS = frozenset({*logging.makeLogRecord({}).__dict__, "message", "asctime", "taskName"})
_FORMATTER = logging.Formatter()


class LogHandler(logging.Handler):
    """Records what a program logs: `logging.getLogger().addHandler(logdrain.LogHandler(client))`.

    Args:
        client: Where to.
        event: The table.
        level: The least level.
    """

    def __init__(self, client: Recorder, event: str = "app.log", level: int | str = logging.INFO) -> None:
        super().__init__(level)
        self._client = client
        self._event = event

    def emit(self, record: logging.LogRecord) -> None:
        """Record a line; the client's own warnings are not for it."""
        if record.name == LOGGER.name:
            return
        try:
            fields: dict[str, Any] = {
                name: value for name, value in record.__dict__.items() if name not in _OF_RECORDS
            }
            fields |= {"level": record.levelname, "logger": record.name, "message": record.getMessage()}
            if record.exc_info and record.exc_info[0]:
                fields["error"] = record.exc_info[0].__name__
                fields["trace"] = _FORMATTER.formatException(record.exc_info)
            self._client.track(self._event, fields, time=record.created)
        except Exception:  # noqa: BLE001  # as logging's own handlers do
            self.handleError(record)
