from datetime import timedelta

from logdrain.jobs.retry import retry_after, revive_after


def test_tries_come_at_doubling_distances_up_to_ten_minutes() -> None:
    distances = [retry_after(attempt).total_seconds() for attempt in range(1, 9)]
    assert distances == [10, 20, 40, 80, 160, 320, 600, 600]
    assert retry_after(10**9) == timedelta(minutes=10)


def test_what_passes_by_itself_comes_back_sooner() -> None:
    assert timedelta(0) < revive_after(is_transient=True) < revive_after(is_transient=False)
