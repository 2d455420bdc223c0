import pytest

from tests.unit.query.event_tables import plan


@pytest.mark.parametrize(
    ("sql", "name"),
    [
        ("SELECT TD_SCHEDULED_TIME() AS time, COUNT(*) FROM pay", "time"),
        ("SELECT 1, TD_SCHEDULED_TIME() FROM pay", "_col1"),
        ("SELECT (TD_SCHEDULED_TIME()) AS t FROM pay GROUP BY 1", "t"),
        ("SELECT x.s AS t FROM (SELECT TD_SCHEDULED_TIME() AS s) AS x", "t"),
        ("SELECT S FROM (SELECT TD_SCHEDULED_TIME() AS s) AS x", "S"),
        ("WITH c(a, b) AS (SELECT 1, TD_SCHEDULED_TIME()) SELECT * FROM c", "b"),
        ("SELECT TD_SCHEDULED_TIME() AS s UNION ALL SELECT TD_SCHEDULED_TIME()", "s"),
        ("SELECT a FROM (SELECT TD_SCHEDULED_TIME() AS a UNION SELECT TD_SCHEDULED_TIME()) AS x", "a"),
        ("SELECT s FROM pay CROSS JOIN (SELECT TD_SCHEDULED_TIME() AS s) AS x", "s"),
        ("SELECT 1 AS a, TD_SCHEDULED_TIME() AS b, TD_SCHEDULED_TIME() AS c", "b"),
        ("SELECT time FROM pay", None),
        ("SELECT TD_SCHEDULED_TIME() + 0 AS t", None),
        ("SELECT MAX(TD_SCHEDULED_TIME()) AS t FROM pay", None),
        ("SELECT 1330560000 AS t", None),
        ("SELECT TD_TIME_ADD(TD_SCHEDULED_TIME(), '0d') AS t", None),
        ("SELECT TD_SCHEDULED_TIME() AS s UNION ALL SELECT 5", None),
        ("SELECT s FROM pay LEFT JOIN (SELECT TD_SCHEDULED_TIME() AS s) AS x ON FALSE", None),
        ("SELECT TD_SCHEDULED_TIME() AS s, uid FROM pay GROUP BY ROLLUP (TD_SCHEDULED_TIME(), uid)", None),
        ("SELECT s + 1 AS s FROM (SELECT TD_SCHEDULED_TIME() AS s) AS x", None),
    ],
)
def test_which_column_carries_the_scheduled_time(sql: str, name: str | None) -> None:
    assert plan(sql).slice_column == name
