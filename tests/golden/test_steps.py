"""One step of the planner at a time: `steps/STEP.golden` has queries, and what the step makes of each.

Before the step stands what the steps before it made. `LOGDRAIN_WRITE_GOLDEN=1` writes what comes out into the
files; read the difference before you keep it.
"""

import os
from collections.abc import Callable, Sequence
from difflib import ndiff
from pathlib import Path

import pytest

from logdrain.errors import LogdrainError
from logdrain.model.events import Table
from logdrain.model.plans import Dialect
from logdrain.model.queries import EngineQuery, QueryRequest
from logdrain.query.duckdb import lower
from logdrain.query.explain import explain
from logdrain.query.plan import STEPS, finished_plan, new_context
from logdrain.query.sql.context import PlanContext
from logdrain.query.sql.dialect import FRONT_DOORS
from tests.unit.query.event_tables import NOW_S, SCHEDULED_TIME_S, TABLES, catalog_of

FOLDER = Path(__file__).parent / "steps"
BETWEEN = "\n========\n"
LINE = "\n--------\n"

Step = Callable[[PlanContext], object]


def named_steps() -> dict[str, tuple[Sequence[Step], Step]]:
    """Each step by its name, with the steps before it; of one that stands several times the last."""
    every: list[Step] = [*STEPS, *lower.STEPS]
    return {step.__name__: (every[:index], step) for index, step in enumerate(every)}


NAMED_STEPS = named_steps()


def test_every_step_has_its_file() -> None:
    assert {file.stem for file in FOLDER.glob("*.golden")} == NAMED_STEPS.keys()


@pytest.mark.parametrize("name", NAMED_STEPS)
def test_a_step_makes_what_its_file_says(name: str) -> None:
    file = FOLDER / f"{name}.golden"
    cases = [case.partition(LINE) for case in file.read_text(encoding="utf-8").split(BETWEEN)]
    found = [f"{query.strip()}{LINE}{outcome(name, query)}" for query, _, _ in cases]
    if os.environ.get("LOGDRAIN_WRITE_GOLDEN"):
        file.write_text(BETWEEN.join(found), encoding="utf-8")
    else:
        assert BETWEEN.join(found) == file.read_text(encoding="utf-8")


def outcome(name: str, query: str) -> str:
    """What is different after a step: `-` before, `+` after; or its error."""
    head, _, sql = query.strip().partition("\n")
    _, database, dialect = head.split()
    catalogs = {
        table: catalog_of(table, records)
        for table, records in ((Table(*full.split(".")), records) for full, records in TABLES.items())
    }
    request = QueryRequest(sql, database, Dialect(dialect), SCHEDULED_TIME_S, NOW_S)
    context = new_context(request, catalogs.__getitem__, list(catalogs))
    earlier, step = NAMED_STEPS[name]
    for before in earlier:
        before(context)
    lines = state(context, name)
    try:
        step(context)
    except LogdrainError as error:
        return f"{type(error).__name__}: {error}\n"
    changed = [line.rstrip() for line in ndiff(lines, state(context, name)) if not line.startswith("?")]
    return "\n".join([*changed, ""])


def state(context: PlanContext, step: str) -> list[str]:
    """All that a step can change, as lines of text: the plan so far, its tree and the types in it."""
    is_lowering = step in {one.__name__ for one in lower.STEPS}
    dialect = "duckdb" if is_lowering else FRONT_DOORS[context.dialect]
    tree = context.statement.sql(dialect=dialect, pretty=True, comments=False)
    types = [f"  {one.alias}: {one.type.sql()}" for one in context.statement.selects if one.type]
    plan = explain(EngineQuery(finished_plan(context), tree), []).replace("engine SQL", "tree")
    return [*plan.splitlines(), "", "types", *types]
