"""What the sender sends: deliveries of payments, each with a serial number of its own. Pure."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from random import Random
from typing import Any

from logdrain.sandbox.logplex import LogplexMessage, cut_long, encode_body

DAY = datetime(2021, 3, 1, tzinfo=UTC)
HOURS = 4
TABLES = ("shop.pay", "shop.refund")
_ITEMS = ("tea", "milk", "Brötchen", "日本茶")
_LINES_MAX = 20
_LONG_BYTES = (10_001, 35_000)
_DEVICES = ("web.1", "web.2", "web.3", "worker.1")


class Fate(StrEnum):
    """Where a line belongs."""

    STORED = "stored"
    QUARANTINED = "quarantined"


@dataclass(frozen=True, slots=True)
class Line:
    """One line that was sent.

    Attributes:
        table: `database.table` of its tag.
        time_ms: Event time, unix milliseconds.
        fields: The record without its `time`.
    """

    serial: int
    fate: Fate
    table: str = ""
    time_ms: int = 0
    fields: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Parcel:
    """One delivery.

    Attributes:
        lines: What must be durable when it is acknowledged.
        begun: Serials of lines that begin here and end in the next parcel, which waits for this one.
    """

    body: bytes
    message_count: int
    lines: tuple[Line, ...]
    begun: tuple[int, ...] = ()


class Payments:
    """Makes parcels without end; the same ones for the same random numbers."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._last_serial = 0

    def next_parcels(self) -> tuple[Parcel, ...]:
        """One parcel, or two where the second has the end of a line that the first has begun."""
        kind = self._random.random()
        if kind < 0.04:
            return self._cut_between()
        messages: list[LogplexMessage] = []
        lines: list[Line] = []
        for _ in range(self._random.randint(1, _LINES_MAX)):
            message, line = self._any_line()
            messages += cut_long(message)
            lines += [line] if line else []
        body = encode_body(messages)
        if kind < 0.12:
            junk = Line(self._serial(), Fate.QUARANTINED)
            body += f"9 serial={junk.serial};".encode()
            lines.append(junk)
        return (Parcel(body, len(messages), tuple(lines)),)

    def _any_line(self) -> tuple[LogplexMessage, Line | None]:
        kind = self._random.random()
        if kind < 0.05:
            return self._message(b"Started GET / for 10.0.0.1"), None
        if kind < 0.10:
            line = Line(self._serial(), Fate.QUARANTINED)
            return self._message(f"@[shop.pay] {{serial={line.serial};".encode()), line
        long_bytes = self._random.randint(*_LONG_BYTES) if kind < 0.13 else 0
        return self._payment(long_bytes, self._random.choice(_DEVICES))

    def _cut_between(self) -> tuple[Parcel, Parcel]:
        # A device of its own: what another line of the same one would do to it is not the question here.
        message, line = self._payment(self._random.randint(*_LONG_BYTES), f"run.{self._last_serial + 1}")
        pieces = list(cut_long(message))
        first, rest = pieces[:1], pieces[1:]
        more, more_line = self._payment(0, "web.1")
        return (
            Parcel(encode_body([*first, more]), 2, (more_line,), (line.serial,)),
            Parcel(encode_body(rest), len(rest), (line,)),
        )

    def _payment(self, long_bytes: int, device: str) -> tuple[LogplexMessage, Line]:
        frame_time, own_time, time_ms = self._times()
        fields = {
            "serial": self._serial(),
            "item": self._random.choice(_ITEMS),
            "price": self._random.randint(1, 3),
        }
        if long_bytes:
            fields["note"] = "ü" * (long_bytes // 2)
        table = self._random.choice(TABLES)
        record = {**fields, "time": own_time} if own_time is not None else fields
        text = f"@[{table}] {json.dumps(record, ensure_ascii=False)}".encode()
        message = LogplexMessage(frame_time, text, proc=device)
        return message, Line(int(str(fields["serial"])), Fate.STORED, table, time_ms, fields)

    def _times(self) -> tuple[datetime, object, int]:
        """(the frame's time, the record's own or None, event time in ms)."""
        frame_time = self._any_time()
        own = self._any_time()
        own_ms = int(own.timestamp() * 1000)
        form = self._random.randrange(5)
        if form == 0:
            return frame_time, None, int(frame_time.timestamp() * 1000)
        if form == 1:
            return frame_time, own_ms // 1000, own_ms // 1000 * 1000
        written = {2: own_ms, 3: own.isoformat(), 4: own_ms / 1000}[form]
        return frame_time, written, own_ms

    def _any_time(self) -> datetime:
        return DAY + timedelta(milliseconds=self._random.randrange(HOURS * 3_600_000))

    def _message(self, text: bytes) -> LogplexMessage:
        return LogplexMessage(self._any_time(), text, proc=self._random.choice(_DEVICES))

    def _serial(self) -> int:
        self._last_serial += 1
        return self._last_serial
