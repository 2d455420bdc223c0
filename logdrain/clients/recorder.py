"""The verbs of a client: track, identify, page and so on. Nothing here raises into the application."""

import atexit
import functools
import importlib
import json
import logging
import os
import time
from collections.abc import Iterator, Mapping, MutableSequence
from contextlib import contextmanager, suppress
from random import SystemRandom
from typing import Any
from weakref import WeakSet

from logdrain.clients import event_items
from logdrain.clients.event_items import EventItem, event_item, tagged_line, unix_ms
from logdrain.clients.event_queue import EXIT_FLUSH_S, EventQueue, Exchange
from logdrain.clients.line_writer import LineWriter
from logdrain.clients.plain_values import JsonWriter
from logdrain.clients.question import Question, analysis, question_on

_IDS = ("user_id", "anonymous_id", "session_id")
LOGGER = logging.getLogger("logdrain")


class Recorder:
    """Records events, and begins questions; what both kinds of client are.

    Args:
        url: The drain, such as https://drain.example; default LOGDRAIN_URL.
        write_key: A key of scope `write`; default LOGDRAIN_WRITE_KEY.
        read_key: A key of scope `read`, for questions; default LOGDRAIN_READ_KEY.
        transport: "stdout" prints tagged lines, "http" sends to the URL, a list collects events. Default:
            "http" where there are a URL and a write key, and the program is not on a dyno, else "stdout".
        queue_events: Most events that wait in memory; newer ones are dropped and counted.

    Raises:
        ValueError: the transport is none of the three.
    """

    def __init__(
        self,
        url: str | None = None,
        *,
        write_key: str | None = None,
        read_key: str | None = None,
        transport: str | MutableSequence[dict[str, Any]] | None = None,
        queue_events: int = 10_000,
    ) -> None:
        self._url = url or os.environ.get("LOGDRAIN_URL", "")
        self._write_key = write_key or os.environ.get("LOGDRAIN_WRITE_KEY", "")
        self._read_key = read_key or os.environ.get("LOGDRAIN_READ_KEY", "")
        self._registered: dict[str, Any] = {}
        self._warned: set[str] = set()
        self._json = JsonWriter(self._warn)
        self._dropped = 0
        self._list: MutableSequence[dict[str, Any]] | None = None
        self._queue: EventQueue | None = None
        self._lines = LineWriter()
        if transport is None:
            is_given = bool(url and write_key) or not os.environ.get("DYNO")
            transport = "http" if self._url and self._write_key and is_given else "stdout"
        if transport == "http":
            # Not at the top: http.client is slower to import than all else here. Not at the first batch: a
            # fork while the queue's thread imports leaves the module locked in the child.
            module = importlib.import_module("logdrain.clients.event_connection")
            connect = functools.partial(module.connection_to, self._url, self._write_key)
            exchange = Exchange(connect, self._warn, _JITTER)
            self._queue = EventQueue(exchange, queue_events=queue_events)
        elif not isinstance(transport, str):
            self._list = transport
        elif transport != "stdout":
            raise ValueError(f"transport {transport!r} is none of 'stdout', 'http' and a list")
        _RECORDERS.add(self)

    def track(
        self,
        event: str,
        properties: Mapping[str, Any] | None = None,
        *,
        user_id: Any = None,
        time: Any = None,  # the field's name
        insert_id: str | None = None,
    ) -> None:
        """Record an event.

        Args:
            event: The table it goes to, such as `shop.pay`.
            properties: Its fields; any values.
            user_id: Who did it.
            time: When it happened: a datetime, or a number as a drain reads it; default now.
            insert_id: Names the event, so that it is stored once however often it is sent; default a new one.
        """
        try:
            self._track(event, properties, {"user_id": user_id}, time, insert_id)
        except Exception as problem:  # noqa: BLE001  # nothing here is worth an application's request
            self._drop(f"an event cannot be recorded: {type(problem).__name__}: {problem}")

    def identify(self, user_id: Any, traits: Mapping[str, Any] | None = None) -> None:
        """Say who the user is: links the registered `anonymous_id`, and gives traits (`person.NAME`)."""
        self.track(event_items.IDENTIFY, {"traits": traits or {}}, user_id=user_id)

    def page(
        self, name: str | None = None, properties: Mapping[str, Any] | None = None, *, user_id: Any = None
    ) -> None:
        """Record that a page was seen."""
        named = {} if name is None else {"name": name}
        self.track(event_items.PAGE, {**named, **(properties or {})}, user_id=user_id)

    def group(self, group_id: Any, traits: Mapping[str, Any] | None = None, *, user_id: Any = None) -> None:
        """Say which group, such as a company, the user belongs to, with traits of it (`group.NAME`)."""
        self.track(event_items.GROUP, {"group_id": group_id, "traits": traits or {}}, user_id=user_id)

    def alias(self, previous_id: Any, user_id: Any) -> None:
        """Say that two ids are one person."""
        self.track(event_items.ALIAS, {"previous_id": previous_id}, user_id=user_id)

    def register(self, properties: Mapping[str, Any]) -> None:
        """Give properties, and ids (`user_id`, `anonymous_id`, `session_id`), to every event from now on."""
        self._registered = {**self._registered, **properties}

    def reset(self) -> None:
        """Forget what was registered."""
        self._registered = {}

    def _flush(self, timeout_s: float) -> int:
        with suppress(Exception):
            return self._queue.flush(timeout_s) if self._queue else 0
        return self._queue.left() if self._queue else 0

    @property
    def sent(self) -> int:
        """Events that the server has taken (transport "http")."""
        return self._queue.sent if self._queue else 0

    @property
    def dropped(self) -> int:
        """Events that are lost: the queue was full, the server rejects them, STDOUT is closed."""
        return self._dropped + (self._queue.dropped if self._queue else 0)

    @contextmanager
    def component(self, name: str, **properties: Any) -> Iterator[None]:
        """Record the use of a part of the program, as decorator or context manager: table `app.component`.

        The event has `component`, `seconds`, `ok`, and where it raised `error`, the exception's class.
        """
        start_s = time.perf_counter()
        error: str | None = None
        try:
            yield
        except BaseException as problem:
            error = type(problem).__name__
            raise
        finally:
            fields = {"component": name, "seconds": time.perf_counter() - start_s, "ok": error is None}
            self.track("app.component", {**fields, **({"error": error} if error else {}), **properties})

    def query(self, *tables: str) -> Question:
        """Begin a question on tables; nothing is sent before `run()`."""
        return question_on(tables, self._ask)

    def funnel(self, *steps: str | Mapping[str, Any], **options: Any) -> Question:
        """How many get from step to step: tables, or objects with filters; `window="1h"`, `by=`, `order=`."""
        named = [{"from": step} if isinstance(step, str) else dict(step) for step in steps]
        return analysis("funnel", {"steps": named, **options}, self._ask)

    def retention(
        self, born: str | Mapping[str, Any], returning: str | Mapping[str, Any], **options: Any
    ) -> Question:
        """Who comes back: `period="week"`, `count=8`, `kind=`, `cohort=`."""
        parts = {"born": born, "returning": returning}
        named = {key: {"from": part} if isinstance(part, str) else dict(part) for key, part in parts.items()}
        return analysis("retention", {**named, **options}, self._ask)

    def analysis(self, name: str, *tables: str, **options: Any) -> Question:
        """Another analysis by name: paths, components, defaults, workday, loadtime, correlate, compare."""
        of = {"from": tables[0] if len(tables) == 1 else list(tables)} if tables else {}
        return analysis(name, {**of, **options}, self._ask)

    def _track(self, event: Any, given: Any, ids: dict[str, Any], when: Any, insert_id: str | None) -> None:
        if type(given) is not dict and not isinstance(given, Mapping):
            if given is not None:
                self._warn("properties that are no mapping are recorded as the field `value`")
            given = {} if given is None else {"value": given}
        fields = {**self._registered, **given}
        time_ms = None if when is None else unix_ms(when)
        if when is not None and time_ms is None:
            self._warn("a time that cannot be read is recorded as the field `time_`")
            fields["time_"] = when
        for name in _IDS:
            value = ids.get(name)
            if value is None and name in self._registered and name not in given:
                value = fields.pop(name)
            if value is not None:
                ids[name] = value
        known = {name: value for name, value in ids.items() if value is not None}
        if self._queue is None and self._list is None:
            self._print(str(event), fields, known, time_ms, insert_id)
            return
        if time_ms is None and (time_ms := unix_ms(fields.get("time"))) is not None:
            del fields["time"]  # as in a line: a record's own time is the event's
        is_own = time_ms is None
        if time_ms is None:
            time_ms = int(time.time() * 1000) + (self._queue.offset_ms if self._queue else 0)
        known["insert_id"] = str(insert_id) if insert_id is not None else os.urandom(16).hex()
        self._take(event_item(str(event), known, fields, (time_ms, is_own), self._json))

    def _take(self, item: EventItem) -> None:
        if self._list is not None:
            self._list.append(json.loads(item.encode()))
        elif self._queue is not None:
            self._queue.put(item)

    def _print(
        self,
        event: str,
        fields: dict[str, Any],
        ids: dict[str, Any],
        time_ms: int | None,
        insert_id: str | None,
    ) -> None:
        own = {"time": time_ms} if time_ms is not None else {}
        named = {} if insert_id is None else {"insert_id": insert_id}
        renamed = fields
        if not ids.keys().isdisjoint(fields):
            renamed = {f"{name}_" if name in ids else name: value for name, value in fields.items()}
        try:
            self._lines.write(tagged_line(event, {**renamed, **ids, **named, **own}, self._json))
        except (OSError, ValueError) as problem:
            self._drop(f"STDOUT takes no more: {problem}")

    def _ask(self, path: str, body: Mapping[str, Any] | None) -> Any:
        module = importlib.import_module("logdrain.clients.question_connection")
        return module.ask(self._url, self._read_key or self._write_key, path, body)

    def _drop(self, reason: str) -> None:
        self._dropped += 1
        self._warn(reason)

    def _warn(self, message: str) -> None:
        if message in self._warned or len(self._warned) >= _WARNINGS_MAX:
            return
        self._warned.add(message)
        with suppress(Exception):
            LOGGER.warning("%s (said once)", message)


_WARNINGS_MAX = 100
# Not the shared generator: an application's seed, and its children after a fork, are not to see us draw.
_JITTER = SystemRandom().random
_RECORDERS: WeakSet["Recorder"] = WeakSet()


def flush_all(timeout_s: float = EXIT_FLUSH_S) -> None:
    """Send what waits anywhere; called when the program ends."""
    for recorder in tuple(_RECORDERS):
        if left := recorder._flush(timeout_s):  # noqa: SLF001  # of its own class
            LOGGER.warning("%d events could not be sent before the program ended", left)


atexit.register(flush_all)
