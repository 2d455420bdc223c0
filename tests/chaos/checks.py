"""What must hold at the end of a round. Pure: each check returns what is wrong."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.chaos.book import Answer, Book
from tests.chaos.jobs import Job, Payment, Row, expected_rows
from tests.chaos.payments import Fate, Line

ANSWER_WITHIN_S = 5.0
_STARTING_S = 0.25  # a connection that a drain takes up while it starts or wakes
_SERIAL = re.compile(rb"serial\W+(\d+)")
_SHOWN_MAX = 5
_BAD_LOG_WORDS = (
    "Traceback (most recent call last)",
    "code=internal",
    "internal error",
    "Task exception was never",
)


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """A document, without its id."""

    table: str
    time_ms: int
    fields: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class StoredEntry:
    """A quarantine entry."""

    reason: str
    raw: bytes


@dataclass
class Tally:
    """What became of the lines that were sent."""

    lost: list[int] = field(default_factory=list)
    doubled: list[int] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    unacknowledged_stored: int = 0
    unacknowledged_absent: int = 0

    @property
    def problems(self) -> list[str]:
        """One line for each kind of problem."""
        return [
            *([f"lost although acknowledged: serials {_some(self.lost)}"] if self.lost else []),
            *([f"stored more than once: serials {_some(self.doubled)}"] if self.doubled else []),
            *self.wrong[:_SHOWN_MAX],
        ]


def tally(book: Book, events: Iterable[StoredEvent], entries: Iterable[StoredEntry]) -> Tally:
    """Compare what was sent with what is there."""
    found = Tally()
    stored: dict[int, list[StoredEvent]] = defaultdict(list)
    for event in events:
        stored[int(event.fields.get("serial", 0))].append(event)
    found.wrong += [
        f"never sent, but stored: {stored[serial][0]}" for serial in stored.keys() - book.lines.keys()
    ]
    quarantined = _quarantined(book, entries, found)
    for serial, line in book.lines.items():
        found.wrong += _misplaced(line, stored[serial])
        count = len(stored[serial]) if line.fate is Fate.STORED else quarantined[serial]
        if count > 1:
            found.doubled.append(serial)
        if serial not in book.acknowledged:
            found.unacknowledged_stored += count > 0
            found.unacknowledged_absent += count == 0
        elif count == 0:
            found.lost.append(serial)
    return found


def _quarantined(book: Book, entries: Iterable[StoredEntry], found: Tally) -> Counter[int]:
    quarantined: Counter[int] = Counter()
    for entry in entries:
        serial = _serial_of(entry.raw)
        # The beginning of a cut line whose end nobody acknowledged may be given up.
        if entry.reason == "split" and serial in book.begun - book.acknowledged:
            continue
        line = book.lines.get(serial)
        if line is None or line.fate is not Fate.QUARANTINED:
            found.wrong.append(f"in quarantine as {entry.reason}: {entry.raw[:80]!r}")
        quarantined[serial] += 1
    return quarantined


def _misplaced(line: Line, stored: Sequence[StoredEvent]) -> list[str]:
    """A line that is stored otherwise than it was sent."""
    if line.fate is not Fate.STORED:
        return [f"stored although it is no event: {event}" for event in stored]
    expected = StoredEvent(line.table, line.time_ms, line.fields or {})
    return [f"stored otherwise than sent: {event}, not {expected}" for event in stored if event != expected]


def wrong_results(job: Job, payments: Sequence[Payment], rows: Sequence[Row]) -> list[str]:
    """Where a result table is not what its events make."""
    expected = expected_rows(job, payments)
    found = (
        [f"{job.name}: {len(rows) - len(set(rows))} rows are there twice"]
        if len(set(rows)) < len(rows)
        else []
    )
    missing, extra = expected - set(rows), set(rows) - expected
    if missing or extra:
        found.append(f"{job.name}: missing {_some(missing)}; not expected {_some(extra)}")
    return found


def slow_answers(answers: Iterable[Answer], stopped: Sequence[tuple[float, float]]) -> list[str]:
    """Answers that took longer than a sender waits, less the time that the harness had stopped the drain."""
    found = []
    for answer in answers:
        if not (answer.is_direct and isinstance(answer.said, int)):
            continue
        hung_s = sum(
            max(0.0, min(until, answer.ended_s) - max(since, answer.started_s)) for since, until in stopped
        )
        took_s = answer.ended_s - answer.started_s - hung_s
        if took_s > ANSWER_WITHIN_S + (_STARTING_S if hung_s else 0.0):
            found.append(f"answer {answer.said} took {took_s:.2f} s, besides {hung_s:.2f} s stopped")
    return found


def bad_log_lines(name: str, text: str) -> list[str]:
    """Signs of a defect in a log."""
    return [
        f"{name}: {line[:300]}" for line in text.splitlines() if any(word in line for word in _BAD_LOG_WORDS)
    ][:_SHOWN_MAX]


def _serial_of(raw: bytes) -> int:
    found = _SERIAL.search(raw)
    return int(found[1]) if found else 0


def _some(items: Iterable[object]) -> str:
    every = sorted(map(str, items))
    return ", ".join(every[:_SHOWN_MAX]) + (
        f" and {len(every) - _SHOWN_MAX} more" if len(every) > _SHOWN_MAX else ""
    )
