"""Draws `day_chart.svg`: the same payments by day, over the END of each hour and over its START."""

from collections.abc import Sequence
from pathlib import Path

DAYS = ("1 March", "2 March", "3 March", "4 March")
SUMS = (640, 480, 820, 0)
OF_LAST_HOUR = (198, 150, 254, 0)
"""What came between 23:00 and 24:00: of each day's sum."""

_HEIGHT, _BAR, _STEP, _PANEL = 130, 44, 62, 300
_STYLE = "font: 12px sans-serif; fill: #333"


def sums_over_ends() -> list[int]:
    """By day of the END: the last hour of a day stands at 00:00 of the next."""
    before = (0, *OF_LAST_HOUR)
    return [total - last + moved for total, last, moved in zip(SUMS, OF_LAST_HOUR, before, strict=False)]


def draw() -> str:
    """The picture, as SVG."""
    panels = [
        *_panel(20, "payment_history: days of the END", sums_over_ends(), "#c0504d"),
        *_panel(20 + _PANEL, "payment_history_by_start: days of the START", SUMS, "#4f81bd"),
    ]
    size = f'width="{2 * _PANEL + 20}" height="{_HEIGHT + 70}"'
    title = "<title>Payments by day, over the END of each hour and over its START</title>"
    return "\n".join([f'<svg xmlns="http://www.w3.org/2000/svg" {size}>', title, *panels, "</svg>", ""])


def _panel(left: int, heading: str, sums: Sequence[int], colour: str) -> list[str]:
    lines = [f'<text x="{left}" y="18" style="{_STYLE}">{heading}</text>']
    for at, (day, total) in enumerate(zip(DAYS, sums, strict=True)):
        x, height = left + at * _STEP, total * _HEIGHT // max(SUMS)
        y = 45 + _HEIGHT - height
        lines += [
            f'<rect x="{x}" y="{y}" width="{_BAR}" height="{height}" fill="{colour}"/>',
            f'<text x="{x}" y="{y - 4}" style="{_STYLE}">{total or ""}</text>',
            f'<text x="{x}" y="{60 + _HEIGHT}" style="{_STYLE}">{day}</text>',
        ]
    return lines


if __name__ == "__main__":
    Path(__file__).with_suffix(".svg").write_text(draw())
