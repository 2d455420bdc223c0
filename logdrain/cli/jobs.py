"""`logdrain jobs check|apply [PATH ...]`."""

import argparse
import sys
from datetime import datetime
from pathlib import Path

from logdrain import log
from logdrain.cli import servers
from logdrain.errors import LogdrainError
from logdrain.ports import Ledger


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the words of the command."""
    parser.epilog = (
        "A file that says `enabled = false` is left out, unless it is named itself: "
        "logdrain jobs apply jobs/pay_hourly.toml"
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


def run(arguments: argparse.Namespace) -> int:
    """Check or apply job files."""
    from logdrain.bootstrap import SystemClock, open_ledger, open_queries
    from logdrain.pipeline.slices import check_schedule
    from logdrain.schedule.folder_jobs import load_jobs

    settings = servers.settings(arguments)
    jobs = load_jobs(arguments.paths or [Path(settings.jobs_folder)])
    if arguments.what == "check":
        for job in jobs:
            print(f"{job.path}: ok{'' if job.enabled else ' (enabled = false)'}")
        return 0
    named = {path.resolve() for path in arguments.paths if path.is_file()}
    now = SystemClock().now()
    with open_ledger(settings) as ledger, open_queries(settings) as queries:
        for job in jobs:
            if not job.enabled and Path(job.path).resolve() not in named:
                print(f"{job.schedule.name}: left out (enabled = false)")
                continue
            for warning in check_schedule(job.schedule, ledger, queries, now).warnings:
                sys.stderr.write(f"warning: {job.schedule.name}: {warning}\n")
            changed = ledger.apply_schedule(job.schedule, now)
            print(f"{job.schedule.name}: {'applied' if changed else 'unchanged'}")
    return 0


def load_at_start(folder: Path, ledger: Ledger, now: datetime) -> None:
    """Apply a worker's job files; one that is wrong is named in the log, the others count."""
    from logdrain.schedule.folder_jobs import load_jobs

    if not folder.is_dir():
        return
    for file in sorted(folder.glob("*.toml")):
        try:
            for job in load_jobs([file]):
                if job.enabled and ledger.apply_schedule(job.schedule, now):
                    log.info("job_applied", schedule=job.schedule.name, file=file)
        except LogdrainError as error:
            log.error("job_file_refused", file=file, code=error.code, message=error.message, hint=error.hint)
