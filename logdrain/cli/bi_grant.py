"""`logdrain bi:grant ROLE [--result NAME]`."""

import argparse

from logdrain.cli.bi_readers import add_role_arguments, change_tables


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the words of the command."""
    parser.epilog = "example: logdrain bi:grant metabase --result heroku_db"
    add_role_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Let a role read."""
    from logdrain.results.postgres.grants import grant

    for table in change_tables(arguments, grant):
        print(f"{arguments.role} may read {table}")
    print("Result tables that come in their schemas can be read, too.")
    return 0
