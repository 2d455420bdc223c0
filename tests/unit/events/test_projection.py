from logdrain.events.read.projection import fetched_fields, projection
from logdrain.model.catalog import ColumnType, FieldPath
from logdrain.model.plans import ScanColumn
from logdrain.types.arrow_columns import BELOW_ARRAY
from tests.unit.types import typed_values as tv


def column(path: FieldPath, of: ColumnType = tv.BIGINT) -> ScanColumn:
    return ScanColumn("/".join(path), path, of)


def test_top_level_fields_are_included_under_their_own_keys() -> None:
    fields = fetched_fields([column(("price",)), column(("user",), tv.TEXT)])
    assert projection(fields) == {"_id": 0, "price": 1, "user": 1}


def test_both_pseudo_columns_come_from_one_event_time() -> None:
    fields = fetched_fields([column(("time",)), column(("_time",), tv.TIMESTAMPTZ)])
    assert [(field.path, field.type) for field in fields] == [(("time",), tv.TIMESTAMPTZ)]


def test_a_column_of_nulls_is_not_asked_for() -> None:
    assert projection(fetched_fields([column(("price",)), column(("coupon",), tv.NULL)])) == {
        "_id": 0,
        "price": 1,
    }


def test_something_is_asked_for_where_only_rows_count() -> None:
    assert projection(fetched_fields([column(("coupon",), tv.NULL)])) == {"_id": 0, "time": 1}
    assert projection(fetched_fields([])) == {"_id": 0, "time": 1}


def test_a_field_of_an_object_is_reached_by_a_dotted_path() -> None:
    fields = fetched_fields([column(("price",)), column(("user", "id"))])
    assert projection(fields) == {"_id": 0, "c0": "$price", "c1": "$user.id"}


def test_a_path_that_could_hide_an_array_above_looks_for_it() -> None:
    (field,) = fetched_fields([column(("cart", "items"), tv.list_of(tv.BIGINT))])
    assert projection([field])["c0"] == {
        "$cond": [{"$isArray": "$cart"}, {"$literal": BELOW_ARRAY}, "$cart.items"]
    }


def test_keys_that_are_no_part_of_a_dotted_path_are_literals() -> None:
    for key in ("a.b", "$where", "", "."):
        (field,) = fetched_fields([column((key,))])
        value = projection([field])[field.key]["$let"]
        assert value["vars"] == {"above": "$$ROOT"}
        assert value["in"]["$cond"][2]["$getField"]["field"] == {"$literal": key}
