"""A name before a dot: a table's, an object's, or a mistake."""

import pytest

from logdrain.errors import SqlError
from tests.unit.query.event_tables import answer, rows


@pytest.mark.parametrize(
    ("sql", "message", "hint"),
    [
        ("SELECT x.price FROM pay y", "line 1, column 8: no table is called x here", "write y.price;"),
        ("SELECT\n lo.device FROM pay, login log", "line 2, column 2: no table is called lo", "log.device"),
        ("SELECT pay.price FROM pay p", "line 1, column 8: the table pay is called p here", "write p.price"),
        ("SELECT 1 FROM pay y WHERE x.uid = 1", "line 1, column 27: no table is called x", "y.uid"),
        ("SELECT x.price FROM (SELECT price FROM pay) y", "line 1, column 8: there is no column x.price", ""),
    ],
)  # fmt: skip
def test_a_wrong_alias_is_an_error(sql: str, message: str, hint: str) -> None:
    with pytest.raises(SqlError) as error:
        rows(sql)
    assert message in error.value.located
    assert hint in error.value.hint


@pytest.mark.parametrize("name", ["coupon.id", "y.coupon.id", "y.coupon.price", "Y.COUPON.PRICE"])
def test_a_field_of_an_object_that_is_still_to_come_is_null(name: str) -> None:
    found = answer(f"SELECT MAX({name}) FROM pay y")  # noqa: S608  a test's own text
    assert found.rows == [(None,)]
    assert found.plan.warnings
