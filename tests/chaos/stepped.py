"""`logdrain` with a clock that can be stepped: the harness writes the step, in seconds, into a file.

CHAOS_CLOCK=FILE python -m tests.chaos.stepped COMMAND [ARGUMENT ...]
"""

import os
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from logdrain.__main__ import run
from logdrain.bootstrap import drain

_STEP = Path(os.environ["CHAOS_CLOCK"])


class SteppedClock:
    """The real time, so many seconds off."""

    def now(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=float(_STEP.read_text() or 0))


if __name__ == "__main__":
    drain.SystemClock = SteppedClock  # type: ignore[misc,assignment]  # it is the place that picks clocks
    sys.exit(run(sys.argv[1:]))
