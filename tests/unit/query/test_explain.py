from logdrain.query.explain import explain, text_sums
from tests.unit.query.event_tables import lowered, plan


def test_a_plan_for_people() -> None:
    query = lowered(
        "SELECT TD_SCHEDULED_TIME() AS t, SUM(CAST(price)) AS total FROM pay p JOIN login l ON p.uid = l.uid "
        "WHERE TD_TIME_RANGE(p.time, '2012-03-01', '2012-03-02') AND userid IN ('u1', 'u2') AND paid = TRUE "
        "AND tags IS NOT NULL AND l.device IS NOT NULL"
    )
    assert explain(query, [1234, None]).splitlines()[:14] == [
        "scan_0: production.pay, about 1,234 events",
        "  time     2012-03-01 00:00:00 UTC (1330560000)",
        "     until 2012-03-02 00:00:00 UTC (1330646400)",
        "  columns  uid BIGINT, price BIGINT, time BIGINT, userid VARCHAR, paid BOOLEAN, tags VARCHAR[]",
        "  filters  userid IN ('u1', 'u2') AND paid = TRUE",
        "scan_1: production.login",
        "  time     the first event",
        "     until the last event",
        "  columns  uid BIGINT, device VARCHAR",
        "  filters  device IS NOT NULL",
        "",
        "left to the engine",
        "  NOT p.tags IS NULL: the field is a list",
        "",
    ]
    assert "slice column\n  t\n" in explain(query, [])
    assert "warnings\n  line 1, column 43: CAST(p.price) has no type" in explain(query, [])


def test_a_query_without_a_table() -> None:
    assert explain(lowered("SELECT 1 AS x"), []).startswith("reads no table\n")


def test_a_time_beyond_the_calendar() -> None:
    assert "(9000000000000000000)" in explain(
        lowered("SELECT 1 FROM pay WHERE time >= 9000000000000000000"), [None]
    )


def test_sums_over_text_are_told() -> None:
    pay = {"shop.pay": [{"time": 1.0, "price": "12.50", "n": 1}]}
    sums = "SELECT SUM(price) AS s, SUM(n) AS n, AVG(CAST(price AS DOUBLE)) AS a FROM shop.pay"
    [told] = text_sums(plan(sums, pay))
    assert told.startswith("SUM(price) is over VARCHAR")
