import pytest
from hypothesis import given
from hypothesis import strategies as st

from logdrain.keys.auth_rate_limiter import AuthRateLimiter

BURST, PER_S, ROOM = 5, 0.5, 4
STEPS = st.lists(st.tuples(st.integers(0, 9), st.floats(0, 30)), max_size=80)


def attempts() -> AuthRateLimiter:
    return AuthRateLimiter(burst=BURST, per_s=PER_S, addresses_max=ROOM)


def test_so_many_at_once_then_one_now_and_again() -> None:
    failed = attempts()
    assert [failed.take("a", 100.0) for _ in range(BURST + 2)] == [True] * BURST + [False] * 2
    assert failed.take("b", 100.0)
    assert not failed.take("a", 101.9)
    assert failed.take("a", 104.0)
    assert failed.take("a", 104.0)
    assert not failed.take("a", 104.0)


@given(STEPS)
def test_no_address_gets_more_than_its_burst_and_rate(steps: list[tuple[int, float]]) -> None:
    failed = attempts()
    now_s = 0.0
    within: dict[int, int] = {}
    for address, pause_s in steps:
        now_s += pause_s
        within[address] = within.get(address, 0) + failed.take(str(address), now_s)
    # An address may have used a share of the common bucket before it got its own.
    most = 2 * (BURST + now_s * PER_S) + 1e-6
    assert all(count <= most for count in within.values())


@given(st.lists(st.integers(0, 1000), max_size=300))
def test_many_addresses_at_once_get_no_further_than_the_room(addresses: list[int]) -> None:
    failed = attempts()
    within = sum(failed.take(str(address), 0.0) for address in addresses)
    assert within <= BURST * (ROOM + 1)
    assert len(failed) <= ROOM + 1


@given(STEPS)
def test_memory_is_bounded(steps: list[tuple[int, float]]) -> None:
    failed = attempts()
    now_s = 0.0
    for address, pause_s in steps:
        now_s += pause_s
        failed.take(str(address), now_s)
        assert len(failed) <= ROOM + 1


@pytest.mark.parametrize("pause_s", [BURST / PER_S, 1000.0])
def test_addresses_that_have_rested_make_room(pause_s: float) -> None:
    failed = attempts()
    for address in range(ROOM + 3):
        failed.take(str(address), 0.0)
    assert [failed.take("new", pause_s) for _ in range(BURST + 1)] == [True] * BURST + [False]
