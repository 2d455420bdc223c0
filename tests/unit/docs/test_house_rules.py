"""Rules of the house that no linter knows."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PACKAGE = ROOT / "logdrain"
FILE_LINES_MAX = 500
FUNCTION_LINES_MAX = 50

ROOMS = (
    "archive",
    "clients",
    "drain",
    "events",
    "jobs",
    "keys",
    "ledger",
    "query",
    "results",
    "sandbox",
    "spool",
    "types",
)
# Every other file of the rooms is pure.
FILES_WITH_IO = frozenset(
    {
        *("archive/builder.py", "archive/folder_files.py", "archive/folder_place.py"),
        *("clients/http_drain.py", "clients/http_shipper.py", "clients/event_connection.py"),
        *("clients/client.py", "clients/event_queue.py", "clients/line_writer.py", "clients/recorder.py"),
        *("events/driver.py", "events/mongo_client.py"),
        *("events/read/aggregate.py", "events/read/archive_source.py", "events/read/late_notes.py"),
        *("events/read/look.py", "events/read/scan.py", "events/write/catalog_writer.py"),
        "events/write/declarations.py",
        *("events/write/collections.py", "events/write/insert_batcher.py", "events/write/late_writer.py"),
        *("events/write/near_misses.py", "events/write/quarantine.py", "events/write/splits.py"),
        *("events/write/store.py", "events/write/threads.py"),
        *("jobs/job_folder.py", "jobs/python_files.py"),
        *("keys/postgres_keys.py", "ledger/connections.py"),
        *("query/duckdb/channel.py", "query/duckdb/child.py", "query/duckdb/child_engine.py"),
        *("query/duckdb/databases.py", "query/duckdb/session.py", "query/duckdb/spill_folder.py"),
        "query/duckdb/parent_process.py",
        *("results/files/file_writer.py", "results/files/folder_files.py", "results/files/formats.py"),
        *("results/postgres/connections.py", "results/read/result_reader.py"),
        "results/values/record_stream.py",
        *("sandbox/folder_port.py", "sandbox/folder_private.py", "sandbox/folder_state.py"),
        *("sandbox/http_logplex.py", "sandbox/mongo_server.py", "sandbox/postgres_server.py"),
        *("sandbox/process_child.py", "sandbox/process_server.py", "sandbox/process_user.py"),
        *("spool/folder_files.py", "spool/folder_lock.py", "spool/folder_segments.py"),
        *("spool/folder_spool.py", "spool/folder_writer.py"),
    }
)
IMPURE_IMPORTS = re.compile(
    r"(?:aiohttp|asyncio|duckdb|fcntl|glob|http|io|multiprocessing|os|pathlib\.Path|pymongo|random|requests"
    r"|secrets|select|shutil|signal|socket|ssl|subprocess|sys|tempfile|threading|time|urllib\.request)(?:\.|\Z)"
)
# What has no effect by itself: names of statuses, errors to catch.
PURE_IMPORTS = re.compile(r"(?:http\.HTTPStatus|pymongo\.errors)(?:\.|\Z)")
IMPURE_CALLS = frozenset({"open", "print", "input"})
CLOCKS = frozenset({"now", "today", "utcnow"})

Function = ast.FunctionDef | ast.AsyncFunctionDef

FILES = sorted([*PACKAGE.rglob("*.py"), *(ROOT / "tests").rglob("*.py")])
ROOM_FILES = [path for room in ROOMS for path in sorted((PACKAGE / room).rglob("*.py"))]


def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(), str(path))


def functions(path: Path) -> Iterator[Function]:
    return (node for node in ast.walk(tree_of(path)) if isinstance(node, Function))


def imports(node: ast.AST) -> Iterator[str]:
    """`module` or `module.name` of every import below a node."""
    for child in ast.walk(node):
        if isinstance(child, ast.Import):
            yield from (name.name for name in child.names)
        elif isinstance(child, ast.ImportFrom):
            yield from (f"{child.module}.{name.name}" for name in child.names)


def label(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_files_and_functions_are_short() -> None:
    files = [label(path) for path in FILES if len(path.read_text().splitlines()) > FILE_LINES_MAX]
    long = [
        f"{label(path)}: {function.name}"
        for path in FILES
        for function in functions(path)
        if (function.end_lineno or 0) - function.lineno >= FUNCTION_LINES_MAX
    ]
    assert files + long == []


def test_imports_stand_at_the_top_and_tell_the_truth() -> None:
    inside = [
        f"{label(path)}: {name}"
        for path in FILES
        if (PACKAGE / "cli") not in path.parents
        for function in functions(path)
        for name in imports(function)
    ]
    assert inside == []
    untrue = [
        label(path)
        for path in FILES
        if any(name.endswith(".TYPE_CHECKING") for name in imports(tree_of(path)))
    ]
    assert untrue == []


def test_one_file_suggests_names_and_has_the_words_for_it() -> None:
    package = {str(path.relative_to(PACKAGE)): path for path in PACKAGE.rglob("*.py")}
    finds = {name for name, path in package.items() if "difflib" in " ".join(imports(tree_of(path)))}
    words = {name for name, path in package.items() if "did you mean" in path.read_text()}
    assert finds == words == {"model/names.py"}


def test_the_files_with_io_are_those_that_are_listed() -> None:
    found = {str(path.relative_to(PACKAGE)): impure(tree_of(path)) for path in ROOM_FILES}
    assert {path: what for path, what in found.items() if what and path not in FILES_WITH_IO} == {}
    assert {path for path in FILES_WITH_IO if not found.get(path)} == set()


def impure(tree: ast.Module) -> list[str]:
    """What in a file reaches outside: modules, the clock, files, waiting."""
    found = [name for name in imports(tree) if IMPURE_IMPORTS.match(name) and not PURE_IMPORTS.match(name)]
    for node in ast.walk(tree):
        if isinstance(node, ast.AsyncFunctionDef | ast.Await):
            found.append(f"line {node.lineno}: waits")
        elif isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            is_clock = called.startswith(("date.", "datetime.")) and called.rpartition(".")[2] in CLOCKS
            if called in IMPURE_CALLS or is_clock:
                found.append(f"line {node.lineno}: {called}")
    return found


@pytest.mark.parametrize(
    ("source", "is_clean"),
    [
        ("from datetime import time", True),
        ("from pymongo.errors import PyMongoError", True),
        ("from http import HTTPStatus", True),
        ("from pathlib import PurePath", True),
        ("import timeit, osmosis", True),
        ("import time", False),
        ("from http.client import HTTPConnection", False),
        ("import os.path", False),
        ("from pathlib import Path", False),
        ("from urllib.request import urlopen", False),
        ("datetime.now(UTC)", False),
        ("open('x')", False),
        ("async def wait() -> None: ...", False),
    ],
)
def test_the_rule_of_purity_sees_what_it_should(source: str, is_clean: bool) -> None:  # noqa: FBT001  # a parameter
    assert (impure(ast.parse(source)) == []) is is_clean


# An except of these hides a defect as a mistake of the user's. Allowed: one call that reads a value.
BROAD = frozenset({"AttributeError", "BaseException", "Exception", "IndexError", "KeyError", "LookupError"})
BROAD |= {"TypeError", "ValueError"}
READS_VALUES = {
    "query/duckdb/address_files.py": "a file and an address of the operator's or an event's",
    "query/duckdb/channel.py": "JSON and Arrow of the other process",
    "query/duckdb/child_engine.py": "carries what a scan raised past the child, and raises it again",
    "query/duckdb/errors.py": "JSON in a message of DuckDB",
    "query/duckdb/session.py": "carries what a scan raised through DuckDB, and raises it again",
    "query/explain.py": "a time beyond the years that a date can have",
    "query/values/java_parse.py": "a date that is none",
    "query/values/td_calendar.py": "a date that is none",
    "query/values/td_text.py": "the name of a character set",
    "query/values/td_time.py": "a date, and the name of a time zone",
    "query/values/trino_texts.py": "a number in another base",
}


def test_the_planner_catches_no_defects() -> None:
    found = {
        str(path.relative_to(PACKAGE))
        for path in (PACKAGE / "query").rglob("*.py")
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.ExceptHandler)
        and (node.type is None or BROAD & set(re.findall(r"\w+", ast.unparse(node.type))))
    }
    assert found == set(READS_VALUES)
