"""Rounds of faults, as many as wanted; each prints its seed, and what it saw.

make chaos ROUNDS=5                 five rounds with seeds of the moment
CHAOS_SEED=7 make chaos             this one again
CHAOS_SECONDS=300 make chaos        a longer round
"""

import asyncio
import os
import secrets
import shutil
import sys
import tempfile
from collections import Counter
from pathlib import Path

from tests.chaos.round import Round, run_round

_SECONDS = 60.0
_SEED_BITS = 32


def main() -> int:
    """Exit status 0 where every round held."""
    rounds = int(os.environ.get("ROUNDS") or 1)
    seconds = float(os.environ.get("CHAOS_SECONDS") or _SECONDS)
    first = os.environ.get("CHAOS_SEED")
    totals: Counter[str] = Counter()
    failed: list[int] = []
    for number in range(rounds):
        seed = int(first) + number if first else secrets.randbits(_SEED_BITS)
        replica_set = is_replica_set(seed)
        mongods = "three mongods" if replica_set else "one mongod"
        say(f"round {number + 1} of {rounds}: CHAOS_SEED={seed}, {mongods}")
        folder = Path(tempfile.mkdtemp(prefix="logdrain-chaos-"))
        folder.chmod(0o711)  # Postgres may run as another user than we do
        done = asyncio.run(run_round(seed, seconds, folder, replica_set=replica_set))
        say(told(done))
        totals.update(done.counts)
        if done.problems:
            failed.append(seed)
            say(f"  FAILED; logs are in {folder}")
        else:
            shutil.rmtree(folder)
    say(f"all rounds: {listed(totals)}")
    if failed:
        say(f"failed: CHAOS_SEED={' '.join(map(str, failed))}")
    return 1 if failed else 0


def is_replica_set(seed: int) -> bool:
    """A seed decides also this: one in three has a primary that changes."""
    return seed % 3 == 2


def told(done: Round) -> str:
    """A round for people: faults, counts, problems."""
    return "\n".join(
        [
            *(f"  {fault}" for fault in done.faults),
            *(f"  ended: {died}" for died in done.died),
            f"  {listed(done.counts)}; slowest answer {done.slowest_answer_s:.2f} s",
            *(f"  PROBLEM {problem}" for problem in done.problems),
        ]
    )


def listed(counts: "Counter[str] | dict[str, int]") -> str:
    """`3 kills, 2 hangs, …`."""
    return ", ".join(f"{count} {name}" for name, count in counts.items())


def say(text: str) -> None:
    """A line for whoever watches, at once."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
