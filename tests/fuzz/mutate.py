"""Sends mutated bodies to a real drain with a real mongod, or through the reader alone, and accounts for all.

    python tests/fuzz/mutate.py [--bodies N] [--seed N] [--samples FOLDER] [--in-process]

Exit status 1 where an answer was not 204, the log has an error, a frame has no kind, or the counters say
something else than MongoDB has. A body that was not answered 204 is written to tests/fuzz/found/.
"""

import argparse
import asyncio
import resource
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from logdrain.drain.reading import parse, read  # noqa: E402  # a program, started by its path
from logdrain.events.write.encoding import encode_events  # noqa: E402  # same
from logdrain.model.events import Delivery, LineKind  # noqa: E402  # same
from logdrain.sandbox.mongo_server import MongoServer  # noqa: E402  # same
from tests.fuzz.bodies import mutated, samples  # noqa: E402  # same
from tests.fuzz.drain_run import Report, send_all  # noqa: E402  # same

_TOLD_EVERY = 50_000
_KEYS_MAX = 10_000


def main() -> int:
    """Run and print what was counted."""
    parser = argparse.ArgumentParser(description="Mutated bodies against the drain.")
    parser.add_argument("--bodies", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--samples", type=Path, help="a folder with more *.body files to begin with")
    parser.add_argument("--in-process", action="store_true", help="no HTTP, no store: the reader alone")
    arguments = parser.parse_args()
    more = sorted(arguments.samples.glob("*.body")) if arguments.samples else []
    begin_with = samples() + [path.read_bytes() for path in more]
    print(f"seed {arguments.seed}, {len(begin_with)} bodies to begin with", flush=True)
    if arguments.in_process:
        return _in_process(arguments.seed, arguments.bodies, begin_with)
    with tempfile.TemporaryDirectory() as folder:
        server = MongoServer(Path(folder) / "mongodb")
        server.start()
        try:
            sent = mutated(arguments.seed, arguments.bodies, begin_with)
            report = asyncio.run(send_all(sent, server.uri, Path(folder) / "drain.log"))
        finally:
            server.stop()
    return _tell(report)


def _in_process(seed: int, count: int, begin_with: list[bytes]) -> int:
    kinds: Counter[LineKind] = Counter()
    reasons: Counter[str] = Counter()
    octets = 0
    started_s = time.monotonic()
    first_kib = 0
    for number, sent in enumerate(mutated(seed, count, begin_with)):
        delivery = Delivery("shop", str(number), "", None)
        parsed = parse(sent.body, delivery)
        found = read(parsed, delivery, [])
        if sum(found.kinds.values()) != parsed.frames:
            print(f"body {number}: {parsed.frames} frames, {found.kinds}")
            return 1
        for refused in encode_events(found.batch.events, _KEYS_MAX).quarantined:
            print(f"body {number}: an event that cannot be stored: {refused}")
            return 1
        kinds += found.kinds
        reasons += Counter(item.reason.value for item in found.batch.quarantined)
        octets += len(sent.body)
        if number % _TOLD_EVERY == 0:
            peak_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            first_kib = first_kib or peak_kib
            print(f"{number} bodies, peak RSS {peak_kib // 1024} MiB", flush=True)
    seconds = time.monotonic() - started_s
    peak_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(
        f"{count} bodies, {octets} octets, {seconds:.0f} s, RSS {first_kib // 1024} -> {peak_mib} MiB at most"
    )
    print(f"kinds {dict(kinds)}\nquarantine {dict(reasons)}")
    return 0


def _tell(report: Report) -> int:
    for line in report.lines():
        print(line)
    problems = report.problems()
    for problem in problems:
        print(f"WRONG: {problem}")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
