"""Rules of the house that no linter knows."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PACKAGE = ROOT / "logdrain"
FILE_LINES_MAX = 300
FUNCTION_LINES_MAX = 50

ROOMS = ("clients", "drain", "events", "keys", "query", "results", "sandbox", "schedule", "schema", "spool")
SERVICES = ("duckdb_", "folder_", "http_", "mongo_", "postgres_", "process_", "smtp_")
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
PURE_FILES = [
    path
    for room in ROOMS
    for path in sorted((PACKAGE / room).glob("*.py"))
    if not path.name.startswith(SERVICES)
]


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


@pytest.mark.parametrize("path", FILES, ids=label)
def test_files_and_functions_are_short(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= FILE_LINES_MAX
    long = [
        function.name
        for function in functions(path)
        if (function.end_lineno or 0) - function.lineno >= FUNCTION_LINES_MAX
    ]
    assert long == []


@pytest.mark.parametrize("path", FILES, ids=label)
def test_imports_stand_at_the_top_and_tell_the_truth(path: Path) -> None:
    is_command = (PACKAGE / "cli") in path.parents
    inside = [name for function in functions(path) for name in imports(function) if not is_command]
    assert inside == []
    assert not any(name.endswith(".TYPE_CHECKING") for name in imports(tree_of(path)))


@pytest.mark.parametrize("path", PURE_FILES, ids=label)
def test_files_not_named_after_a_service_are_pure(path: Path) -> None:
    assert impure(tree_of(path)) == []


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
