"""The mark beside a result of files: which run came last to put its file in place.

It is written before the file is renamed, under a lock. So it never says less than what is there: a run that
was overtaken finds a higher number, whatever the clocks and leases say. Run ids grow over all claims of a
ledger, one schedule writes a result, and it has one claim at a time.
"""

from datetime import datetime

import msgspec

from logdrain.errors import ResultRefused
from logdrain.model.jobs import Claim
from logdrain.results.files.file_places import FilePlace
from logdrain.results.postgres.marks import lease_lost


class FileMark(msgspec.Struct, frozen=True):
    """Who came last; kept as JSON.

    Attributes:
        ledger: Its identity.
        scheduled_at: Of the slice.
    """

    ledger: str
    schedule: str
    run_id: int
    scheduled_at: datetime


def mark_of(claim: Claim, ledger_identity: str) -> FileMark:
    """The mark of a run."""
    return FileMark(ledger_identity, claim.schedule.name, claim.run_id, claim.scheduled_at)


def encode_mark(mark: FileMark) -> bytes:
    """As it is kept."""
    return msgspec.json.encode(mark)


def decode_mark(octets: bytes, place: FilePlace) -> FileMark:
    """A mark that was kept.

    Raises:
        ResultRefused: it is none.
    """
    try:
        return msgspec.json.decode(octets, type=FileMark)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ResultRefused(
            f"the mark beside {place} cannot be read: {error}",
            hint=f"if no run is writing there, delete the folder {place.own} beside the file",
        ) from error


def check_mark(claim: Claim, own: FileMark, found: FileMark | None, *, newest_only: bool) -> None:
    """Refuse a run that may not put its file in place.

    Args:
        claim: The run.
        own: The mark that it would leave.
        found: The mark that is there, or None.
        newest_only: The file holds one slice, and it is there: an older slice would turn it back.

    Raises:
        LeaseLost: another worker has the slice, or a later one.
        ResultRefused: the file holds a newer slice, and the run is not forced.
    """
    if found is None or found.ledger != own.ledger:
        return
    if found.run_id > own.run_id:  # also of another schedule: this one may have been renamed since
        raise lease_lost(claim)
    is_older = found.schedule == own.schedule and found.scheduled_at > own.scheduled_at
    if newest_only and is_older and not claim.forced:
        raise ResultRefused(
            f"the file holds slice {found.scheduled_at.isoformat()} of schedule {own.schedule}, "
            f"which is newer than {own.scheduled_at.isoformat()}",
            hint="nothing to do, if the newest slice is what it should hold; "
            "to put the older one in its place: sched:run --force",
        )
