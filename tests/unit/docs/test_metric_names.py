"""Metrics that pages name are there: an alert on a name that does not exist never fires."""

import re
from pathlib import Path

import pytest

from logdrain import metrics

ROOT = Path(__file__).parents[3]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
# Tables beside results, which have our name, too.
TABLES = {"logdrain_marks", "logdrain_contents", "logdrain_readers", "logdrain_starts"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_metric_that_a_page_names_is_there(page: Path) -> None:
    named = set(re.findall(r"\blogdrain_[a-z_]+", page.read_text()))
    assert named <= TABLES | set(re.findall(r"\w+", metrics.render({"succeeded": 1}).decode()))
