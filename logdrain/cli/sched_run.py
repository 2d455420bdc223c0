"""`logdrain sched:run NAME TIME [-n N]`."""

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from functools import partial

from logdrain import log
from logdrain.cli import servers
from logdrain.cli.runs import waits_lines
from logdrain.errors import LedgerUnavailable, SlicesFailed, TimeInvalid, UsageError
from logdrain.model.jobs import Cause, SliceState, SliceStatus, Wait
from logdrain.ports.ledger import History

# Other workers may have the slices: how often to look whether they are done.
_LOOK_S = 0.2
_RUN_S = 1.0
_AWAY_S = 3.0
_AWAY_MAX_S = 300.0
_DONE = {SliceState.SUCCEEDED, SliceState.FAILED, SliceState.SKIPPED, SliceState.CANCELLED}


def add_sched_run_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the words of the command."""
    parser.epilog = (
        "Rows of a slice that ran before are replaced.\n"
        "example: logdrain sched:run pay_hourly '2012-03-01 00:00:00' -n 24"
    )
    parser.add_argument("name", help="the schedule")
    parser.add_argument("time", help="unix seconds or a date and time, in the schedule's time zone")
    parser.add_argument("-n", type=int, default=1, metavar="N", help="so many slices from there (default: 1)")
    parser.add_argument(
        "--force",
        action="store_true",
        help="also where rows would be added again, an older slice would replace a newer one or must wait",
    )
    parser.add_argument(
        "--resume",
        action="store_true",
        help="leave out slices that have succeeded: go on with a backfill that was cut off",
    )
    servers.add_data_argument(parser)


def run_sched_run(arguments: argparse.Namespace) -> int:
    """Run slices here, together with the workers that are there, and wait for all of them."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from logdrain.jobs.cron import instants_from, parse
    from logdrain.jobs.option_values import read_time
    from logdrain.worker.loop import Worker
    from logdrain.worker.parts import open_worker_parts

    if arguments.n < 1:
        raise UsageError(f"-n {arguments.n} is not a number of slices", hint="give 1 or more")
    settings = servers.settings_of(arguments)
    with open_worker_parts(settings) as parts:
        ledger = parts.ledger
        schedule = ledger.schedules.get(arguments.name)
        start = read_time(arguments.time, schedule.timezone)
        instants = instants_from(parse(schedule.cron, schedule.timezone), start, arguments.n)
        if not schedule.cron.strip():
            instants = _only_instant(start, arguments.n)
        if not instants:
            raise TimeInvalid(f"{arguments.name} has no scheduled time at or after {arguments.time}")
        now = ledger.clock.now()
        early = sum(instant > now for instant in instants)
        if early:
            sys.stderr.write(f"warning: {_slices(early)} not due yet: run now, and again when due\n")
        asked = _left(ledger.history, arguments.name, instants) if arguments.resume else instants
        ledger.schedules.ask_slices(arguments.name, asked, Cause.MANUAL, force=arguments.force)
        worker = Worker(ledger.slices, parts.runner.run, ledger.clock, lease_s=settings.lease_s)
        bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=Console(stderr=True),
            disable=not sys.stderr.isatty(),
        )
        with bar, log.silence():
            task = bar.add_task(arguments.name, total=len(instants))
            run_one = partial(worker.run_one, schedule=arguments.name)
            for statuses in run_all(ledger.history, run_one, arguments.name, instants):
                bar.update(task, completed=sum(status.state in _DONE for status in statuses))
    return _report(arguments.name, statuses)


def _only_instant(start: datetime, count: int) -> list[datetime]:
    """What a schedule without cron runs at: the time itself."""
    if count > 1:
        raise UsageError(
            f"-n {count}: a schedule without cron has no next slice", hint="give one time, without -n"
        )
    return [start.replace(microsecond=0)]


def _left(history: History, name: str, instants: list[datetime]) -> list[datetime]:
    """Those whose slices have not succeeded."""
    statuses = history.slice_statuses(name, instants)
    succeeded = {status.scheduled_at for status in statuses if status.state is SliceState.SUCCEEDED}
    return [instant for instant in instants if instant not in succeeded]


def run_all(
    history: History, run_one: Callable[[], bool], name: str, instants: list[datetime]
) -> Iterator[list[SliceStatus]]:
    """Run slices until all are done; yields where they stand now and then, at last when they are."""
    told: list[str] = []
    failures: set[str] = set()
    answered_s = time.monotonic()
    while True:
        try:
            statuses = history.slice_statuses(name, instants)
            yield statuses
            _tell_retries(statuses, failures)
            if all(status.state in _DONE for status in statuses):
                return
            if not _run_some(run_one):
                told = _tell_waits(history.waits(name), told)
                time.sleep(_LOOK_S)
            answered_s = time.monotonic()
        except LedgerUnavailable:  # a restart of Postgres does not end a backfill of years
            if time.monotonic() - answered_s > _AWAY_MAX_S:
                raise
            time.sleep(_AWAY_S)


def _tell_retries(statuses: list[SliceStatus], told: set[str]) -> None:
    """Say which slices have failed and are tried again, each reason once."""
    for status in statuses:
        if status.state is SliceState.WAITING and status.error_message:
            line = f"{_at(status)} failed, and is tried again: {log.printable(status.error_message)}"
            if line not in told:
                told.add(line)
                sys.stderr.write(f"{line}\n")


def _run_some(run_one: Callable[[], bool]) -> bool:
    """Run slices for a moment: looking where thousands stand takes longer than one. False where none may."""
    until_s = time.monotonic() + _RUN_S
    ran = False
    while run_one():
        ran = True
        if time.monotonic() >= until_s:
            break
    return ran


def _tell_waits(waits: list[Wait], told: list[str]) -> list[str]:
    """Say what the run waits for, where that has changed; returns it."""
    lines = waits_lines(waits)
    if lines != told:
        for line in lines:
            sys.stderr.write(f"{line} (--force does not wait)\n")
    return lines


def _report(name: str, statuses: list[SliceStatus]) -> int:
    failed = [status for status in statuses if status.state in (SliceState.FAILED, SliceState.CANCELLED)]
    print(f"{len(statuses) - len(failed)} of {_slices(len(statuses))} of '{name}' succeeded.")
    if failed:
        first = failed[0]
        raise SlicesFailed(
            f"{_slices(len(failed))} failed, first {_at(first)}: {first.error_message}",
            hint=first.error_hint or f"`logdrain sched:history {name}` shows each run",
        )
    return 0


def _at(status: SliceStatus) -> str:
    return f"{status.scheduled_at:%Y-%m-%d %H:%M:%S} UTC"


def _slices(count: int) -> str:
    return "1 slice" if count == 1 else f"{count} slices"
