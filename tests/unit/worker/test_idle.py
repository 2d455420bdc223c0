from logdrain.model.jobs import Claim, RunOutcome
from logdrain.model.stops import Stop
from logdrain.worker.loop import Worker
from tests.unit.worker.test_worker import OUTCOME, FixedClock, ScriptedSlices, claim


def test_what_is_kept_for_the_next_slice_is_given_back_when_there_is_none() -> None:
    told: list[str] = []

    def when_idle() -> None:
        told.append("idle")
        worker.stop()

    def run(_claim: Claim, _stop: Stop) -> RunOutcome:
        told.append("run")
        return OUTCOME

    slices = ScriptedSlices([claim(), claim()])
    worker = Worker(slices, run, FixedClock(), lease_s=60, when_idle=when_idle)
    worker.run_forever(1)
    assert told == ["run", "run", "idle"]
