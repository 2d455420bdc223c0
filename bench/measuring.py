"""How things are measured: the variants of a table take turns, so that what disturbs one disturbs all.

A round is: prepare (not measured), then work (measured). The first round warms up and is not counted.
"""

import gc
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

Work = Callable[[], int]
"""Does what is measured, returns how many events it handled."""

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_US = 1_000_000
_MS = 1_000
_USER_TIME, _SYSTEM_TIME = 11, 12  # places in /proc/PID/stat behind the command's name, see proc(5)


@dataclass(frozen=True, slots=True)
class Variant:
    """One row of a table: `prepare` makes ready and gives the work."""

    name: str
    prepare: Callable[[], Work]


def ready(name: str, work: Work) -> Variant:
    """A variant that needs no preparation."""
    return Variant(name, lambda: work)


@dataclass(slots=True)
class Timing:
    """What the rounds of a variant took.

    Attributes:
        cpu_s: CPU seconds of all rounds together, by process: /proc counts in ticks of 10 ms.
    """

    name: str
    walls_s: list[float] = field(default_factory=list)
    events: int = 0
    cpu_s: dict[str, float] = field(default_factory=dict)

    def add(self, wall_s: float, events: int, cpu_s: Mapping[str, float]) -> None:
        """Count one round."""
        self.walls_s.append(wall_s)
        self.events += events
        self.cpu_s = {name: self.cpu_s.get(name, 0.0) + spent_s for name, spent_s in cpu_s.items()}

    @property
    def events_per_round(self) -> float:
        """Events of one round."""
        return self.events / len(self.walls_s)

    def speed(self, first: "Timing") -> float:
        """Events per second relative to another's: the median over pairs of neighbouring rounds."""
        ratio = median(theirs / ours for theirs, ours in zip(first.walls_s, self.walls_s, strict=True))
        return ratio * self.events_per_round / first.events_per_round


def take_turns(
    variants: Sequence[Variant], *, rounds: int, watched: Mapping[str, int] | None = None
) -> list[Timing]:
    """Measure variants in interleaved rounds.

    Args:
        variants: In the order of the table.
        rounds: How often each works, after one round to warm up.
        watched: Pids of other processes whose CPU time counts, by name.
    """
    pids = {"client": os.getpid(), **(watched or {})}
    timings = [Timing(variant.name) for variant in variants]
    for number in range(rounds + 1):
        for variant, timing in zip(variants, timings, strict=True):
            work = variant.prepare()
            gc.collect()  # what others left is not this one's to clean up
            before_s = {name: cpu_seconds(pid) for name, pid in pids.items()}
            started_s = time.perf_counter()
            events = work()
            wall_s = time.perf_counter() - started_s
            if number:
                spent_s = {name: cpu_seconds(pid) - before_s[name] for name, pid in pids.items()}
                timing.add(wall_s, events, spent_s)
    return timings


def cpu_seconds(pid: int) -> float:
    """User and system time of a process so far, all its threads."""
    if pid == os.getpid():
        return time.process_time()  # finer than ticks
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[_USER_TIME]) + int(fields[_SYSTEM_TIME])) / _TICKS_PER_S


def print_comparison(title: str, timings: Sequence[Timing], *, cpu_per_run: bool = False) -> None:
    """A table of variants.

    Args:
        title: What is compared.
        timings: Their rounds; the first is what the others are compared with.
        cpu_per_run: Milliseconds of one run instead of seconds of a million events.
    """
    unit = "CPU ms a run" if cpu_per_run else "CPU s/M events"
    spent = [f"{process} {unit}" for process in timings[0].cpu_s]
    header = ["", "best ms", "median ms", "events/s", *spent, "speed"]
    rows = []
    for timing in timings:
        median_s = median(timing.walls_s)
        scale = _MS / len(timing.walls_s) if cpu_per_run else _US / timing.events
        rows.append(
            [
                timing.name,
                f"{min(timing.walls_s) * _MS:,.1f}",
                f"{median_s * _MS:,.1f}",
                f"{timing.events_per_round / median_s:,.0f}",
                *(f"{spent_s * scale:,.1f}" for spent_s in timing.cpu_s.values()),
                f"{timing.speed(timings[0]):.2f}",
            ]
        )
    print_table(title, header, rows)


def print_table(title: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A table in Markdown, its columns aligned; the first column has words, the others have numbers."""
    widths = [max(len(row[at]) for row in (header, *rows)) for at in range(len(header))]
    first, *others = widths
    print(f"\n{title}\n")
    rule = [":" + "-" * (first - 1), *("-" * (width - 1) + ":" for width in others)]
    for row in (header, rule, *rows):
        numbers = [cell.rjust(width) for cell, width in zip(row[1:], others, strict=True)]
        print(f"| {' | '.join([row[0].ljust(first), *numbers])} |", flush=True)
