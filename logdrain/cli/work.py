"""`logdrain work`: a worker."""

import argparse
import signal
from pathlib import Path

from logdrain import log
from logdrain.cli import servers
from logdrain.cli.jobs import load_at_start


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the words of the command."""
    parser.epilog = "Any number of workers may run. SIGTERM: the slices under way are finished first."
    servers.add_data_argument(parser)


def run(arguments: argparse.Namespace) -> int:
    """Load the job files, then run slices until SIGTERM or SIGINT."""
    from logdrain.worker.loop import Worker
    from logdrain.worker.parts import open_worker_parts

    settings = servers.settings(arguments)
    with open_worker_parts(settings) as parts:
        worker = Worker(
            parts.ledger,
            parts.runner,
            parts.clock,
            lease_s=settings.lease_s,
            chores=parts.chores,
            when_idle=parts.runner.close_idle,
        )
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: worker.stop())
        parts.ledger.identity()  # before anything else: is the ledger there?
        load_at_start(Path(settings.jobs_folder), parts.ledger, parts.clock.now())
        log.info("working", threads=settings.worker_threads)
        worker.run_forever(settings.worker_threads)
    log.info("stopped")
    return 0
