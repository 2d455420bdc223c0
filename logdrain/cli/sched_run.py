"""`logdrain sched:run NAME TIME [-n N]`, and `sched:cancel`, which ends what it asked for."""

import argparse
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime
from functools import partial

from logdrain import log
from logdrain.cli import servers
from logdrain.cli.output import print_table
from logdrain.cli.runs import waits_lines
from logdrain.errors import LedgerUnavailable, SlicesFailed, TimeInvalid, UsageError
from logdrain.model.jobs import Cause, Run, Schedule, SliceState, SliceStatus, Wait
from logdrain.ports.ledger import History

# Other workers may have the slices: how often to look whether they are done.
_LOOK_S = 0.2
_RUN_S = 1.0
_AWAY_S = 3.0
_AWAY_MAX_S = 300.0
_SLICES_SHOWN_MAX = 100
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

    from logdrain.worker.loop import Worker
    from logdrain.worker.parts import open_worker_parts

    if arguments.n < 1:
        raise UsageError(f"-n {arguments.n} is not a number of slices", hint="give 1 or more")
    settings = servers.settings_of(arguments)
    with open_worker_parts(settings) as parts:
        ledger = parts.ledger
        schedule = ledger.schedules.get(arguments.name)
        instants = _instants(schedule, arguments.time, arguments.n)
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
            try:
                for statuses in run_all(ledger.history, run_one, arguments.name, instants):
                    bar.update(task, completed=sum(status.state in _DONE for status in statuses))
            except KeyboardInterrupt:
                _tell_what_goes_on(arguments.name, ledger.history.slice_statuses(arguments.name, instants))
                raise
        runs = ledger.history.newest_of_slices(arguments.name, instants)
    _print_slices(statuses, runs)
    return _report(arguments.name, statuses, runs)


def add_sched_cancel_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the words of the command."""
    parser.epilog = (
        "What has run stays as it is. `logdrain sched:run` runs slices again.\n"
        "example: logdrain sched:cancel pay_hourly --from 2012-03-01 --to '2012-03-01 12:00:00'"
    )
    parser.add_argument("name", help="the schedule")
    parser.add_argument("--from", dest="start", metavar="TIME", help="slices from this scheduled time on")
    parser.add_argument(
        "--to", dest="end", metavar="TIME", help="slices up to this scheduled time, itself too"
    )
    servers.add_data_argument(parser)


def run_sched_cancel(arguments: argparse.Namespace) -> int:
    """End slices that wait or run; nothing of them is written."""
    from logdrain.bootstrap.ledger import open_ledger
    from logdrain.jobs.option_values import read_time

    with open_ledger(servers.settings_of(arguments)) as ledger:
        timezone = ledger.schedules.get(arguments.name).timezone
        start, end = (text and read_time(text, timezone) for text in (arguments.start, arguments.end))
        count = ledger.schedules.cancel_slices(arguments.name, start, end)
    print(
        f"{_slices(count.waiting)} of '{arguments.name}' cancelled;"
        f" {count.running} of those that run asked to end."
    )
    return 0


def _instants(schedule: Schedule, time: str, count: int) -> list[datetime]:
    """The scheduled times that are meant, said where the first is another than the time that was given."""
    from logdrain.jobs.cron import instants_from, parse, zone
    from logdrain.jobs.option_values import read_time

    start = read_time(time, schedule.timezone)
    if not schedule.cron.strip():
        return _only_instant(start, count)
    instants = instants_from(parse(schedule.cron, schedule.timezone), start, count)
    if not instants:
        raise TimeInvalid(f"{schedule.name} has no scheduled time at or after {time}")
    if instants[0] != start:
        first = instants[0].astimezone(zone(schedule.timezone))
        sys.stderr.write(
            f"note: {time} is no scheduled time; the first slice is {first:%Y-%m-%d %H:%M:%S}"
            f" {schedule.timezone}, which covers the time before it\n"
        )
    return instants


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


def _tell_what_goes_on(name: str, statuses: list[SliceStatus]) -> None:
    """Say what becomes of slices that nobody waits for any more."""
    done = sum(status.state in _DONE for status in statuses)
    running = sum(status.state is SliceState.RUNNING for status in statuses)
    waiting = len(statuses) - done - running
    sys.stderr.write(
        f"\nStopped: {done} of {_slices(len(statuses))} done, {running} running, {waiting} waiting.\n"
    )
    if running or waiting:
        sys.stderr.write(
            f"Workers go on with them; `logdrain sched:cancel {name}` ends them,"
            " and the same command with --resume goes on here.\n"
        )


def _print_slices(statuses: list[SliceStatus], runs: list[Run]) -> None:
    """A line for each slice, or, of many, for those that have not succeeded; then warnings, each once."""
    run_of = {run.scheduled_at: run for run in runs}
    shown = [
        status
        for status in statuses
        if len(statuses) <= _SLICES_SHOWN_MAX or status.state is not SliceState.SUCCEEDED
    ]
    cells: list[tuple[object, ...]] = []
    for status in shown[:_SLICES_SHOWN_MAX]:
        run = run_of.get(status.scheduled_at)
        rows, seconds = (run.rows_written, run.seconds) if run else (None, None)
        cells.append((status.scheduled_at, status.state.value, rows, seconds and round(seconds, 3)))
    if cells:
        print_table(("slice", "state", "rows", "seconds"), cells, sys.stdout)
    if len(shown) > _SLICES_SHOWN_MAX:
        print(f"… and {len(shown) - _SLICES_SHOWN_MAX} more")
    warnings = Counter(warning for run in runs for warning in run.warnings)
    for warning, count in warnings.items():
        print(log.printable(f"warning: {warning}" + (f" ({_slices(count)})" if len(runs) > 1 else "")))


def _report(name: str, statuses: list[SliceStatus], runs: list[Run]) -> int:
    failed = [status for status in statuses if status.state in (SliceState.FAILED, SliceState.CANCELLED)]
    rows = sum(run.rows_written or 0 for run in runs)
    succeeded = len(statuses) - len(failed)
    written = "1 row" if rows == 1 else f"{rows:,} rows"
    print(f"{succeeded} of {_slices(len(statuses))} of '{name}' succeeded. {written} written.")
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
