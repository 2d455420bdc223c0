"""A short round of faults with every test run; `make chaos` runs long ones."""

import os
import sys
from pathlib import Path

import pytest

from tests.chaos.__main__ import is_replica_set, told
from tests.chaos.round import run_round

SECONDS = 20.0
SEED = int(os.environ.get("CHAOS_SEED") or 21)


@pytest.mark.chaos
async def test_nothing_is_lost_and_nothing_doubled(tmp_path: Path) -> None:
    sys.stdout.write(f"CHAOS_SEED={SEED}\n")  # shown where it fails
    done = await run_round(SEED, SECONDS, tmp_path, replica_set=is_replica_set(SEED))
    sys.stdout.write(told(done) + "\n")
    assert done.problems == []
    assert done.counts["kills"] > 3
    assert done.counts["acknowledged"] > 500
