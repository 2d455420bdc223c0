"""One round: break everything by a seeded plan while payments come in, let things settle, count."""

import asyncio
import re
import time
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from tests.chaos import checks
from tests.chaos.backfill import Backfill, table_rows
from tests.chaos.book import Book
from tests.chaos.breaking import Breaker, unexpected_deaths
from tests.chaos.found import payments_of, read_store
from tests.chaos.jobs import JOBS
from tests.chaos.plan import DRAIN, SPOOL, Kind, deck, make_plan
from tests.chaos.programs import STOP_WITHIN_S
from tests.chaos.sender import Sender
from tests.chaos.world import READ_KEY, World, running_world

_SETTLE_WITHIN_S = 60.0
_SEND_WITHIN_S = 120.0
_POLL_S = 0.2
_WAITING = re.compile(r"^logdrain_spool_entries (\S+)$", re.MULTILINE)


@dataclass
class Round:
    """What a round has seen."""

    seed: int
    faults: list[str] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    died: list[str] = field(default_factory=list)
    slowest_answer_s: float = 0.0


async def run_round(seed: int, duration_s: float, folder: Path, *, replica_set: bool) -> Round:
    """Run a round in an empty folder; the same seed makes the same payments and the same plan."""
    random = Random(seed)
    done = Round(seed)
    async with running_world(folder, Random(random.random()), replica_set=replica_set) as world:
        cards = deck(replica_set=replica_set, disks=SPOOL in world.disks)
        plan = make_plan(Random(random.random()), duration_s, cards)
        breaker = Breaker(world, Random(random.random()))
        backfill = Backfill(world, Random(random.random()))
        book = Book()
        await backfill.prepare()
        for program in world.programs.values():
            program.start()
        await _until(lambda: _answers(world), "the drain answers")
        sender = Sender(world.linked_url, world.direct_url, Random(random.random()), book)
        sending = asyncio.create_task(sender.run())
        endless = (backfill.keep_asking(), backfill.keep_looking(), breaker.keep_reviving())
        meanwhile = [asyncio.create_task(each) for each in endless]
        try:
            await breaker.carry_out(plan)
            sender.stop()
            async with asyncio.timeout(_SEND_WITHIN_S):
                await sending
            await _until(lambda: _is_quiet(world), "all programs run, and no delivery waits for MongoDB")
        finally:
            done.problems += await _end(sending, *meanwhile)
        done.faults = breaker.log
        done.problems += unexpected_deaths(world) + backfill.torn + await backfill.finish()
        _compare(world, book, done)
        done.problems += await _stop(world)
        done.problems += _log_problems(world)
        _count(done, world, breaker, backfill, book)
    return done


async def _end(*tasks: "asyncio.Task[None]") -> list[str]:
    """Cancel tasks; what went wrong in them."""
    for task in tasks:
        task.cancel()
    ended = await asyncio.gather(*tasks, return_exceptions=True)
    return [
        f"the harness itself: {type(error).__name__}: {error}"
        for error in ended
        if isinstance(error, Exception)
    ]


async def _until(condition: Callable[[], bool], what: str) -> None:
    deadline_s = time.monotonic() + _SETTLE_WITHIN_S
    while not await asyncio.to_thread(condition):
        if time.monotonic() > deadline_s:
            raise TimeoutError(f"not within {_SETTLE_WITHIN_S:g} s: {what}")
        await asyncio.sleep(_POLL_S)


def _metrics(world: World) -> str:
    url = f"http://127.0.0.1:{world.drain_port}/metrics"
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {READ_KEY}"})
    with suppress(OSError), urllib.request.urlopen(request, timeout=5) as answer:  # noqa: S310  # our own drain
        return str(answer.read().decode())
    return ""


def _answers(world: World) -> bool:
    return bool(_metrics(world))


def _is_quiet(world: World) -> bool:
    """Whether all programs run, and no delivery waits in the drain."""
    if not all(program.is_ready for program in world.programs.values()):
        return False
    page = _metrics(world)
    waiting = _WAITING.search(page)
    return bool(page) and (waiting is None or float(waiting[1]) == 0)


def _compare(world: World, book: Book, done: Round) -> None:
    events, entries = read_store(world)
    tally = checks.tally(book, events, entries)
    done.problems += tally.problems
    payments = payments_of(events)
    for job in JOBS:
        done.problems += checks.wrong_results(job, payments, table_rows(world, job))
    done.problems += checks.slow_answers(book.answers, world.programs[DRAIN].hung)
    done.problems += [f"refused for good: {refused}" for refused in book.refused]
    done.counts |= {
        "events": len(events),
        "quarantined": len(entries),
        "acknowledged": len(book.acknowledged),
        "not acknowledged, stored": tally.unacknowledged_stored,
        "not acknowledged, absent": tally.unacknowledged_absent,
        "lost": len(tally.lost),
        "doubled": len(tally.doubled),
    }


async def _stop(world: World) -> list[str]:
    """SIGTERM to all programs at once: exit status 0, in time."""
    stopped = await asyncio.gather(*(program.stop() for program in world.programs.values()))
    return [
        f"{name} ended with status {status} {took_s:.1f} s after SIGTERM"
        for name, (status, took_s) in zip(world.programs, stopped, strict=True)
        if status != 0 or took_s > STOP_WITHIN_S
    ]


def _log_problems(world: World) -> list[str]:
    return [
        problem
        for log in sorted(world.folder.glob("*.log"))
        for problem in checks.bad_log_lines(log.stem, log.read_text(errors="replace"))
    ]


def _count(done: Round, world: World, breaker: Breaker, backfill: Backfill, book: Book) -> None:
    done.died = [died for program in world.programs.values() for died in program.died]
    # A worker that finds no ledger when it starts says so and ends; a drain has no reason to.
    done.problems += world.programs[DRAIN].died
    done.slowest_answer_s = max(
        (answer.ended_s - answer.started_s for answer in book.answers if answer.is_direct), default=0.0
    )
    links = (Kind.CUT, Kind.HALF_CLOSE, Kind.DELAY, Kind.LOSE_ANSWERS)
    done.counts |= {
        "kills": breaker.done[Kind.KILL],
        "hangs": breaker.done[Kind.HANG],
        "link faults": sum(breaker.done[kind] for kind in links),
        "other faults": breaker.done.total()
        - sum(breaker.done[kind] for kind in (Kind.KILL, Kind.HANG, *links)),
        "deliveries": book.outcomes.total(),
        "retries": book.retries,
        "backfills": backfill.runs["ended"],
        "backfills killed": backfill.runs["killed"],
        "looks at tables": backfill.looks,
    }
