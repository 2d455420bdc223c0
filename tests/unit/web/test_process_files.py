import resource

import pytest

from logdrain.web.server.process_files import room_for_connections


@pytest.mark.parametrize(
    ("hard", "wanted", "fits"),
    [(1_000_000, 2000, 2000), (1024, 2000, 824), (100, 2000, 1), (resource.RLIM_INFINITY, 5000, 5000)],
)
def test_connections_fit_below_the_limit_of_files(
    monkeypatch: pytest.MonkeyPatch, hard: int, wanted: int, fits: int
) -> None:
    raised: list[tuple[int, int]] = []
    monkeypatch.setattr(resource, "getrlimit", lambda _: (64, hard))
    monkeypatch.setattr(resource, "setrlimit", lambda _, limits: raised.append(limits))
    assert room_for_connections(wanted) == fits
    assert raised == [(hard, hard)]
