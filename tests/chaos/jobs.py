"""Schedules whose results must be right, and what is right, computed from the raw events. Pure."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from tests.chaos.payments import DAY, HOURS

HOUR = timedelta(hours=1)
CRON = "0 * 1 3 *"  # hourly on one day of the year: slices are there to be asked for, none comes by itself
FIRST = DAY + HOUR
SQL = """
SELECT TD_SCHEDULED_TIME() AS time, item, COUNT(1) AS events, SUM(price) AS revenue, SUM(serial) AS serials,
       SUM(COUNT(1)) OVER () AS in_slice
FROM shop.pay
WHERE TD_TIME_RANGE(time, TD_TIME_ADD(TD_SCHEDULED_TIME(), '-1h'), TD_SCHEDULED_TIME())
GROUP BY item
"""

Row = tuple[datetime, str, int, int, int, int]
"""time, item, events, revenue, serials, in_slice."""


class Payment(NamedTuple):
    """A raw event of shop.pay."""

    time: datetime
    item: str
    price: int
    serial: int


@dataclass(frozen=True, slots=True)
class Job:
    """A schedule: its rows go to `result`, in a table of its own name."""

    result: str
    mode: str

    @property
    def name(self) -> str:
        """Of schedule and table."""
        return f"{self.mode}_{self.result}"

    @property
    def target(self) -> str:
        """As `--result` takes it."""
        return f"{self.result}:{self.name}?mode={self.mode}" + (
            "&unique=item" if self.mode == "update" else ""
        )

    @property
    def slices(self) -> tuple[datetime, int]:
        """First instant and how many: mode replace holds one slice, the last."""
        return (FIRST + (HOURS - 1) * HOUR, 1) if self.mode == "replace" else (FIRST, HOURS)


HERE, THERE = "here", "there"  # the ledger's own database, and another one
JOBS = tuple(Job(result, mode) for mode in ("append", "replace", "update") for result in (HERE, THERE))


def expected_rows(job: Job, payments: Iterable[Payment]) -> set[Row]:
    """What the job's table must hold once all of its slices have run over these events."""
    by_slice: dict[datetime, dict[str, list[Payment]]] = defaultdict(lambda: defaultdict(list))
    for payment in payments:
        end = payment.time.replace(minute=0, second=0, microsecond=0) + HOUR
        by_slice[end][payment.item].append(payment)
    start, count = job.slices
    rows = [
        row
        for instant in (start + number * HOUR for number in range(count))
        for row in _slice_rows(instant, by_slice[instant])
    ]
    if job.mode != "update":
        return set(rows)
    return set({row[1]: row for row in rows}.values())  # the newest slice of an item stays


def _slice_rows(instant: datetime, by_item: dict[str, list[Payment]]) -> list[Row]:
    in_slice = sum(map(len, by_item.values()))
    return [
        (
            instant,
            item,
            len(payments),
            sum(payment.price for payment in payments),
            sum(payment.serial for payment in payments),
            in_slice,
        )
        for item, payments in by_item.items()
    ]


def torn(job: Job, rows: Iterable[Row]) -> list[str]:
    """What shows, at any moment, that a table is not made of whole slices, each there once."""
    found: list[str] = []
    by_slice: dict[datetime, list[Row]] = defaultdict(list)
    for row in rows:
        by_slice[row[0]].append(row)
    keys = [
        row[1] if job.mode == "update" else row[:2] for slice_rows in by_slice.values() for row in slice_rows
    ]
    if len(keys) != len(set(keys)):
        found.append(f"{job.name}: rows are there twice")
    if job.mode == "update":
        return found  # a newer slice has taken some of an older one's rows
    if job.mode == "replace" and len(by_slice) > 1:
        found.append(f"{job.name}: rows of {len(by_slice)} slices, where one is held")
    for instant, slice_rows in by_slice.items():
        if {row[5] for row in slice_rows} != {sum(row[2] for row in slice_rows)}:
            found.append(f"{job.name}: slice {instant:%H:%M} is made of more than one run")
    return found
