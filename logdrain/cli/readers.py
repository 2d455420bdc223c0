"""Which result tables a reading role is given: those of the ledger's schedules, database by database."""

from collections.abc import Callable, Mapping, Sequence

from logdrain.errors import ResultRefused
from logdrain.model.jobs import ResultTarget
from logdrain.ports import Ledger
from logdrain.results.postgres.grants import READERS_TABLE
from logdrain.results.url.target import ParsedResult, parse_result, resolve

Change = Callable[[Sequence[ResultTarget], str, str], list[str]]
"""`postgres_readers.grant` or `revoke`: (targets of one database, role, ledger identity) -> tables."""


def change_readers(
    change: Change, role: str, ledger: Ledger, environment: Mapping[str, str], *, result: str = ""
) -> list[str]:
    """Grant to a role, or revoke from it; returns the tables that it was done for.

    Args:
        change: What to do in each database.
        role: A role of Postgres.
        ledger: Knows results and schedules.
        environment: For results of the form `env:NAME`.
        result: A named result, to leave the others alone; it need not have a schedule yet.

    Raises:
        UnknownResult: no result has this name.
        ResultRefused: no schedule writes anywhere, or a right is missing.
        UnknownRole, ResultUrlInvalid, ResultUnavailable.
    """
    if result:
        ledger.result_url(result)  # is there one of this name?
    parsed = [parse_result(schedule.result) for schedule, *_ in ledger.schedules() if schedule.result]
    wanted = [each for each in parsed if not result or each.name == result]
    if result and not wanted:
        # No schedule yet: a stand-in for those that come in the result's own schema.
        wanted = [ParsedResult(result, "", READERS_TABLE)]
    if not wanted:
        raise ResultRefused(
            "no schedule writes to a result yet", hint="`--result NAME` opens the tables that come there"
        )
    by_database: dict[str, list[ResultTarget]] = {}
    for each in wanted:
        url = ledger.result_url(each.name) if each.name else each.url
        target = resolve(each, url, environment.get)
        if isinstance(target, ResultTarget):
            by_database.setdefault(target.dsn, []).append(target)
    if not by_database:
        raise ResultRefused(
            f"result {result} has files, which no role of Postgres reads"
            if result
            else "all schedules write files, which no role of Postgres reads",
            hint="who reads them is for the permissions of their folder",
        )
    identity = ledger.identity()
    return [table for targets in by_database.values() for table in change(targets, role, identity)]
