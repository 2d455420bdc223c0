"""`logdrain bi:revoke ROLE [--result NAME]`."""

import argparse

from logdrain.cli.bi_readers import add_role_arguments, change_tables


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the words of the command."""
    parser.epilog = "example: logdrain bi:revoke metabase --result heroku_db"
    add_role_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Take reading back."""
    from logdrain.results.postgres.grants import revoke

    for table in change_tables(arguments, revoke):
        print(f"{arguments.role} may no longer read {table}")
    print("Tables that come later stay closed to it, too.")
    return 0
