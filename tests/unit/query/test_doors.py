"""SQL reads event tables and nothing else: every other door of the engine is shut, by name."""

from pathlib import Path

import duckdb
import pytest

from logdrain.answer.queries import Queries
from logdrain.errors import SqlError
from logdrain.model.catalog import ColumnType, TableCatalog, TypeKind
from logdrain.model.events import Table
from logdrain.model.plans import Aggregation, Dialect, Scan, ScanColumn, TimeRange
from logdrain.model.queries import QueryRequest
from logdrain.model.stops import Stop
from logdrain.ports.queries import Groups
from logdrain.ports.streams import ScanStream
from tests.unit.query.event_tables import (
    ENGINE,
    NOW_S,
    SCHEDULED_TIME_S,
    TABLES,
    MemoryScan,
    catalog_of,
    raw_query,
)

COLUMN = ScanColumn("n", ("n",), ColumnType(TypeKind.BIGINT))
SCAN = Scan("scan_0", Table("production", "pay"), (COLUMN,), TimeRange(None, None))


class MemorySource:
    """A `ScanSource` that counts what is read."""

    def __init__(self) -> None:
        self.scans = 0

    def tables(self) -> list[Table]:
        return [Table(*name.split(".")) for name in TABLES]

    def catalog(self, table: Table) -> TableCatalog:
        return catalog_of(table, TABLES[table.name])

    def scan(self, scan: Scan) -> ScanStream:
        self.scans += 1
        return MemoryScan(scan, TABLES[scan.table.name])

    def aggregate(self, aggregation: Aggregation, stop: Stop) -> Groups:
        raise NotImplementedError(aggregation, stop)

    def estimate(self, scan: Scan) -> int:
        return len(TABLES[scan.table.name])


def refusal(sql: str, dialect: Dialect) -> str:
    """What the public way to run SQL says to a text; nothing must have been read."""
    source = MemorySource()
    queries = Queries(source, ENGINE)
    request = QueryRequest(sql, "production", dialect, SCHEDULED_TIME_S, NOW_S)
    with pytest.raises(SqlError) as error:
        queries.stream(request).__enter__()
    assert source.scans == 0
    return str(error.value)


TABLE_FUNCTIONS = (
    "read_csv", "read_csv_auto", "read_text", "read_blob", "read_json", "read_json_auto", "read_ndjson",
    "read_parquet", "parquet_scan", "parquet_metadata", "parquet_schema", "sniff_csv", "read_duckdb",
    "postgres_scan", "postgres_query", "sqlite_scan", "mysql_query", "iceberg_scan", "delta_scan",
    "st_read", "read_xlsx", "query", "query_table", "duckdb_secrets", "duckdb_settings", "duckdb_databases",
    "duckdb_functions", "which_secret", "pragma_table_info", "pragma_version", "arrow_scan", "pandas_scan",
    "seq_scan", "python_map_function", "summary", "checkpoint", "repeat_row", "test_all_types",
    "read_single_csv_file", "read_single_json_file", "read_single_parquet_file", "read_json_objects",
    "read_json_objects_auto", "read_ndjson_auto", "read_ndjson_objects",
)  # fmt: skip


@pytest.mark.parametrize("dialect", list(Dialect))
@pytest.mark.parametrize("function", TABLE_FUNCTIONS)
@pytest.mark.parametrize(
    "form",
    [
        "SELECT * FROM {}('/etc/passwd')",
        "SELECT * FROM pay, LATERAL {}('/etc/passwd') t",
        "SELECT {}('/etc/passwd')",
    ],
)
def test_table_functions_are_no_way_out(form: str, function: str, dialect: Dialect) -> None:
    assert function in refusal(form.format(function), dialect).lower()


@pytest.mark.parametrize("dialect", list(Dialect))
@pytest.mark.parametrize("form", ["SELECT * FROM {}", "SELECT * FROM pay, LATERAL {} t", "SELECT {}"])
def test_glob_is_an_operator_to_the_parser_and_no_way_out_either(form: str, dialect: Dialect) -> None:
    for call in ("glob('/etc/*')", "\"glob\"('/etc/*')", "glob('/etc/*', 'x')"):
        assert "line 1" in refusal(form.format(call), dialect)


@pytest.mark.parametrize("dialect", list(Dialect))
@pytest.mark.parametrize(
    ("sql", "named"),
    [
        ("COPY pay TO '/tmp/x'", "COPY"),
        ("COPY pay FROM '/etc/passwd'", "COPY"),
        ("COPY (SELECT 1) TO '/tmp/x' (FORMAT PARQUET)", "COPY"),
        ("INSTALL httpfs", "INSTALL"),
        ("FORCE INSTALL httpfs FROM 'http://example.org'", "FORCE"),
        ("LOAD '/tmp/evil.so'", "LOAD"),
        ("ATTACH '/etc/passwd' AS x", "ATTACH"),
        ("DETACH memory", "DETACH"),
        ("USE memory", "USE"),
        ("SET enable_external_access = true", "SET"),
        ("RESET lock_configuration", "RESET"),
        ("PRAGMA database_list", "PRAGMA"),
        ("EXPORT DATABASE '/tmp/x'", "EXPORT"),
        ("IMPORT DATABASE '/tmp/x'", "IMPORT"),
        ("CREATE TABLE x AS SELECT 1", "CREATE"),
        ("CREATE SECRET s (TYPE S3)", "CREATE"),
        ("CREATE MACRO m() AS 1", "CREATE"),
        ("CREATE TEMPORARY FUNCTION f AS 'x.Y'", "CREATE"),
        ("CALL pragma_version()", "CALL"),
        ("EXECUTE p", "EXECUTE"),
        ("PREPARE p AS SELECT 1", "PREPARE"),
        ("VACUUM", "VACUUM"),
        ("CHECKPOINT", "CHECKPOINT"),
        ("ADD JAR /tmp/evil.jar", "ADD"),
        ("ADD FILE /etc/passwd", "ADD"),
        ("DFS -ls /", "DFS"),
        ("!sh id", "not a query"),
        ("INSERT OVERWRITE DIRECTORY '/tmp/x' SELECT 1", "INSERT"),
        ("FROM pay INSERT OVERWRITE TABLE x SELECT 1", "not a query"),
        ("SELECT 1; DROP TABLE pay", "second statement"),
        ("SELECT 1;\n--\n;ATTACH 'x'", "line 3, column 9"),
        ("/* SELECT */ ATTACH 'x'", "ATTACH"),
        ("/* /* nested */ ATTACH 'x' */ SELECT 1", ""),
        ("--\rATTACH 'x'", ""),
        ("\ufeffATTACH 'x'", ""),
        ("\u00a0ATTACH 'x'", ""),
        ("A\u0000TTACH 'x'", ""),
        ("\uff21\uff34TACH 'x'", ""),
        ("(ATTACH 'x')", ""),
    ],
)  # fmt: skip
def test_statements_that_are_no_query_are_refused(sql: str, named: str, dialect: Dialect) -> None:
    assert named in refusal(sql, dialect)


@pytest.mark.parametrize("dialect", list(Dialect))
@pytest.mark.parametrize(
    ("source", "named"),
    [
        ("'/etc/passwd'", ""),
        ('"/etc/passwd"', "passwd"),
        ("`/etc/passwd`", "/"),
        ('"file.csv"', "file.csv"),
        ("'http://example.org/x.parquet'", ""),
        ('"s3://bucket/x"', "bucket"),
        ('"../secret.db"', "secret"),
        ("information_schema.schemata", "information_schema"),
        ("pg_catalog.pg_tables", "pg_catalog"),
        ("pg_class", "pg_class"),
        ("sqlite_master", "sqlite_master"),
        ("duckdb_tables", "duckdb_tables"),
        ("memory.main.scan_0", "scan_0"),
        ("main.scan_0", "scan_0"),
        ("scan_0", "scan_0"),
        ("_quarantine", "_quarantine"),
        ('"_quarantine.x"', "_quarantine"),
        ("production._catalog", "_catalog"),
        ("local.oplog", "local.oplog"),
        ("admin.system.users", "system"),
        ("system.profile", "system"),
        ('"PAY\u0000"', ""),
        ("p\u0430y", "p\u0430y"),
        ("pay\u200b", ""),
        ("U&'\\0041'", ""),
    ],
)
def test_names_that_are_no_event_table_are_refused(source: str, named: str, dialect: Dialect) -> None:
    assert named in refusal(f"SELECT * FROM {source}", dialect)  # noqa: S608  # that is the test


@pytest.mark.parametrize("dialect", list(Dialect))
@pytest.mark.parametrize(
    "function",
    [
        "getenv", "current_setting", "set_config", "getvariable", "nextval", "pg_read_file", "lo_import",
        "dblink", "load_extension", "add_parquet_key", "write_log", "parse_duckdb_log_message", "sleep_ms",
        "pg_sleep", "reflect", "reflect2", "java_method", "in_file", "xpath", "hive_udf",
        "json_execute_serialized_sql", "json_serialize_plan", "current_query", "txid_current", "pg_typeof",
        "stats", "vector_type", "alias", "error", "write_parquet", "is_histogram_other_bin",
        "has_schema_privilege", "create_sort_key",
    ],
)  # fmt: skip
@pytest.mark.parametrize(
    "form", ["SELECT {}('x', 'y')", "SELECT 1 FROM pay WHERE {}('x') IS NULL", "SELECT lower({}('x'))"]
)
def test_functions_that_look_outside_are_refused_by_name(form: str, function: str, dialect: Dialect) -> None:
    assert function in refusal(form.format(function), dialect).lower()


@pytest.mark.parametrize("function", ["getenv", "read_text", "query", "current_setting"])
@pytest.mark.parametrize("form", ['"{}"', "{}/**/", "{}\n", "main.{}", "system.main.{}", '"main"."{}"'])
def test_a_function_in_disguise_is_the_same_function(form: str, function: str) -> None:
    for written in (function, function.upper()):
        assert function in refusal(f"SELECT {form.format(written)}('HOME')", Dialect.TRINO).lower()


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT TRANSFORM(uid) USING 'cat /etc/passwd' AS (x) FROM pay",
        "FROM pay MAP uid USING 'cat' AS x",
        "SELECT ${env:HOME}",
        "SELECT ${hiveconf:x}",
        "SELECT 1 INTO OUTFILE '/tmp/x'",
    ],
)
def test_hive_s_ways_to_programs_and_variables_are_refused(sql: str) -> None:
    assert refusal(sql, Dialect.HIVE)


def test_the_engine_has_its_doors_shut_and_cannot_open_them(tmp_path: Path) -> None:
    settings = "SELECT value FROM duckdb_settings() WHERE name = "
    outside = tmp_path / "outside.csv"
    outside.write_text("n\n1\n")

    def values(sql: str) -> list[object]:
        scans = [MemoryScan(SCAN, [{"time": 1, "n": 1}])]
        with ENGINE.run(raw_query(sql, SCAN), scans) as stream:
            return [row for batch in stream for row in batch.column(0).to_pylist()]

    assert values(settings + "'enable_external_access'") == ["false"]
    assert values(settings + "'lock_configuration'") == ["true"]
    assert values(settings + "'autoload_known_extensions'") == ["false"]
    assert values(settings + "'autoinstall_known_extensions'") == ["false"]
    assert values(settings + "'python_enable_replacements'") == ["false"]
    for sql in (
        f"SELECT * FROM read_csv('{outside}')",  # noqa: S608  # that is the test
        f"SELECT * FROM '{outside}'",  # noqa: S608  # same
        f"COPY (SELECT 1) TO '{tmp_path}/written.csv'",
        f"ATTACH '{tmp_path}/written.db'",
        f"EXPORT DATABASE '{tmp_path}/written'",
        "SET enable_external_access = true",
        "SET lock_configuration = false",
        "SET allowed_directories = ['/']",
        "RESET enable_external_access",
        "PRAGMA enable_external_access = true",
        "CREATE SECRET (TYPE http, BEARER_TOKEN 'x')",
    ):
        with pytest.raises(SqlError):
            values(sql)
    assert list(tmp_path.iterdir()) == [outside]


def test_the_list_of_table_functions_has_those_of_this_engine_that_read_files() -> None:
    with duckdb.connect(":memory:") as connection:
        rows = connection.execute(
            "SELECT DISTINCT function_name FROM duckdb_functions() WHERE function_type = 'table'"
            " AND regexp_matches(function_name, '^read_|sniff|^parquet_(scan|schema|metadata)$|^query')"
        ).fetchall()
    assert {name for (name,) in rows} - {
        "read_json_objects",
        "read_json_objects_auto",
        "read_ndjson_auto",
        "read_ndjson_objects",
    } <= set(TABLE_FUNCTIONS)
