"""td's `-u USER -p`: whom a result's URL is opened as, said beside the URL."""

import argparse
import getpass
from urllib.parse import quote

from logdrain.errors import UsageError


def add_user_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare -u and -p."""
    parser.add_argument("-u", "--user", metavar="USER", help="the user of the result's URL")
    parser.add_argument("-p", "--password", action="store_true", help="ask for that user's password")


def with_user(result: str, arguments: argparse.Namespace) -> str:
    """The result with the user, and the password that is asked for, in its URL.

    Raises:
        UsageError: there is no URL that they could belong to, or a password without a user.
    """
    if arguments.user is None and not arguments.password:
        return result
    scheme, mark, rest = result.partition("://")
    if not mark or arguments.user is None:
        raise UsageError(
            "-u USER and -p belong to a result that is a URL",
            hint="-r postgres://HOST/DATABASE/TABLE -u USER -p; what `result:create` keeps has both",
        )
    place = rest.partition("/")[0]
    if "@" in place:
        raise UsageError("the result's URL has a user, and -u names one, too", hint="leave one of them out")
    secret = f":{quote(getpass.getpass(), safe='')}" if arguments.password else ""
    return f"{scheme}://{quote(arguments.user, safe='')}{secret}@{rest}"
