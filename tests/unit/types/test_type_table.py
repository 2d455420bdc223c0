"""The table of types has a row for everything, and what is derived from it is whole."""

import pyarrow as pa
import pytest

from logdrain.model.catalog import ColumnType, FieldType, TypeKind
from logdrain.types.arrow_columns import arrow_type, build_array
from logdrain.types.postgres_types import file_columns, parquet_type, result_columns
from logdrain.types.sql_types import sql_type
from logdrain.types.type_table import BSON_ALIASES, BSON_TYPES, COLUMN_KINDS, EXACT_KINDS


def test_every_type_has_its_row() -> None:
    assert list(BSON_TYPES) == list(FieldType)
    assert set(COLUMN_KINDS) == set(TypeKind)


@pytest.mark.parametrize("kind", TypeKind)
def test_every_kind_of_column_can_be_read_and_written(kind: TypeKind) -> None:
    of = ColumnType(kind)
    assert build_array([None], of, "t: f").type == arrow_type(of)
    assert sql_type(of).sql("duckdb")
    schema = pa.schema([("f", arrow_type(of))])
    [in_postgres] = result_columns(schema, unix_time=False)
    [in_file] = file_columns(schema, unix_time=False)
    assert in_postgres.type == in_file.type
    assert parquet_type(in_file) is not None


def test_what_can_be_filtered_and_what_the_store_compares_as_sql_does() -> None:
    numbers = ["int", "long", "double", "decimal"]
    assert {
        "BIGINT": ["int", "long"],
        "DECIMAL(38,0)": ["int", "long", "decimal"],
        "DOUBLE": numbers,
        "VARCHAR": ["string"],
        "BOOLEAN": ["bool"],
        "TIMESTAMPTZ": ["date"],
    } == BSON_ALIASES
    assert {
        frozenset({"int"}): "BIGINT",
        frozenset({"double"}): "DOUBLE",
        frozenset({"int", "double"}): "DOUBLE",
        frozenset({"string"}): "VARCHAR",
        frozenset({"bool"}): "BOOLEAN",
    } == EXACT_KINDS
