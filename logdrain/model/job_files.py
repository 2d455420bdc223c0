"""Nouns of job files."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from logdrain.model.jobs import Schedule


@dataclass(frozen=True, slots=True)
class Job:
    """A job file's schedule; one that is not enabled is only applied where somebody names its file.

    Attributes:
        path: The file, as it was named.
        line: Where in it the job begins, from 1.
        lines: Where its keys are set; of `sql`, where its text begins in `sql_path`.
        sql_path: The file that has the SQL.
    """

    schedule: Schedule
    enabled: bool
    path: str
    line: int = 1
    lines: Mapping[str, int] = field(default_factory=dict)
    sql_path: str = ""

    def place(self, key: str) -> str:
        """`FILE:LINE` of a key, for messages."""
        return f"{self.path}:{self.lines.get(key, self.line)}"
