from typing import cast

from logdrain.model.jobs import Claim, RunOutcome
from logdrain.ports.ledger import Ledger
from logdrain.worker.loop import Worker
from logdrain.worker.slices import SliceRunner
from tests.unit.worker.test_worker import OUTCOME, FixedClock, ScriptedLedger, ScriptedRunner, claim


def test_what_is_kept_for_the_next_slice_is_given_back_when_there_is_none() -> None:
    told: list[str] = []

    def when_idle() -> None:
        told.append("idle")
        worker.stop()

    def run(_claim: Claim) -> RunOutcome:
        told.append("run")
        return OUTCOME

    runner = ScriptedRunner(run)
    worker = Worker(
        cast("Ledger", ScriptedLedger([claim(), claim()])),
        cast("SliceRunner", runner),
        FixedClock(),
        lease_s=60,
        when_idle=when_idle,
    )
    worker.run_forever(1)
    assert told == ["run", "run", "idle"]
