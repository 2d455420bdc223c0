"""What was sent, and what the drain said to it. Pure."""

from collections import Counter
from dataclasses import dataclass, field

from logdrain.sandbox.http_logplex import DeliveryReport, Outcome
from tests.chaos.payments import Line, Parcel


@dataclass(frozen=True, slots=True)
class Answer:
    """One try of a delivery; times are monotonic seconds."""

    started_s: float
    ended_s: float
    said: int | str
    is_direct: bool


@dataclass
class Book:
    """Every line that was sent, whether it is acknowledged, and every answer."""

    lines: dict[int, Line] = field(default_factory=dict)
    acknowledged: set[int] = field(default_factory=set)
    begun: set[int] = field(default_factory=set)
    answers: list[Answer] = field(default_factory=list)
    outcomes: Counter[str] = field(default_factory=Counter)
    refused: list[str] = field(default_factory=list)

    def send(self, parcel: Parcel) -> None:
        """A parcel is about to be sent."""
        self.lines |= {line.serial: line for line in parcel.lines}
        self.begun |= set(parcel.begun)

    def note(self, parcel: Parcel, report: DeliveryReport) -> None:
        """What became of it."""
        self.outcomes[report.outcome] += 1
        if report.outcome is Outcome.ACCEPTED:
            self.acknowledged |= {line.serial for line in parcel.lines}
        elif report.outcome is Outcome.DROPPED:
            self.refused.append(f"{report.frame_id}: {report.tries}")

    @property
    def retries(self) -> int:
        """Tries after the first of a delivery."""
        return len(self.answers) - self.outcomes.total()
