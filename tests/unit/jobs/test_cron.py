from datetime import UTC, datetime, timedelta
from itertools import islice, takewhile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logdrain.errors import CronInvalid, ZoneInvalid
from logdrain.jobs.cron import Cron, parse, zone

LOS_ANGELES = "America/Los_Angeles"


def instants(expression: str, zone: str, after: str, count: int) -> list[str]:
    cron = parse(expression, zone)
    return [
        instant.astimezone(cron.zone).isoformat()
        for instant in islice(cron.iterate(datetime.fromisoformat(after)), count)
    ]


def days(expression: str, after: str, count: int) -> list[str]:
    return [instant[:10] for instant in instants(expression, "UTC", f"{after}T23:59:00Z", count)]


def test_the_documented_vector_of_treasure_data() -> None:
    next_at = parse("44 * * * *", "Asia/Tokyo").next_after(datetime.fromisoformat("2021-03-22T13:43+09:00"))
    assert next_at is not None
    assert next_at.timestamp() == 1616388240
    assert next_at.tzinfo is UTC


@pytest.mark.parametrize(
    ("alias", "fields"),
    [("@hourly", "0 * * * *"), ("@daily", "0 0 * * *"), ("@monthly", "0 0 1 * *"), (" @Daily ", "0 0 * * *")],
)
def test_an_alias_is_short_for_five_fields(alias: str, fields: str) -> None:
    assert parse(alias, "UTC") == parse(fields, "UTC")


@pytest.mark.parametrize(
    ("expression", "same"),
    [
        ("0 0 * jan,MAR mon-fri", "0 0 * 1,3 1-5"),
        ("*/20 * * * *", "0,20,40 * * * *"),
        ("5-25/10 * * * *", "5,15,25 * * * *"),
        ("0-59 0-23 1-31 1-12 0-6", "* * * * *"),
        ("0   0\t* * *", "0 0 * * *"),
        ("1,*/30 * * * *", "0,1,30 * * * *"),
    ],
)
def test_forms_that_mean_the_same(expression: str, same: str) -> None:
    assert parse(expression, "UTC") == parse(same, "UTC")


@pytest.mark.parametrize(
    "expression",
    [
        "* * * *",
        "* * * * * *",
        "60 * * * *",
        "* 24 * * *",
        "* * 0 * *",
        "* * 32 * *",
        "* * * 13 *",
        "* * * * 7",
        "*/0 * * * *",
        "*/61 * * * *",
        "5/10 * * * *",
        "30-10 * * * *",
        "1,,2 * * * *",
        "-5 * * * *",
        "1.5 * * * *",
        "* * l * *",
        "* * 15w * *",
        "* * * * mon#2",
        "* * ? * *",
        "h * * * *",
        "r * * * *",
        "* * * monday *",
        "\u0661 * * * *",  # an Arabic digit
        "@yearly",
        "@reboot",
        "hourly",
    ],
)
def test_what_is_not_in_the_rules_is_refused_with_a_hint(expression: str) -> None:
    with pytest.raises(CronInvalid) as caught:
        parse(expression, "UTC")
    assert caught.value.hint


def test_the_hint_for_day_7_says_where_sunday_is() -> None:
    with pytest.raises(CronInvalid, match="Sunday is 0"):
        parse("0 0 * * 7", "UTC")


@pytest.mark.parametrize(
    ("expression", "hint"),
    [
        ("0 0 ? * *", "`?` of Quartz is `*` here"),
        ("0 0 L * *", "no `L`"),
        ("0 0 * * 5L", "no `L`"),
        ("0 0 15W * *", "no `W`"),
        ("0 0 * * MON#2", "no `#`"),
        ("H * * * *", "no `H`"),
        ("5/10 * * * *", "a step needs a range"),
        ("0 0 * * 0-7", "Sunday is 0, not 7"),
        ("0 0 * dez *", "1 to 12, or jan to dec"),
    ],
)
def test_forms_of_other_crons_get_a_reason_of_their_own(expression: str, hint: str) -> None:
    with pytest.raises(CronInvalid) as caught:
        parse(expression, "UTC")
    assert hint in caught.value.hint


def test_words_are_shown_as_they_were_typed() -> None:
    with pytest.raises(CronInvalid, match="'Foo' is no month"):
        parse("0 0 * Foo MON", "UTC")


def test_an_unknown_alias_lists_the_three() -> None:
    with pytest.raises(CronInvalid, match="@hourly, @daily, @monthly"):
        parse("@weekly", "UTC")


def test_of_two_kinds_of_day_the_more_frequent_decides_alone() -> None:
    assert days("0 0 1 * 1", "2024-01-01", 3) == ["2024-01-08", "2024-01-15", "2024-01-22"]
    assert days("0 0 */2 * mon", "2024-01-01", 3) == ["2024-01-03", "2024-01-05", "2024-01-07"]
    assert days("0 0 31 2 mon", "2024-01-31", 2) == ["2024-02-05", "2024-02-12"]


@pytest.mark.parametrize("expression", ["", "   ", "0 0 31 2 *", "0 0 30 2 *", "0 0 31 4,6,9,11 *"])
def test_what_never_comes_is_none(expression: str) -> None:
    cron = parse(expression, LOS_ANGELES)
    assert cron.next_after(datetime(2024, 1, 1, tzinfo=UTC)) is None
    assert list(cron.iterate(datetime(2024, 1, 1, tzinfo=UTC))) == []


def test_a_leap_day_comes_even_after_a_century_without() -> None:
    assert days("0 0 29 2 *", "2096-03-01", 1) == ["2104-02-29"]


def test_the_end_of_the_calendar_is_the_end() -> None:
    assert parse("@hourly", "Asia/Tokyo").next_after(datetime.max.replace(tzinfo=UTC)) is None


def test_the_last_instants_of_the_calendar() -> None:
    assert days("0 0 29 2 *", "9990-01-01", 5) == ["9992-02-29", "9996-02-29"]
    last = ["9999-12-31T23:58:00+09:00", "9999-12-31T23:59:00+09:00"]
    assert instants("* * * * *", "Asia/Tokyo", "9999-12-31T23:57:00+09:00", 5) == last


def test_a_time_that_a_clock_change_skips_does_not_run() -> None:
    assert instants("0 2 * * *", LOS_ANGELES, "2015-03-07T12:00:00-08:00", 2) == [
        "2015-03-09T02:00:00-07:00",
        "2015-03-10T02:00:00-07:00",
    ]


def test_a_time_that_a_clock_change_repeats_runs_twice() -> None:
    assert instants("0 1 * * *", LOS_ANGELES, "2015-10-31T12:00:00-07:00", 3) == [
        "2015-11-01T01:00:00-07:00",
        "2015-11-01T01:00:00-08:00",
        "2015-11-02T01:00:00-08:00",
    ]


@pytest.mark.parametrize("day", ["2015-03-08", "2015-11-01"])
def test_an_hourly_job_runs_every_hour_that_passes(day: str) -> None:
    start = datetime.fromisoformat(f"{day}T00:00:00Z")
    expected = [start + timedelta(hours=hour) for hour in range(1, 49)]
    assert list(islice(parse("@hourly", LOS_ANGELES).iterate(start), 48)) == expected


@pytest.mark.parametrize(
    ("expression", "zone", "after", "seconds"),
    [
        ("30 2 * * *", "America/New_York", "2015-03-07T12:00Z", [1425882600, 1425969000]),
        ("30 1 * * *", "America/New_York", "2015-10-31T12:00Z", [1446355800, 1446359400, 1446445800]),
        ("*/30 1-2 * * *", "America/New_York", "2015-11-01T05:40Z", [1446357600, 1446359400, 1446361200]),
        ("30 1 * * *", "Europe/London", "2016-03-26T12:00Z", [1459125000, 1459211400]),
        ("30 1 * * *", "Europe/London", "2016-10-29T12:00Z", [1477787400, 1477791000, 1477877400]),
        ("15 2 * * *", "Australia/Lord_Howe", "2016-10-01T00:00Z", [1475421300, 1475507700]),
        ("45 1 * * *", "Australia/Lord_Howe", "2016-04-02T00:00Z", [1459608300, 1459610100, 1459696500]),
        ("@hourly", "Australia/Lord_Howe", "2016-04-02T13:30Z", [1459605600, 1459611000, 1459614600]),
        ("0 9 * * mon-fri", "Asia/Kathmandu", "2016-01-01T00:00Z", [1451618100, 1451877300]),
        ("1 0 * * *", "America/St_Johns", "2011-03-12T12:00Z", [1300069860, 1300156260]),
        ("30 23 * * *", "America/St_Johns", "2010-11-06T12:00Z", [1289095200, 1289098800, 1289185200]),
        ("30 2 * * *", "Africa/Casablanca", "2019-05-04T12:00Z", [1557019800, 1557023400, 1557109800]),
        ("30 2 * * *", "Africa/Casablanca", "2019-06-08T12:00Z", [1560130200, 1560216600]),
        ("0 0 * * *", "America/Sao_Paulo", "2018-11-03T00:00Z", [1541214000, 1541383200]),
        ("0 0 * * *", "America/Havana", "2016-11-05T12:00Z", [1478404800, 1478408400, 1478494800]),
        ("0 1 * * *", "Antarctica/Troll", "2016-03-26T12:00Z", [1459119600, 1459206000]),
        ("0 12 30 12 *", "Pacific/Apia", "2010-12-31T00:00Z", [1356818400]),
        ("0 0 13 * 5", "UTC", "2016-01-01T00:00Z", [1452211200, 1452816000]),
        ("0 0 1-7 * 1", "UTC", "2016-01-01T00:00Z", [1451692800, 1451779200, 1451865600]),
        ("0 0 29 2 *", "UTC", "2097-01-01T00:00Z", [4233686400]),
        ("59 23 31 12 *", "Asia/Tokyo", "2016-01-01T00:00Z", [1483196340]),
    ],
)
def test_instants_in_unix_seconds(expression: str, zone: str, after: str, seconds: list[int]) -> None:
    start = datetime.fromisoformat(after)
    found = islice(parse(expression, zone).iterate(start), len(seconds))
    assert [int(instant.timestamp()) for instant in found] == seconds


def test_an_instant_itself_is_not_after_itself() -> None:
    cron = parse("@hourly", "UTC")
    noon = datetime(2024, 1, 1, 12, tzinfo=UTC)
    assert cron.next_after(noon) == noon + timedelta(hours=1)
    assert cron.next_after(noon - timedelta(microseconds=1)) == noon
    assert cron.next_after(noon + timedelta(microseconds=1)) == noon + timedelta(hours=1)


# Clock changes of an hour, of half an hour, of a whole day, in winter only, and none.
CLOCK_CHANGES = [
    (LOS_ANGELES, "2015-03-08"),
    (LOS_ANGELES, "2015-11-01"),
    ("Australia/Lord_Howe", "2015-04-04"),
    ("Australia/Lord_Howe", "2015-10-03"),
    ("Pacific/Apia", "2011-12-30"),
    ("Europe/Dublin", "2015-10-25"),
    ("Asia/Kathmandu", "2015-10-25"),
    ("America/St_Johns", "2010-11-07"),  # at 00:01, so that an hour of the day before comes again
    ("Africa/Casablanca", "2019-05-05"),  # for Ramadan
    ("Antarctica/Troll", "2016-03-27"),  # by two hours
    ("Asia/Pyongyang", "2015-08-15"),  # by half an hour, once
]


def lists(low: int, high: int) -> st.SearchStrategy[frozenset[int]]:
    return st.frozensets(st.integers(low, high), min_size=1, max_size=4)


@settings(deadline=None)
@given(
    change=st.sampled_from(CLOCK_CHANGES),
    minutes=lists(0, 59),
    hours=st.one_of(st.just(frozenset(range(24))), lists(0, 4), lists(0, 23)),
    weekdays=st.one_of(st.just(frozenset(range(7))), lists(0, 6)),
)
def test_instants_are_those_of_a_walk_minute_by_minute(
    change: tuple[str, str], minutes: frozenset[int], hours: frozenset[int], weekdays: frozenset[int]
) -> None:
    zone, day = change
    fields = (",".join(map(str, sorted(values))) for values in (minutes, hours, weekdays))
    cron = parse("{} {} * * {}".format(*fields), zone)
    start = datetime.fromisoformat(f"{day}T00:00:00Z") - timedelta(days=1)
    end = start + timedelta(days=3)

    def is_wanted(instant: datetime) -> bool:
        local = instant.astimezone(cron.zone)
        return local.minute in minutes and local.hour in hours and local.isoweekday() % 7 in weekdays

    every_minute = (start + timedelta(minutes=minute) for minute in range(3 * 24 * 60))
    assert instants_between(cron, start, end) == list(filter(is_wanted, every_minute))


def instants_between(cron: Cron, start: datetime, end: datetime) -> list[datetime]:
    before = start - timedelta(microseconds=1)
    return list(takewhile(lambda instant: instant < end, cron.iterate(before)))


@pytest.mark.parametrize("name", ["UTC", "Asia/Tokyo", "America/Argentina/Buenos_Aires", "Etc/GMT+9"])
def test_iana_names_are_zones(name: str) -> None:
    assert zone(name).key == name


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("JST", "Asia/Tokyo"),
        ("PST", "America/Los_Angeles"),
        ("EST", "America/New_York"),
        ("pdt", "America/Los_Angeles"),
        ("Japan", "names look like Asia/Tokyo"),
        ("Tokyo", "Asia/Tokyo"),
        ("Los Angeles", "America/Los_Angeles"),
        ("America/San_Francisco", "did you mean"),
        ("Asia/Tokio", "Asia/Tokyo"),
        ("", "Asia/Tokyo"),
        ("../etc/passwd", "Asia/Tokyo"),
        ("/etc/passwd", "Asia/Tokyo"),
        ("America/", "America/"),
        ("Asia/To\0kyo", "Asia/Tokyo"),
    ],
)
def test_anything_else_is_refused_with_what_was_probably_meant(name: str, hint: str) -> None:
    with pytest.raises(ZoneInvalid) as caught:
        zone(name)
    assert hint in caught.value.hint
