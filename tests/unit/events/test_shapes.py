from hypothesis import given
from hypothesis import strategies as st

from logdrain.events.bson.documents import with_decimals
from logdrain.events.write.shapes import fields_of, new_fields
from logdrain.model.catalog import ELEMENT, FieldType, SeenField
from logdrain.model.events import Record
from logdrain.types.event_documents import shape_of


def test_the_fields_of_a_record() -> None:
    record = {
        "n": 1,
        "big": 2**64,
        "tags": ["a", 1, {"k": None}],
        "user": {"id": 1.5, "ok": True},
        "none": [],
    }
    assert set(fields_of(with_decimals(record))) == {
        SeenField(("n",), FieldType.INT),
        SeenField(("big",), FieldType.DECIMAL),
        SeenField(("tags",), FieldType.ARRAY),
        SeenField(("tags", ELEMENT), FieldType.STRING),
        SeenField(("tags", ELEMENT), FieldType.INT),
        SeenField(("tags", ELEMENT), FieldType.OBJECT),
        SeenField(("tags", ELEMENT, "k"), FieldType.NULL),
        SeenField(("user",), FieldType.OBJECT),
        SeenField(("user", "id"), FieldType.DOUBLE),
        SeenField(("user", "ok"), FieldType.BOOL),
        SeenField(("none",), FieldType.ARRAY),
    }


scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text()


@given(st.dictionaries(st.text(), scalars))
def test_values_do_not_matter_types_do(record: dict[str, object]) -> None:
    shape = shape_of(record)
    assert hash(shape) == hash(shape_of(dict(record)))
    assert shape == shape_of(dict(record))
    assert shape != shape_of({**record, "more": "x" if record.get("more") is None else None})


def test_new_fields_are_kept_up_to_the_limit_of_paths() -> None:
    records: list[Record] = [{"a": 1, "b": 1}, {"b": "x", "c": 1}, {"a": "x"}]
    seen = {SeenField(("a",), FieldType.INT)}
    kept, is_full = new_fields(records, seen, 2)
    assert kept == [
        SeenField(("b",), FieldType.INT),
        SeenField(("b",), FieldType.STRING),
        SeenField(("a",), FieldType.STRING),
    ]
    assert is_full
    assert new_fields(records, seen, 3)[1] is False


def test_a_path_that_is_too_long_is_not_kept() -> None:
    for key, is_full in (("k" * 1023, False), ("k" * 1024, True), ("\u8a9e" * 342, True)):
        assert new_fields([{key: 1}], set(), 9)[1] is is_full
    deep: dict[str, object] = {"leaf": 1}
    for _ in range(97):
        deep = {"k" * 900: deep}
    kept, is_full = new_fields([deep], set(), 9)
    assert [len(field.path) for field in kept] == [1]
    assert is_full


def test_all_paths_of_a_table_together_have_so_many_octets() -> None:
    records: list[Record] = [{f"{number:0200}": 1 for number in range(100)}, {"n": 1}]
    kept, is_full = new_fields(records, set(), 10)
    assert (len(kept), is_full) == (10, True)
    long = [{f"{number:0511}": 1 for number in range(10)}, {"n": 1}]
    kept, is_full = new_fields(long, set(), 10)
    assert (len(kept), is_full) == (5, True)
    assert new_fields([{"n": 1}], set(kept), 10) == ([], True)
