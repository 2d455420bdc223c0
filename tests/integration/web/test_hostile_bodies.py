"""A thousand mutated bodies to a real drain, as `make fuzz-http` sends them by the hundred thousand."""

from pathlib import Path

from tests.fuzz.bodies import mutated, samples
from tests.fuzz.drain_run import send_all

BODIES = 1_000
SEED = 20_120_301


async def test_mutated_bodies_are_answered_204_and_all_accounted_for(
    mongodb_uri: str, tmp_path: Path
) -> None:
    report = await send_all(mutated(SEED, BODIES, samples()), mongodb_uri, tmp_path / "drain.log")
    assert report.problems() == []
    assert report.statuses == {204: BODIES}
    assert report.store["events"] > BODIES / 20
    assert len(report.store) > 10
    assert report.rss_kib[-1] < report.rss_kib[0] * 1.5
