"""Pictures in the docs are what their scripts draw."""

import runpy
from pathlib import Path

import pytest

PICTURES = Path(__file__).parents[3] / "docs" / "pictures"
SCRIPTS = sorted(PICTURES.glob("*.py"))


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_a_picture_is_what_its_script_draws(script: Path) -> None:
    assert runpy.run_path(str(script))["draw"]() == script.with_suffix(".svg").read_text()


def test_what_moves_to_the_next_day_is_not_lost() -> None:
    drawn = runpy.run_path(str(PICTURES / "day_chart.py"))
    assert sum(drawn["sums_over_ends"]()) == sum(drawn["SUMS"])
