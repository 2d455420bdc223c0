import threading

from logdrain.answer.deadlines import Deadlines

LATER_S, SOON_S, AWAITED_S = 600, 0.02, 30


def fail() -> None:
    raise AssertionError("called back, though it had ended")


def test_what_lasts_is_called_back_once_and_what_has_ended_is_not() -> None:
    deadlines, calls, called = Deadlines(), [0], threading.Event()

    def call() -> None:
        calls[0] += 1
        called.set()

    with deadlines.calling(fail, SOON_S):
        pass
    with deadlines.calling(call, SOON_S):
        assert called.wait(AWAITED_S)
    another = threading.Event()
    with deadlines.calling(another.set, SOON_S):
        assert another.wait(AWAITED_S)
    assert calls == [1]


def test_an_earlier_one_does_not_wait_for_a_later_one() -> None:
    deadlines, called = Deadlines(), threading.Event()
    with deadlines.calling(fail, LATER_S), deadlines.calling(called.set, SOON_S):
        assert called.wait(AWAITED_S)


def test_all_have_one_thread() -> None:
    deadlines, called = Deadlines(), threading.Event()
    seen: set[threading.Thread] = set()

    def call() -> None:
        seen.add(threading.current_thread())
        called.set()

    for _ in range(3):
        called.clear()
        with deadlines.calling(call, 0):
            assert called.wait(AWAITED_S)
    assert len(seen) == 1


def test_a_time_without_end_can_be_waited_for() -> None:
    with Deadlines().calling(fail, float("inf")):
        pass
