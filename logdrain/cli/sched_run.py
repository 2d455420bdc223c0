"""`logdrain sched:run NAME TIME [-n N]`."""

import argparse
import sys
import time

from logdrain import log
from logdrain.cli import servers
from logdrain.errors import SlicesFailed, TimeInvalid, UsageError
from logdrain.model.jobs import Cause, SliceState, SliceStatus

# Other workers may have the slices: how often to look whether they are done.
_LOOK_S = 0.2
_DONE = {SliceState.SUCCEEDED, SliceState.FAILED, SliceState.SKIPPED, SliceState.CANCELLED}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the words of the command."""
    parser.epilog = (
        "example: logdrain sched:run pay_hourly '2012-03-01 00:00:00' -n 24    "
        "Rows of a slice that ran before are replaced."
    )
    parser.add_argument("name")
    parser.add_argument("time", help="unix seconds or a date and time, in the schedule's time zone")
    parser.add_argument("-n", type=int, default=1, metavar="N", help="so many slices from there (default: 1)")
    parser.add_argument(
        "--force",
        action="store_true",
        help="also where rows would be added again, or an older slice would replace a newer one",
    )
    servers.add_data_argument(parser)


def run(arguments: argparse.Namespace) -> int:
    """Run slices here, together with the workers that are there, and wait for all of them."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from logdrain.bootstrap import open_worker_parts
    from logdrain.schedule.cron import parse
    from logdrain.schedule.times import instants_from, read_time
    from logdrain.worker import Worker

    if arguments.n < 1:
        raise UsageError(f"-n {arguments.n} is not a number of slices", hint="give 1 or more")
    settings = servers.settings(arguments)
    with open_worker_parts(settings) as parts:
        schedule = parts.ledger.schedule(arguments.name)
        start = read_time(arguments.time, schedule.timezone)
        instants = instants_from(parse(schedule.cron, schedule.timezone), start, arguments.n)
        if not instants:
            raise TimeInvalid(f"{arguments.name} has no scheduled time at or after {arguments.time}")
        early = sum(instant > parts.clock.now() for instant in instants)
        if early:
            sys.stderr.write(f"warning: {_slices(early)} not due yet: run now, and again when due\n")
        parts.ledger.ask_slices(arguments.name, instants, Cause.MANUAL, force=arguments.force)
        worker = Worker(parts.ledger, parts.runner, parts.clock, lease_s=settings.lease_s)
        log.only_from("error")
        bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=Console(stderr=True),
            disable=not sys.stderr.isatty(),
        )
        with bar:
            task = bar.add_task(arguments.name, total=len(instants))
            while True:
                statuses = parts.ledger.slice_statuses(arguments.name, instants)
                bar.update(task, completed=sum(status.state in _DONE for status in statuses))
                if all(status.state in _DONE for status in statuses):
                    break
                if not worker.run_one(schedule=arguments.name):
                    time.sleep(_LOOK_S)
    return _report(arguments.name, statuses)


def _report(name: str, statuses: list[SliceStatus]) -> int:
    failed = [status for status in statuses if status.state in (SliceState.FAILED, SliceState.CANCELLED)]
    print(f"{len(statuses) - len(failed)} of {_slices(len(statuses))} of '{name}' succeeded.")
    if failed:
        first = failed[0]
        at = f"{first.scheduled_at:%Y-%m-%d %H:%M:%S} UTC"
        raise SlicesFailed(
            f"{_slices(len(failed))} failed, first {at}: {first.error_message}",
            hint=first.error_hint or f"`logdrain sched:history {name}` shows each run",
        )
    return 0


def _slices(count: int) -> str:
    return "1 slice" if count == 1 else f"{count} slices"
