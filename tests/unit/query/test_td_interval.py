from datetime import UTC, tzinfo
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from logdrain.query.values.td_interval import interval
from logdrain.query.values.td_time import unix_time

TOKYO = ZoneInfo("Asia/Tokyo")
BASE = "2016-05-22 01:23:45"
LENGTHS_S = {"s": 1, "m": 60, "h": 3_600}


def at(text: str, zone: tzinfo = TOKYO) -> int:
    seconds = unix_time(text, zone)
    assert seconds is not None
    return seconds


@pytest.mark.parametrize(
    ("spec", "start", "end"),
    [
        ("-1d", "2016-05-21", "2016-05-22"),
        ("1d", "2016-05-22", "2016-05-23"),
        ("+1d", "2016-05-22", "2016-05-23"),
        ("-7d", "2016-05-15", "2016-05-22"),
        ("1w", "2016-05-16", "2016-05-23"),
        ("-1w", "2016-05-09", "2016-05-16"),
        ("1M", "2016-05-01", "2016-06-01"),
        ("-1M", "2016-04-01", "2016-05-01"),
        ("-1q", "2016-01-01", "2016-04-01"),
        ("-2q", "2015-10-01", "2016-04-01"),
        ("1y", "2016-01-01", "2017-01-01"),
        ("-1h", "2016-05-22", "2016-05-22 01:00:00"),
        ("-60m", "2016-05-22 00:23:00", "2016-05-22 01:23:00"),
        ("-30s", "2016-05-22 01:23:15", "2016-05-22 01:23:45"),
        ("-7d/-2d", "2016-05-13", "2016-05-20"),
        ("-1w/-1w", "2016-05-02", "2016-05-09"),
        ("-1d/-1d", "2016-05-20", "2016-05-21"),
        ("-1h/now", "2016-05-22", BASE),
        ("0d/now", "2016-05-22", BASE),
        ("-7d/now", "2016-05-15", BASE),
        ("7d/now", BASE, "2016-05-29"),
        ("-1h/0m", "2016-05-22", "2016-05-22 01:23:00"),
        ("-1M/0d", "2016-04-01", "2016-05-22"),
        ("-1M/0M", "2016-04-01", "2016-05-01"),
        ("-1M/1M", "2016-05-01", "2016-06-01"),
        ("-3d/2017-04-07", "2017-04-04", "2017-04-07"),
        ("-1M/2018-09-02 01:12:13", "2018-08-01", "2018-09-01"),
        ("-1q/-1y/0y", "2014-10-01", "2015-01-01"),
        ("-20s/-10s/now", "2016-05-22 01:23:15", "2016-05-22 01:23:35"),
        ("+1d/+1h/+1d/2016-10-01 23:00:00", "2016-10-03", "2016-10-04"),
    ],
)
def test_ranges(spec: str, start: str, end: str) -> None:
    assert interval(spec, at(BASE), TOKYO) == (at(start), at(end))


@pytest.mark.parametrize(
    "spec", ["", "d", "1", "-d", "1D", "1d/", "/now", "now", "1d/soon", "1d//now", "1d2h", "1.5d", "1d/x/now"]
)
def test_what_is_no_interval(spec: str) -> None:
    assert interval(spec, at(BASE), TOKYO) is None


def test_a_day_of_23_hours() -> None:
    zone = ZoneInfo("America/Los_Angeles")
    base = at("2015-03-09 12:00:00", zone)
    assert interval("-1d", base, zone) == (at("2015-03-08 08:00:00", UTC), at("2015-03-09 07:00:00", UTC))


ZONES = st.sampled_from([UTC, TOKYO, ZoneInfo("America/Havana"), ZoneInfo("America/Sao_Paulo")])


@given(st.integers(0, 4_000_000_000), st.sampled_from("smhdwMqy"), ZONES, st.integers(1, 5))
@example(9954000, "d", ZoneInfo("America/Havana"), 2)  # its midnight is skipped
def test_ranges_tile_time(base: int, unit: str, zone: tzinfo, count: int) -> None:
    """`-2d` ends where today begins; today holds the base; `-1d`, `-1d/-1d`, … lie end to end."""
    today = interval(f"1{unit}", base, zone)
    assert today is not None
    assert today[0] <= base < today[1]
    past = [interval(f"-1{unit}/-{back}{unit}", base, zone) for back in range(count)]
    edge = today[0]
    for piece in past:
        assert piece is not None
        assert piece[1] == edge
        edge = piece[0]
    assert interval(f"-{count}{unit}", base, zone) == (edge, today[0])
