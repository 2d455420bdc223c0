"""`logdrain job:…`, `sched:history` and `sched:result`: runs are shown and ended."""

import argparse
import contextlib
import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from logdrain.cli import servers
from logdrain.cli.output import print_facts, print_table, terminal_width, to_json
from logdrain.cli.words import count
from logdrain.errors import UnknownRun, UnknownSchedule, UsageError
from logdrain.log import mask, printable
from logdrain.model.jobs import Run, RunState, Schedule, Wait
from logdrain.ports.ledger import Schedules


def row(run: Run) -> dict[str, object]:
    """A run for programs; times are instants, absent things None."""
    return {
        "run": run.run_id,
        "schedule": run.schedule,
        "scheduled_at": run.scheduled_at,
        "cause": run.cause.value,
        "reason": run.reason or None,
        "attempt": run.attempt,
        "state": run.state.value,
        "started_at": run.started_at,
        "late_start_s": _rounded(run.late_start_s),
        "seconds": _rounded(run.seconds),
        "rows_read": run.rows_read,
        "bytes_read": run.bytes_read,
        "rows_written": run.rows_written,
        "warnings": list(run.warnings),
        "error": f"{run.error_code}: {run.error_message}" if run.error_code else None,
        "hint": run.error_hint or None,
    }


def notes(runs: Sequence[Run]) -> Iterable[str]:
    """What is said below a table of runs, each once: why some ran again, hints, warnings."""
    said = dict.fromkeys(f"run {run.run_id}: {run.reason}" for run in runs if run.reason)
    said |= dict.fromkeys(f"hint: {run.error_hint}" for run in runs if run.error_hint)
    said |= dict.fromkeys(f"warning: {warning}" for run in runs for warning in run.warnings)
    return map(printable, said)


def waits_lines(waits: Sequence[Wait]) -> list[str]:
    """`slice 2012-03-02T00:00Z waits for pay_hourly 2012-03-01T23:00Z: running`, one line each."""
    return [
        f"slice {_instant(wait.scheduled_at)} waits for {wait.before}"
        + (f" {_instant(wait.before_at)}" if wait.before_at else "")
        + f": {mask(wait.why)}"
        for wait in waits
    ]


def _instant(time: datetime) -> str:
    return f"{time.astimezone(UTC):%Y-%m-%dT%H:%MZ}"


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 3)


_HEADINGS = (
    "run",
    "schedule",
    "scheduled_at",
    "cause",
    "state",
    "started_at",
    "seconds",
    "rows_written",
    "error",
)


def add_job_list_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the words of the command."""
    parser.add_argument("max", nargs="?", type=count, default=20, help="so many runs (default: 20)")
    parser.add_argument("--state", choices=[state.value for state in RunState], help="only these")
    parser.add_argument("--json", action="store_true", help="print JSON")
    servers.add_data_argument(parser)


def run_job_list(arguments: argparse.Namespace) -> int:
    """Print the newest runs of all schedules, newest first."""
    from logdrain.bootstrap.ledger import open_ledger

    state = RunState(arguments.state) if arguments.state else None
    with open_ledger(servers.settings_of(arguments)) as ledger:
        runs = ledger.history.newest(arguments.max, state)
    rows = [row(item) for item in runs]
    if arguments.json:
        print(to_json(rows))
        return 0
    print_table(_HEADINGS, [[item[name] for name in _HEADINGS] for item in rows], sys.stdout)
    for note in notes(runs):
        print(note)
    return 0


def add_job_show_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the words of the command."""
    parser.add_argument("run", type=int, metavar="RUN", help="its number, from job:list or sched:history")
    parser.add_argument("--json", action="store_true", help="print JSON")
    servers.add_data_argument(parser)


def run_job_show(arguments: argparse.Namespace) -> int:
    """Print all of a run, and the SQL of its schedule as it is now."""
    from logdrain.bootstrap.ledger import open_ledger

    with open_ledger(servers.settings_of(arguments)) as ledger:
        show(ledger.schedules, ledger.history.get(arguments.run), as_json=arguments.json)
    return 0


def show(schedules: Schedules, shown: Run, *, as_json: bool) -> None:
    """Print a run."""
    schedule: Schedule | None = None
    if shown.schedule is not None:
        with contextlib.suppress(UnknownSchedule):
            schedule = schedules.get(shown.schedule)
    facts = row(shown)
    facts["result"] = mask(schedule.result) or None if schedule else None
    facts["sql"] = schedule.sql.strip() if schedule else None
    if as_json:
        print(to_json(facts))
        return
    del facts["sql"], facts["warnings"]
    print_facts(facts, sys.stdout)
    for warning in shown.warnings:
        print(printable(f"warning: {warning}"))
    if schedule:
        print(f"\n{schedule.sql.strip()}")


def add_job_kill_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the words of the command."""
    parser.epilog = "Its slice is not tried again; `logdrain sched:run` runs it."
    parser.add_argument("run", type=int, metavar="RUN", help="its number, from job:list or sched:history")
    servers.add_data_argument(parser)


def run_job_kill(arguments: argparse.Namespace) -> int:
    """End a run: its worker stops it within seconds, and nothing of it is written."""
    from logdrain.bootstrap.ledger import open_ledger

    with open_ledger(servers.settings_of(arguments)) as ledger:
        is_asked = ledger.history.kill(arguments.run)
    if is_asked:
        print(f"Run {arguments.run} is asked to end; `logdrain job:show {arguments.run}` tells when it has.")
    else:
        print(f"Run {arguments.run} had failed; it is not tried again.")
    return 0


_RUN_HEADINGS = ("run", "scheduled_at", "state", "seconds", "rows_written", "error")
_WIDE_RUN_HEADINGS = (
    "run",
    "scheduled_at",
    "cause",
    "attempt",
    "state",
    "late_start_s",
    "seconds",
    "rows_read",
    "bytes_read",
    "rows_written",
    "error",
)


def add_sched_history_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the words of the command."""
    parser.add_argument("name", help="the schedule")
    parser.add_argument("max", nargs="?", type=count, default=20, help="so many runs (default: 20)")
    parser.add_argument(
        "-p", "--page", type=count, default=0, metavar="N", help="skip so many pages of max runs"
    )
    parser.add_argument("-s", "--skip", type=count, default=0, metavar="N", help="skip so many runs")
    parser.add_argument("-w", "--wide", action="store_true", help="all columns, whole, however wide")
    parser.add_argument("--json", action="store_true", help="print JSON")
    servers.add_data_argument(parser)


def run_sched_history(arguments: argparse.Namespace) -> int:
    """Print the newest runs, newest first, with errors and what to do about them."""
    from logdrain.bootstrap.ledger import open_ledger

    skipped = arguments.page * arguments.max + arguments.skip
    with open_ledger(servers.settings_of(arguments)) as ledger:
        runs = ledger.history.of_schedule(arguments.name, skipped + arguments.max)[skipped:]
        waits = ledger.history.waits(arguments.name)
    rows = [row(item) for item in runs]
    if arguments.json:
        print(to_json(rows))
        return 0
    headings = _WIDE_RUN_HEADINGS if arguments.wide else _RUN_HEADINGS
    cells = [[item[name] for name in headings] for item in rows]
    print_table(headings, cells, sys.stdout, width_max=None if arguments.wide else terminal_width())
    errors = dict.fromkeys(f"error: {item['error']}" for item in rows if item["error"] and not arguments.wide)
    for note in (*waits_lines(waits), *map(printable, errors), *notes(runs)):
        print(note)
    return 0


def add_sched_result_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the words of the command."""
    parser.epilog = "The rows are in the result's table; this shows how they got there."
    parser.add_argument("name", help="the schedule")
    parser.add_argument("--last", type=int, default=1, metavar="N", help="the Nth newest run (default: 1)")
    parser.add_argument("--json", action="store_true", help="print JSON")
    servers.add_data_argument(parser)


def run_sched_result(arguments: argparse.Namespace) -> int:
    """Print the newest run of a schedule, or an earlier one."""
    from logdrain.bootstrap.ledger import open_ledger

    if arguments.last < 1:
        raise UsageError(f"--last {arguments.last} is not a run", hint="1 is the newest")
    with open_ledger(servers.settings_of(arguments)) as ledger:
        runs = ledger.history.of_schedule(arguments.name, arguments.last)
        if len(runs) < arguments.last:
            raise UnknownRun(
                f"schedule {arguments.name!r} has {len(runs)} runs", hint="`logdrain sched:run` runs it"
            )
        show(ledger.schedules, runs[-1], as_json=arguments.json)
    return 0
