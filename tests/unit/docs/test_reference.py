"""The reference says what the code says, in both directions."""

import argparse
import importlib
import inspect
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import Mock

import pytest
from prometheus_client.metrics import MetricWrapperBase

from logdrain import metrics
from logdrain.bootstrap.drain import DrainParts
from logdrain.cli.commands import COMMANDS, function_name
from logdrain.config import SETTINGS
from logdrain.errors import JobFileInvalid, all_errors
from logdrain.events.mongo_client import CATALOG, LATE, NEAR_MISSES, QUARANTINE, SPLITS
from logdrain.jobs.job_file import read_job
from logdrain.model.catalog import FieldType, TableCatalog, TypeKind
from logdrain.model.events import DropReason, LineKind, NearMissReason, Table
from logdrain.model.jobs import Mode
from logdrain.query.td.registry import REFUSED_FUNCTIONS, TD_FUNCTIONS
from logdrain.results.url.target import OPTIONS
from logdrain.types.sql_types import column_type
from logdrain.web.application import make_application

ROOT = Path(__file__).parents[3]
REFERENCE = ROOT / "docs" / "reference"

Row = tuple[str, ...]


def rows(page: Path, heading: str) -> list[Row]:
    """The rows of a page's tables whose first column has this heading; cells without backticks."""
    found: list[Row] = []
    first = ""
    for line in page.read_text().splitlines():
        if not line.startswith("|"):
            first = ""
            continue
        cells = tuple(cell.strip() for cell in line.strip("|").split("|"))
        if not first:
            first = cells[0]
        elif first == heading and not set(cells[0]) <= {"-"}:
            found.append((cells[0].strip("`"), *cells[1:]))
    return found


def first_column(page: str, heading: str) -> list[str]:
    """Names in the first column; a cell may have several."""
    return [
        name.strip().strip("`") for row in rows(REFERENCE / page, heading) for name in row[0].split("`, `")
    ]


def test_settings() -> None:
    documented = [(name, default.strip("`")) for name, default, *_ in rows(REFERENCE / "settings.md", "Name")]
    assert documented == [(setting.name, setting.default) for setting in SETTINGS]


def command_sections() -> dict[str, str]:
    _, *sections = re.split(r"^## ", (REFERENCE / "commands.md").read_text(), flags=re.MULTILINE)
    return {heading.strip("`"): text for heading, _, text in (part.partition("\n") for part in sections)}


def test_every_command_is_documented_and_no_other() -> None:
    assert list(command_sections()) == list(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_usage_and_example_of_each_command(name: str) -> None:
    parser = argparse.ArgumentParser(prog=f"logdrain {name}")
    module = importlib.import_module(f"logdrain.cli.{COMMANDS[name].module}")
    getattr(module, f"add_{function_name(name)}_arguments")(parser)
    usage = parser.format_usage().removeprefix("usage:").replace(",".join(DropReason), "REASON")
    blocks = re.findall(r"(?:^ {4}.*\n)+", command_sections()[name], flags=re.MULTILINE)
    assert " ".join(blocks[0].split()) == " ".join(usage.replace("{REASON}", "REASON").split())
    assert f"logdrain {name}" in blocks[1]


def metric_rows() -> Iterator[tuple[str, str, str, str]]:
    for metric in vars(metrics).values():
        if isinstance(metric, MetricWrapperBase):
            [family] = metric.describe()
            suffix = "_total" if family.type == "counter" else ""
            labels = ", ".join(f"`{label}`" for label in vars(metric)["_labelnames"])
            yield family.name + suffix, family.type, labels, family.documentation
    yield "logdrain_runs_total", "counter", "`state`", metrics.RUNS_HELP


def test_metrics() -> None:
    assert rows(REFERENCE / "metrics.md", "Name") == list(metric_rows())
    rendered = metrics.render({"succeeded": 1}).decode()
    for name, kind, _, _ in metric_rows():
        assert f"# TYPE {name} {kind}\n" in rendered


def test_errors() -> None:
    documented = {row[:4] for row in rows(REFERENCE / "errors.md", "Code")}
    assert documented == {
        (error.code, str(error.status), "yes" if error.retryable else "no", str(error.exit_status))
        for error in all_errors()
    }


@pytest.mark.parametrize("error", all_errors())
def test_each_error_says_what_it_is(error: type) -> None:
    assert inspect.getdoc(error)
    assert error.__doc__ not in (parent.__doc__ for parent in error.__mro__[1:])


def test_drop_reasons() -> None:
    assert first_column("quarantine.md", "Reason") == [reason.value for reason in DropReason]


def test_near_misses() -> None:
    assert first_column("quarantine.md", "Near miss") == [reason.value for reason in NearMissReason]


def test_line_kinds() -> None:
    assert first_column("lines.md", "Kind") == [kind.value for kind in LineKind]


def test_routes() -> None:
    application = make_application(Mock(spec=DrainParts))
    routes = {
        f"{route.method} {route.resource.canonical}"
        for route in application.router.routes()
        if route.resource and route.method != "HEAD"
    }
    assert set(first_column("http.md", "Route")) == routes


def test_td_functions() -> None:
    documented = [name.partition("(")[0] for name in first_column("sql.md", "Function")]
    assert documented == sorted(TD_FUNCTIONS)


def test_refused_td_functions() -> None:
    documented = {
        (name.strip(" `"), why, instead)
        for names, why, instead in rows(REFERENCE / "sql.md", "Refused function")
        for name in names.split(", ")
    }
    assert documented == {(name, *refusal) for name, refusal in REFUSED_FUNCTIONS.items()}


def test_job_file_keys() -> None:
    with pytest.raises(JobFileInvalid) as caught:
        read_job("x = 1", "jobs/x.toml", "jobs/x.toml", str)
    known = caught.value.located.partition("there are ")[2].partition(";")[0].split(", ")
    assert sorted(first_column("job-files.md", "Key")) == sorted(known)


def test_result_options() -> None:
    assert sorted(first_column("results.md", "Option")) == sorted(OPTIONS)


def test_result_modes_in_tables_and_in_files() -> None:
    assert first_column("results.md", "Mode") == [*Mode, *Mode]


def test_own_collections() -> None:
    assert first_column("store.md", "Collection") == [QUARANTINE, CATALOG, SPLITS, NEAR_MISSES, LATE]


def test_types_of_the_catalog() -> None:
    documented = [
        (frozenset(map(FieldType, re.split(", | and ", seen))), kind.strip("`"))
        for cell, kind in rows(REFERENCE / "store.md", "Types seen")
        for seen in cell.split("; ")
        if set(re.split(", | and ", seen)) <= set(FieldType)
    ]
    for seen, kind in documented:
        column = column_type(TableCatalog(Table("db", "t"), {("f",): seen}), ("f",)).kind
        assert kind == column or column in {TypeKind.LIST, TypeKind.TEXT}  # an object without fields is TEXT
    assert frozenset[FieldType]().union(*(seen for seen, _ in documented)) == {*FieldType} - {FieldType.NULL}


def test_dependencies() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    assert project["dependencies"] == []  # an application that installs the client installs nothing else
    named = [*extras["server"], *extras["sandbox"], *extras["dev"]]
    page = ROOT / "docs" / "explanation" / "dependencies.md"
    documented = {row[0] for row in rows(page, "Package")}
    assert documented == {re.split(r"[\[<>=; ]", name)[0] for name in named}
