"""A plan that is kept is, moved to another scheduled time, the plan that would be made for that time."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from logdrain.errors import SqlError
from logdrain.model.events import Table
from logdrain.model.plans import Dialect, TimeRange
from logdrain.model.queries import Plan, QueryRequest
from logdrain.query.plan import plan_query
from logdrain.query.plan_cache import CachedPlan, PlanCache, prepare
from tests.unit.query.event_tables import HOUR_S, SCHEDULED_TIME_S, TABLES, catalog_of

KNOWN = {Table(*name.split(".")): records for name, records in TABLES.items()}
PAY = Table("production", "pay")
GOLDEN = sorted((Path(__file__).parents[2] / "golden").glob("*.golden"))

LAST_HOUR = "TD_TIME_RANGE(time, TD_TIME_ADD(TD_SCHEDULED_TIME(), '-1h'), TD_SCHEDULED_TIME())"
HOURLY = "SELECT TD_SCHEDULED_TIME() AS time, paid, SUM(price) AS sum FROM pay WHERE LAST_HOUR GROUP BY 1, 2"

COLUMNS = ("paid", "userId", "item.maker.name AS maker", "uid AS time")
VALUES = (
    "TD_SCHEDULED_TIME() AS time", "(TD_SCHEDULED_TIME())", "td_time_add(TD_SCHEDULED_TIME(), '-1d') AS day",
    "TD_TIME_ADD(TD_TIME_ADD(TD_SCHEDULED_TIME(), '-1h'), '-90s')", "TD_TIME_ADD('2012-03-01', '1d')", "'x'",
    "TD_TIME_ADD(TD_SCHEDULED_TIME(), NULL)", "TD_SCHEDULED_TIME() - 60",
    "CAST(TD_SCHEDULED_TIME() AS BIGINT)",
    "TD_TIME_FORMAT(TD_SCHEDULED_TIME(), 'yyyy-MM-dd HH')", "TD_DATE_TRUNC('day', TD_SCHEDULED_TIME())",
    "CAST(TD_SCHEDULED_TIME() AS VARCHAR)",
)  # fmt: skip
MEASURES = (
    "COUNT(*)", "SUM(price)", "AVG(rate)", "MAX(time) AS latest", "COUNT(TD_SCHEDULED_TIME())", "MIN(uid)"
)  # fmt: skip
BOUNDS = (
    "TD_SCHEDULED_TIME()", "TD_TIME_ADD(TD_SCHEDULED_TIME(), '-1h')",
    "TD_TIME_ADD(TD_SCHEDULED_TIME(), '7d')", "'2012-03-01'", "1330560000", "NULL",
    "TD_DATE_TRUNC('day', TD_SCHEDULED_TIME())", "'Asia/Tokyo'",
    "TD_TIME_ADD(TD_SCHEDULED_TIME(), '-1h', 'Asia/Tokyo')",
)  # fmt: skip
OTHERS = (
    "uid = 1", "paid", "time >= 1330560000", "uid < TD_SCHEDULED_TIME()", "TD_INTERVAL(time, '-1d')",
    "time < TD_SCHEDULED_TIME()", "TD_TIME_RANGE(uid, TD_SCHEDULED_TIME())", "pay.time <> 3",
    "price IN (100, 200)", "TD_TIME_RANGE(time, '2012-02-29', '2012-03-02')",
    "time BETWEEN 0 AND TD_SCHEDULED_TIME()",
    "TD_TIME_FORMAT(TD_SCHEDULED_TIME(), 'HH') = '00'", "TD_SCHEDULED_TIME() > 1330560000",
)  # fmt: skip
ENDINGS = (
    "", "ORDER BY 1 DESC LIMIT 3", "HAVING COUNT(*) > 1 ORDER BY COUNT(*), TD_SCHEDULED_TIME()",
    "HAVING MAX(time) > TD_SCHEDULED_TIME()", "HAVING MAX(time) < 1330560000", "OFFSET 1",
    "HAVING TD_TIME_RANGE(MAX(time), TD_SCHEDULED_TIME())",
)  # fmt: skip
INSTANTS = st.one_of(
    st.integers(-(10**5), 10**5).map(lambda hours: SCHEDULED_TIME_S + hours * HOUR_S),
    st.integers(-62135596800, 253402300799),
)


def planned(request: QueryRequest) -> Plan:
    return plan_query(request, lambda table: catalog_of(table, KNOWN[table]), list(KNOWN))


def prepared(request: QueryRequest) -> CachedPlan | None:
    return prepare(request, planned(request).summary, catalog_of(PAY, KNOWN[PAY]))


def hourly(sql: str, scheduled_time_s: int = SCHEDULED_TIME_S, now_s: int = 0) -> QueryRequest:
    """A request; LAST_HOUR in its text is the hour before the scheduled time."""
    return QueryRequest(
        sql.replace("LAST_HOUR", LAST_HOUR), "production", Dialect.TRINO, scheduled_time_s, now_s
    )


@st.composite
def texts(draw: st.DrawFn) -> str:
    """Queries of the plain shape, and of some that are nearly so."""
    columns = draw(st.lists(st.sampled_from(COLUMNS), max_size=2, unique=True))
    values = draw(st.lists(st.sampled_from(VALUES), max_size=2))
    measures = draw(st.lists(st.sampled_from(MEASURES), min_size=1, max_size=2))
    start, end = draw(st.sampled_from(BOUNDS)), draw(st.sampled_from(["", *BOUNDS]))
    time_range = f"TD_TIME_RANGE(time, {start}{', ' if end else ''}{end})"
    where = draw(st.permutations([time_range, *draw(st.lists(st.sampled_from(OTHERS), max_size=1))]))
    keys = [str(number) for number in range(1, len(columns) + len(values) + 1)]
    keys += draw(st.sampled_from([[], ["TD_SCHEDULED_TIME()"], ["TD_TIME_ADD(TD_SCHEDULED_TIME(), '1h')"]]))
    group = f" GROUP BY {', '.join(keys)}" if keys else ""
    end_of_it = draw(st.sampled_from(ENDINGS))
    return (
        f"SELECT {', '.join([*columns, *values, *measures])} FROM pay "  # noqa: S608  # of these lists
        f"WHERE {' AND '.join(where)}{group} {end_of_it}"
    )


@given(texts(), INSTANTS, st.lists(st.tuples(INSTANTS, INSTANTS), min_size=1, max_size=3))
def test_a_kept_plan_is_the_plan_of_every_time(sql: str, first: int, others: list[tuple[int, int]]) -> None:
    try:
        kept = prepared(hourly(sql, first, first))
    except SqlError:
        kept = None
    assume(kept is not None)
    for scheduled_time_s, now_s in others:
        fresh = planned(hourly(sql, scheduled_time_s, now_s)).summary
        assert kept is not None
        assert kept.at(scheduled_time_s) == fresh


@pytest.mark.parametrize("file", GOLDEN, ids=lambda file: file.stem)
def test_golden_queries_at_other_times(file: Path) -> None:
    sql = file.read_text(encoding="utf-8").partition("\n--------\n")[0]
    _, database, dialect = sql.splitlines()[0].split()

    def request(scheduled_time_s: int) -> QueryRequest:
        return QueryRequest(sql, database, Dialect(dialect), scheduled_time_s, scheduled_time_s + 60)

    try:
        plan = planned(request(SCHEDULED_TIME_S)).summary
    except SqlError:
        return
    kept = prepare(request(SCHEDULED_TIME_S), plan, catalog_of(PAY, KNOWN[PAY]))
    for hours in (-1, 0, 5, 24 * 366) if kept else ():
        scheduled_time_s = SCHEDULED_TIME_S + hours * HOUR_S
        assert kept is not None
        assert kept.at(scheduled_time_s) == planned(request(scheduled_time_s)).summary


@pytest.mark.parametrize(
    "sql",
    [
        HOURLY,
        "SELECT COUNT(*) FROM pay WHERE (LAST_HOUR) AND uid IN (1, 2)",
        "SELECT paid, COUNT(*) FROM pay WHERE LAST_HOUR GROUP BY TD_TIME_ADD(TD_SCHEDULED_TIME(), '-1h'), 1",
        "SELECT COUNT(*) FROM pay WHERE TD_TIME_RANGE(time, '2012-03-01', TD_SCHEDULED_TIME(), 'Asia/Tokyo')",
        "SELECT TD_SCHEDULED_TIME() AS time, COUNT(*) FROM pay WHERE time > 5 AND time < 1330560000",
        f"{HOURLY} HAVING SUM(price) > 1 AND MAX(time) > 5 ORDER BY time, sum DESC LIMIT 2",
    ],
)
def test_what_is_kept(sql: str) -> None:
    kept = prepared(hourly(sql))
    assert kept is not None
    for scheduled_time_s in (SCHEDULED_TIME_S + HOUR_S, 0, -1):
        assert kept.at(scheduled_time_s) == planned(hourly(sql, scheduled_time_s, scheduled_time_s)).summary


def test_an_open_end_stays_open() -> None:
    kept = prepared(hourly("SELECT COUNT(*) FROM pay WHERE TD_TIME_RANGE(time, TD_SCHEDULED_TIME())"))
    assert kept is not None
    assert kept.at(7).scans[0].time_range == TimeRange(7, None)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT COUNT(DISTINCT uid) FROM pay WHERE LAST_HOUR",  # is the engine's
        "SELECT COUNT(*) FROM pay WHERE LAST_HOUR AND time < 1330560000",  # the earlier of two ends
        "SELECT COUNT(*) FROM pay WHERE LAST_HOUR AND TD_TIME_RANGE(time, '2012-03-01')",
        "SELECT COUNT(*) FROM pay WHERE LAST_HOUR AND uid < TD_SCHEDULED_TIME()",
        "SELECT COUNT(*) FROM pay WHERE TD_TIME_RANGE(uid, TD_SCHEDULED_TIME())",
        "SELECT COUNT(*) FROM pay WHERE time < TD_SCHEDULED_TIME()",
        "SELECT MAX(time) FROM pay HAVING MAX(time) > TD_SCHEDULED_TIME()",
        f"{HOURLY} ORDER BY TD_SCHEDULED_TIME()",
        "SELECT TD_SCHEDULED_TIME(), COUNT(*) FROM pay WHERE TD_INTERVAL(time, '-1h')",
        "SELECT COUNT(*) FROM pay WHERE TD_INTERVAL(time, '-1h')",  # counts from now
        "SELECT TD_TIME_FORMAT(TD_SCHEDULED_TIME(), 'yyyy') AS year, COUNT(*) FROM pay",
        "SELECT COUNT(*) FROM pay WHERE TD_TIME_RANGE(time, TD_DATE_TRUNC('day', TD_SCHEDULED_TIME()))",
        # so far away that another time could leave 64 bits
        "SELECT TD_TIME_ADD(TD_SCHEDULED_TIME(), '60000000000000d') AS far, COUNT(*) FROM pay",
    ],
)
def test_what_is_planned_each_time(sql: str) -> None:
    assert prepared(hourly(sql)) is None


def test_texts_are_kept_apart_and_forgotten() -> None:
    plans, request = PlanCache(), hourly(HOURLY)
    plans.keep(request, planned(request), catalog_of(PAY, KNOWN[PAY]))
    assert plans.find(hourly(HOURLY, 0, 7)) == prepared(request)
    assert plans.find(replace(request, database="other")) is None
    assert plans.find(replace(request, dialect=Dialect.HIVE)) is None
    plans.forget(request)
    assert plans.find(request) is None


def test_plans_of_a_table_share_its_catalog_while_it_is_the_same() -> None:
    plans, first, second = PlanCache(), hourly(HOURLY), hourly(f"{HOURLY} -- another")
    for request in (first, second):
        plans.keep(request, planned(request), catalog_of(PAY, KNOWN[PAY]))
    found = [plans.find(request) for request in (first, second)]
    assert found[0] is not None
    assert found[1] is not None
    assert found[0].catalog is found[1].catalog
    changed = replace(found[0].catalog, is_full=True)
    plans.keep(second, planned(second), changed)
    assert [plans.find(request) for request in (first, second)] == [
        found[0],
        replace(found[1], catalog=changed),
    ]


def test_no_more_are_kept_than_memory_allows() -> None:
    plans, requests = PlanCache(), [hourly(f"{HOURLY} -- {number}") for number in range(257)]
    for request in requests:
        plans.keep(request, planned(request), catalog_of(PAY, KNOWN[PAY]))
    assert plans.find(requests[0]) is None
    assert plans.find(requests[-1]) is not None
