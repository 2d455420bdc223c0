import pytest

from logdrain.model.catalog import ELEMENT, ColumnType, FieldPath, FieldType, TableCatalog, TypeKind
from logdrain.model.events import Table
from logdrain.types.sql_types import COLUMN_LEVELS_MAX, column_type, sql_type

INT, DOUBLE, DECIMAL = FieldType.INT, FieldType.DOUBLE, FieldType.DECIMAL
STRING, BOOL, DATE = FieldType.STRING, FieldType.BOOL, FieldType.DATE
ARRAY, OBJECT, NULL = FieldType.ARRAY, FieldType.OBJECT, FieldType.NULL


def of(*types: FieldType, **below: set[FieldType]) -> ColumnType:
    """The type of a field `f`; `below` has what lies below it, `e` standing for an element."""
    fields: dict[FieldPath, frozenset[FieldType]] = {("f",): frozenset(types)}
    for path, seen in below.items():
        fields["f", *(ELEMENT if step == "e" else step for step in path.split("_"))] = frozenset(seen)
    return column_type(TableCatalog(Table("db", "t"), fields), ("f",))


@pytest.mark.parametrize(
    ("types", "kind"),
    [
        ({INT}, TypeKind.BIGINT),
        ({INT, NULL}, TypeKind.BIGINT),
        ({DOUBLE}, TypeKind.DOUBLE),
        ({INT, DOUBLE}, TypeKind.DOUBLE),
        ({DECIMAL}, TypeKind.DECIMAL),
        ({INT, DECIMAL}, TypeKind.DECIMAL),
        ({DECIMAL, DOUBLE}, TypeKind.DOUBLE),
        ({INT, DECIMAL, DOUBLE}, TypeKind.DOUBLE),
        ({STRING}, TypeKind.VARCHAR),
        ({BOOL}, TypeKind.BOOLEAN),
        ({DATE}, TypeKind.TIMESTAMPTZ),
        ({NULL}, TypeKind.NULL),
        ({INT, STRING}, TypeKind.TEXT),
        ({BOOL, INT}, TypeKind.TEXT),
        ({ARRAY, OBJECT}, TypeKind.TEXT),
        ({OBJECT}, TypeKind.TEXT),  # nothing is known to be in it
        ({DATE, STRING}, TypeKind.TEXT),
    ],
)
def test_types_seen_and_column_type(types: set[FieldType], kind: TypeKind) -> None:
    assert of(*types).kind is kind


def test_a_field_without_a_name_is_text() -> None:
    catalog = TableCatalog(Table("db", "t"), {("",): frozenset({INT})})
    assert column_type(catalog, ("",)).kind is TypeKind.TEXT


def test_what_is_too_deep_for_a_column_is_text_from_there_on() -> None:
    paths = {("f",) * depth: frozenset({OBJECT}) for depth in range(1, 100)}
    catalog = TableCatalog(Table("db", "t"), {**paths, ("f",) * 100: frozenset({INT})})
    assert str(column_type(catalog, ("f",))).count("STRUCT") == COLUMN_LEVELS_MAX - 1
    assert str(column_type(catalog, ("f",))).endswith("VARCHAR" + ")" * (COLUMN_LEVELS_MAX - 1))
    assert str(column_type(catalog, ("f",) * (101 - COLUMN_LEVELS_MAX))).count("BIGINT") == 1


def test_a_field_never_seen_is_null() -> None:
    assert column_type(TableCatalog(Table("db", "t")), ("f",)).kind is TypeKind.NULL


@pytest.mark.parametrize(
    ("elements", "text"),
    [({INT}, "BIGINT[]"), ({INT, STRING}, "VARCHAR[]"), (set(), "VARCHAR[]"), ({NULL}, "VARCHAR[]")],
)
def test_lists(elements: set[FieldType], text: str) -> None:
    assert str(of(ARRAY, e=elements)) == text


def test_objects_and_lists_of_objects() -> None:
    assert str(of(OBJECT, id={INT}, maker={OBJECT}, maker_name={STRING})) == (
        'STRUCT("id" BIGINT, "maker" STRUCT("name" VARCHAR))'
    )
    assert str(of(ARRAY, e={OBJECT}, e_id={INT})) == 'STRUCT("id" BIGINT)[]'


def test_an_object_whose_names_differ_in_case_only_is_text() -> None:
    assert of(OBJECT, id={INT}, ID={STRING}).kind is TypeKind.TEXT


def test_pseudo_columns_do_not_depend_on_the_catalog() -> None:
    catalog = TableCatalog(Table("db", "t"), {("time",): frozenset({STRING})})
    assert column_type(catalog, ("time",)).kind is TypeKind.BIGINT
    assert column_type(catalog, ("_time",)).kind is TypeKind.TIMESTAMPTZ
    assert column_type(catalog, ("_origin", "app")).kind is TypeKind.VARCHAR
    assert [name for name, _ in column_type(catalog, ("_origin",)).fields] == [
        "app",
        "drain",
        "proc",
        "token",
    ]


def test_a_struct_with_odd_names_is_a_type_for_inference() -> None:
    odd = of(OBJECT, **{'a"b': {INT}, "order": {ARRAY}, "order_e": {INT}})
    assert sql_type(odd).sql("duckdb") == 'STRUCT("a""b" BIGINT, "order" BIGINT[])'
