from random import Random

import pytest

from tests.chaos.plan import MONGOD_LINK, SPOOL, Kind, deck, make_plan

FULL = deck(replica_set=False, disks=True)


def test_a_seed_makes_the_same_plan_again() -> None:
    assert make_plan(Random(7), 60, FULL) == make_plan(Random(7), 60, FULL)
    assert make_plan(Random(7), 60, FULL) != make_plan(Random(8), 60, FULL)


@pytest.mark.parametrize("seed", range(20))
def test_a_target_has_one_fault_at_a_time_and_all_end_in_time(seed: int) -> None:
    plan = make_plan(Random(seed), 60, FULL)
    assert list(plan) == sorted(plan, key=lambda fault: fault.at_s)
    assert max(fault.at_s + fault.for_s for fault in plan) <= 60
    free_at_s: dict[str, float] = {}
    for fault in plan:
        assert fault.at_s >= free_at_s.get(fault.target, 0)
        free_at_s[fault.target] = fault.at_s + fault.for_s


def test_a_long_plan_has_everything() -> None:
    plan = make_plan(Random(1), 300, FULL)
    assert {(fault.kind, fault.target) for fault in plan} == {(card.kind, card.target) for card in FULL}


def test_a_replica_set_changes_its_primary_and_has_no_link_before_it() -> None:
    cards = deck(replica_set=True, disks=False)
    assert Kind.STEP_DOWN in {card.kind for card in cards}
    assert {MONGOD_LINK, SPOOL}.isdisjoint(card.target for card in cards)
