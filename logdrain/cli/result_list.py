"""`logdrain result:list`."""

import argparse
import sys

from logdrain.cli import servers
from logdrain.cli.output import print_table
from logdrain.log import mask


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the words of the command."""
    servers.add_data_argument(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print the results, passwords masked."""
    from logdrain.bootstrap import open_ledger

    with open_ledger(servers.settings(arguments)) as ledger:
        rows = [(name, mask(url)) for name, url in ledger.results()]
    print_table(("name", "url"), rows, sys.stdout)
    return 0
