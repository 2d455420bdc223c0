"""`logdrain bi:…`: which roles of Postgres may read result tables."""

import argparse
import os
from collections.abc import Callable, Mapping, Sequence

from logdrain.cli import servers
from logdrain.errors import ResultRefused
from logdrain.ledger.parts import Ledger
from logdrain.model.jobs import ResultTarget
from logdrain.results.postgres.grants import READERS_TABLE
from logdrain.results.url.target import ParsedResult, parse_result, resolve

Change = Callable[[Sequence[ResultTarget], str, str], list[str]]
"""`grants.grant` or `revoke`: (targets of one database, role, ledger identity) -> tables."""


def change_readers(
    change: Change, role: str, ledger: Ledger, environment: Mapping[str, str], *, result: str = ""
) -> list[str]:
    """Grant to a role, or revoke from it; returns the tables that it was done for.

    Args:
        change: What to do in each database.
        role: A role of Postgres.
        ledger: Has schedules and named results.
        environment: For results of the form `env:NAME`.
        result: A named result, to leave the others alone; it need not have a schedule yet.

    Raises:
        UnknownResult: no result has this name.
        ResultRefused: no schedule writes anywhere, or a right is missing.
        UnknownRole, ResultUrlInvalid, ResultUnavailable.
    """
    if result:
        ledger.results.url(result)  # is there one of this name?
    parsed = [parse_result(schedule.result) for schedule, *_ in ledger.schedules.all() if schedule.result]
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
        url = ledger.results.url(each.name) if each.name else each.url
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
    identity = ledger.slices.identity()
    return [table for targets in by_database.values() for table in change(targets, role, identity)]


def add_role_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare who reads, and what."""
    parser.add_argument("role", help="a role of the result's Postgres, made for reading")
    parser.add_argument(
        "--result", default="", metavar="NAME", help="this result only (default: all schedules')"
    )
    servers.add_data_argument(parser)


def change_tables(arguments: argparse.Namespace, change: Change) -> list[str]:
    """Grant or revoke; returns the tables that it was done for."""
    from logdrain.bootstrap.ledger import open_ledger

    with open_ledger(servers.settings_of(arguments)) as ledger:
        return change_readers(change, arguments.role, ledger, os.environ, result=arguments.result)


def add_bi_grant_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the words of the command."""
    parser.epilog = "example: logdrain bi:grant metabase --result heroku_db"
    add_role_arguments(parser)


def run_bi_grant(arguments: argparse.Namespace) -> int:
    """Let a role read."""
    from logdrain.results.postgres.grants import grant

    for table in change_tables(arguments, grant):
        print(f"{arguments.role} may read {table}")
    print("Result tables that come in their schemas can be read, too.")
    return 0


def add_bi_revoke_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the words of the command."""
    parser.epilog = "example: logdrain bi:revoke metabase --result heroku_db"
    add_role_arguments(parser)


def run_bi_revoke(arguments: argparse.Namespace) -> int:
    """Take reading back."""
    from logdrain.results.postgres.grants import revoke

    for table in change_tables(arguments, revoke):
        print(f"{arguments.role} may no longer read {table}")
    print("Tables that come later stay closed to it, too.")
    return 0
