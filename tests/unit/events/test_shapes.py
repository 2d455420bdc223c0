from hypothesis import given
from hypothesis import strategies as st

from logdrain.events.shapes import fields_of, new_fields, shape_of
from logdrain.model.catalog import ELEMENT, FieldType, SeenField


def test_the_fields_of_a_shape() -> None:
    record = {
        "n": 1,
        "big": 2**64,
        "tags": ["a", 1, {"k": None}],
        "user": {"id": 1.5, "ok": True},
        "none": [],
    }
    assert set(fields_of(shape_of(record))) == {
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
    shapes = [shape_of({"a": 1, "b": 1}), shape_of({"b": "x", "c": 1}), shape_of({"a": "x"})]
    seen = {SeenField(("a",), FieldType.INT)}
    kept, is_full = new_fields(shapes, seen, 2)
    assert kept == [
        SeenField(("b",), FieldType.INT),
        SeenField(("b",), FieldType.STRING),
        SeenField(("a",), FieldType.STRING),
    ]
    assert is_full
    assert new_fields(shapes, seen, 3)[1] is False
    assert new_fields([shape_of({"k" * 1001: 1})], set(), 3) == ([], True)
