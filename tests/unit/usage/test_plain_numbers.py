"""The numbers of the analyses' definition, held against the plain references."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from tests.unit.usage.plain_numbers import load_phases, settings_in_use, two_shares, wilson, workday


def test_wilsons_interval() -> None:
    assert [round(end, 6) for end in wilson(80, 400)] == [0.163737, 0.241970]


def test_two_shares_differ() -> None:
    difference, interval, z, p = two_shares((50, 1000), (80, 1000))
    assert round(difference, 6) == 0.03
    assert [round(end, 6) for end in interval] == [0.008431, 0.051569]
    assert (round(z, 3), round(p, 4)) == (2.721, 0.0065)


def test_phases_add_up_to_the_end_of_the_load() -> None:
    phases = load_phases(
        {
            "workerStart": 0,
            "fetchStart": 5,
            "domainLookupStart": 10,
            "connectStart": 30,
            "secureConnectionStart": 50,
            "connectEnd": 80,
            "responseStart": 180,
            "responseEnd": 220,
            "domInteractive": 400,
            "domComplete": 900,
            "loadEventEnd": 910,
        }
    )
    assert list(phases.values()) == [5, 5, 20, 20, 30, 100, 40, 180, 500, 10]
    assert sum(phases.values()) == 910


def test_a_default_that_most_people_change() -> None:
    sizes = [(f"u{n}", "25") for n in range(1, 6)] + [("u6", "50"), ("u7", "25"), ("u7", "10")]
    assert settings_in_use(sizes, default="10", population=10) == (4, 1, [("25", 5), ("50", 1)], "25")


def test_a_default_that_most_people_keep() -> None:
    assert settings_in_use([("u1", "dark")], default="light", population=10) == (9, 0, [("dark", 1)], None)


def test_a_day_at_work_keeps_its_hour_when_clocks_change() -> None:
    times = [datetime(2026, 3, day, 13, 5, tzinfo=UTC) for day in range(2, 7)]
    times += [datetime(2026, 3, day, 12, 5, tzinfo=UTC) for day in range(9, 14)]
    assert workday(times, ZoneInfo("America/New_York")) == (10, {8: 10}, "08:05", "08:05")
