"""`logdrain jobs` and `logdrain cron`: job files are checked and applied, cron is shown."""

import argparse
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

from logdrain import log
from logdrain.cli import servers
from logdrain.cli.output import print_table, to_json
from logdrain.cli.results import left_behind
from logdrain.errors import (
    CronInvalid,
    JobFileInvalid,
    LogdrainError,
    ResultError,
    ScheduleCycle,
    SqlError,
    UnknownSchedule,
    UsageError,
    ZoneInvalid,
)
from logdrain.model.job_files import Job
from logdrain.ports.ledger import Schedules

_KEY_OF: tuple[tuple[type[LogdrainError] | tuple[type[LogdrainError], ...], str], ...] = (
    (CronInvalid, "cron"),
    (ZoneInvalid, "timezone"),
    (ResultError, "result"),
    ((UnknownSchedule, ScheduleCycle), "after"),
)


def add_jobs_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the words of the command."""
    parser.epilog = (
        "A file that says `enabled = false` is left out, unless it is named itself.\n"
        "example: logdrain jobs apply jobs/pay_hourly.toml"
    )
    parser.add_argument("what", choices=["check", "apply"], help="only read them, or keep their schedules")
    parser.add_argument(
        "paths",
        nargs="*",
        type=Path,
        metavar="PATH",
        help="files or folders (default: LOGDRAIN_JOBS_FOLDER, else jobs)",
    )
    servers.add_data_argument(parser)


def run_jobs(arguments: argparse.Namespace) -> int:
    """Check or apply job files."""
    from logdrain.bootstrap.ledger import open_ledger
    from logdrain.bootstrap.queries import open_queries
    from logdrain.jobs.job_folder import load_jobs
    from logdrain.worker.schedule_checks import check_for_results

    settings = servers.settings_of(arguments)
    with _said_line_by_line():
        jobs = load_jobs(arguments.paths or [Path(settings.jobs_folder)])
        _check(jobs)
    if arguments.what == "check":
        for job in jobs:
            function = f" {job.schedule.function}" if job.schedule.function else ""
            print(f"{job.path}{function}: ok{'' if job.enabled else ' (enabled = false)'}")
        return 0
    named = {path.resolve() for path in arguments.paths if path.is_file()}
    with open_ledger(settings) as ledger, open_queries(settings) as queries:
        now = ledger.clock.now()
        results = {schedule.name: schedule.result for schedule, *_ in ledger.schedules.all()}
        for job in jobs:
            if not job.enabled and Path(job.path).resolve() not in named:
                print(f"{job.schedule.name}: left out (enabled = false)")
                continue
            with _placed(job):
                checked = check_for_results(job.schedule, ledger, queries, settings, os.environ.get)
                moved = left_behind(results.get(job.schedule.name, ""), job.schedule.result)
                for warning in filter(None, (*checked.warnings, moved)):
                    sys.stderr.write(f"warning: {job.schedule.name}: {warning}\n")
                changed = ledger.schedules.apply(job.schedule, now)
            print(f"{job.schedule.name}: {'applied' if changed else 'unchanged'}")
    return 0


def _check(jobs: list[Job]) -> None:
    """What can be seen without servers.

    Raises:
        JobFileInvalid: all that is wrong with names and SQL.
    """
    from logdrain.jobs.job_file import HINT
    from logdrain.jobs.option_values import check_schedule_name
    from logdrain.worker.schedule_checks import check_sql_text

    wrong: list[str] = []
    for job in jobs:
        try:
            with _placed(job):
                check_schedule_name(job.schedule.name)
                check_sql_text(job.schedule)
        except LogdrainError as error:
            wrong.append(str(error))
    if wrong:
        raise JobFileInvalid(*wrong, hint=HINT)


@contextmanager
def _placed(job: Job) -> Iterator[None]:
    """Put the file and the line before what is wrong with a job."""
    try:
        yield
    except SqlError as error:
        line = job.lines.get("sql", job.line) + (error.place.line - 1 if error.place else 0)
        error.message, error.place = f"{job.sql_path or job.path}:{line}: {error.message}", None
        raise
    except LogdrainError as error:
        key = next((key for kinds, key in _KEY_OF if isinstance(error, kinds)), "")
        if not error.retryable:  # a server that is away is no matter of this file
            error.message = f"{job.path}:{job.lines.get(key, job.line)}: {error.message}"
        raise


@contextmanager
def _said_line_by_line() -> Iterator[None]:
    """Several mistakes of job files, each on a line of STDERR."""
    try:
        yield
    except JobFileInvalid as error:
        if len(error.reasons) < 2:  # noqa: PLR2004  # one needs no list
            raise
        for reason in error.reasons:
            sys.stderr.write(f"{log.printable(log.mask(reason))}\n")
        raise JobFileInvalid(f"the job files have {len(error.reasons)} mistakes", hint=error.hint) from None


def load_at_start(folder: Path, schedules: Schedules, now: datetime) -> None:
    """Apply a worker's job files; one that is wrong is named in the log, the others count."""
    from logdrain.jobs.job_folder import first_things_first, job_files, load_jobs

    if not folder.is_dir():
        return
    jobs: list[Job] = []
    for file in job_files(folder):
        with _refusals_in_log(file):
            jobs += load_jobs([file])
    for job in first_things_first(jobs):
        with _refusals_in_log(job.path):
            if job.enabled and schedules.apply(job.schedule, now):
                log.info("job_applied", schedule=job.schedule.name, file=job.path)


@contextmanager
def _refusals_in_log(file: Path | str) -> Iterator[None]:
    try:
        yield
    except LogdrainError as error:
        log.error("job_file_refused", file=file, code=error.code, message=error.message, hint=error.hint)


_COUNT_MAX = 100_000


def add_cron_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the words of the command."""
    parser.epilog = "example: logdrain cron '0 2 * * *' -t America/Los_Angeles --after 2015-03-07 -n 3"
    parser.add_argument("expression", help="five fields, or @hourly, @daily, @monthly")
    parser.add_argument(
        "-t", "--timezone", default="UTC", metavar="TIMEZONE", help="IANA name (default: UTC)"
    )
    parser.add_argument("--after", metavar="TIME", help="unix seconds or a date and time (default: now)")
    parser.add_argument("-n", type=int, default=5, metavar="N", help="so many instants (default: 5)")
    parser.add_argument("--format", choices=("table", "json"), default="table", help="default: table")


def run_cron(arguments: argparse.Namespace) -> int:
    """Print the instants strictly after the time; json is a list of unix seconds."""
    from logdrain.jobs.cron import parse
    from logdrain.jobs.option_values import read_time

    if not 1 <= arguments.n <= _COUNT_MAX:
        raise UsageError(f"-n {arguments.n} is not a number of instants", hint=f"give 1 to {_COUNT_MAX}")
    cron = parse(arguments.expression, arguments.timezone)
    after = datetime.now(UTC) if arguments.after is None else read_time(arguments.after, arguments.timezone)
    instants = list(islice(cron.iterate(after), arguments.n))
    unix = [int(instant.timestamp()) for instant in instants]
    if arguments.format == "json":
        print(to_json(unix))
        return 0
    rows = [
        (f"{instant.astimezone(cron.zone):%Y-%m-%d %H:%M:%S %a %Z}", f"{instant:%Y-%m-%d %H:%M:%S}", seconds)
        for instant, seconds in zip(instants, unix, strict=True)
    ]
    print_table(("local", "UTC", "unix"), rows, sys.stdout)
    if not rows:
        is_over = cron.next_after(datetime.fromtimestamp(0, UTC)) is not None
        sys.stderr.write(
            "it does not run after that, up to the year 9999\n" if is_over else "it never runs\n"
        )
    return 0
