"""What a run is told that others have overtaken."""

from datetime import datetime

from logdrain.errors import LeaseLost, ResultRefused
from logdrain.model.jobs import Claim


def lease_lost(claim: Claim) -> LeaseLost:
    """Another worker has the slice, or has put its rows in place."""
    return LeaseLost(
        f"another worker has slice {claim.scheduled_at.isoformat()} of schedule {claim.schedule.name}",
        hint="nothing to do: the other run's rows count",
    )


def newer_slice_held(claim: Claim, result: str, held: datetime) -> ResultRefused:
    """The result holds one slice, and a newer one: running an older slice would turn it back in time."""
    return ResultRefused(
        f"{result} holds slice {held.isoformat()} of schedule {claim.schedule.name}, "
        f"which is newer than {claim.scheduled_at.isoformat()}",
        hint="nothing to do, if the newest slice is what it should hold; "
        "to put the older one in its place: sched:run --force",
    )
