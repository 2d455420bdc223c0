"""`logdrain serve`: the drain."""

import argparse
import dataclasses

from logdrain.cli import servers


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the words of the command."""
    parser.epilog = (
        "Needs MONGODB_URI, and keys: in LOGDRAIN_KEYS, or in the Postgres of DATABASE_URL (keys:create).\n"
        "With DATABASE_URL, /metrics tells of runs, and /health of Postgres."
    )
    parser.add_argument("--port", type=servers.port_number, help="TCP port (default: PORT, else 8080)")
    servers.add_data_argument(parser)


def run(arguments: argparse.Namespace) -> int:
    """Serve until SIGTERM or SIGINT."""
    from logdrain.web.server.server import serve

    settings = servers.settings(arguments)
    if arguments.port is not None:
        settings = dataclasses.replace(settings, port=arguments.port)
    serve(settings)
    return 0
