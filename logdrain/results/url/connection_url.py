"""A Postgres connection URL, taken apart and put together as libpq reads it (RFC 3986; libpq 34.1.1.2).

No message here repeats a URL: one that cannot be read may have its password anywhere.
"""

from collections.abc import Mapping, Sequence
from urllib.parse import SplitResult, quote, unquote, urlsplit

from logdrain.errors import ResultUrlInvalid
from logdrain.model.names import nearest_hint

PARAMETERS = (
    "application_name",
    "channel_binding",
    "connect_timeout",
    "options",
    "sslmode",
    "sslrootcert",
    "target_session_attrs",
)
"""libpq parameters that a URL may carry."""

_VALUES = {
    "channel_binding": ("disable", "prefer", "require"),
    "sslmode": ("disable", "allow", "prefer", "require", "verify-ca", "verify-full"),
    "target_session_attrs": ("any", "read-write", "read-only", "primary", "standby", "prefer-standby"),
}

_SCHEMES = ("postgres", "postgresql")
_EXAMPLE = "write postgres://USER:PASSWORD@HOST:5432/DATABASE"
_ENCODE_HINT = "percent-encode what is special in user and password: / is %2F, @ is %40, : is %3A, # is %23"


def split_url(url: str) -> SplitResult:
    """A URL in its parts: a Postgres scheme, a host that is no socket, a readable port or none, no fragment.

    Raises:
        ResultUrlInvalid: one of them is off.
    """
    check_characters(url)
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        # Not chained: the cause quotes what may be half a password.
        raise ResultUrlInvalid(
            "the result URL has no readable host and port (1 to 65535)", hint=_ENCODE_HINT
        ) from None
    if parts.scheme not in _SCHEMES or "://" not in url:
        raise ResultUrlInvalid(
            "this is not the URL of a Postgres database", hint=f"{_EXAMPLE}, or file:///FOLDER for files"
        )
    if port == 0 or parts.fragment:
        raise ResultUrlInvalid("the result URL has no readable host and port (1 to 65535)", hint=_ENCODE_HINT)
    if not parts.hostname:
        raise ResultUrlInvalid("the result URL has no host", hint=_EXAMPLE)
    if any(host.startswith(("/", "@")) for host in decode(parts.hostname).split(",")):
        # libpq's form of a socket: it would connect as our own operating system user, without a password.
        raise ResultUrlInvalid("the host of the result URL is a Unix socket", hint="write localhost instead")
    return parts


def join_url(parts: SplitResult, database: str, parameters: Mapping[str, str]) -> str:
    """The URL that libpq connects to: every piece decoded, and encoded again."""
    host = parts.hostname or ""
    address = f"[{host}]" if ":" in host else _encode(decode(host))
    if parts.port is not None:
        address += f":{parts.port}"
    if parts.username is not None:
        secret = "" if parts.password is None else ":" + _encode(decode(parts.password))
        address = _encode(decode(parts.username)) + secret + "@" + address
    query = "&".join(f"{name}={_encode(value)}" for name, value in parameters.items())
    return f"postgresql://{address}/{_encode(database)}" + (f"?{query}" if query else "")


def connection_url(url: str, *, ssl: bool, table_options: tuple[str, ...]) -> str:
    """Check a URL that ends with its database, and make it libpq's.

    Args:
        url: `postgres://user:pw@host:5432/db?parameters`; `ssl=true` is taken, too.
        ssl: Ask for sslmode=require where the URL says nothing about it.
        table_options: Options that belong to a table, to say so where one is found here.

    Raises:
        ResultUrlInvalid: host, port, database or a parameter is off.
    """
    parts = split_url(url)
    segments = parts.path.split("/")[1:]
    if not segments or not segments[0]:
        raise ResultUrlInvalid("the result URL has no database", hint=_EXAMPLE)
    if len(segments) > 1:
        raise ResultUrlInvalid(
            "the URL of a named result ends with the database",
            hint="leave the table out here; a schedule names it: --result NAME:TABLE",
        )
    parameters = pairs(parts.query)
    wants_ssl = choice("ssl", parameters.pop("ssl", "false"), ("true", "false")) == "true"
    for name in parameters:
        if name in table_options:
            raise ResultUrlInvalid(
                f'result option "{name}" belongs to the table, not to the connection',
                hint=f"a schedule says it: --result NAME:TABLE?{name}=…",
            )
        if name not in PARAMETERS:
            raise ResultUrlInvalid(
                f'connection parameter "{name}" is not known', hint=known_hint(name, PARAMETERS)
            )
        if name in _VALUES:
            choice(name, parameters[name], _VALUES[name])
    if not parameters.get("connect_timeout", "0").isdecimal():
        raise ResultUrlInvalid("connect_timeout of the result is no number", hint="write seconds, such as 10")
    if ssl or wants_ssl:
        parameters.setdefault("sslmode", "require")
    return join_url(parts, decode(segments[0]), parameters)


def pairs(query: str) -> dict[str, str]:
    """`a=1&b=2` as a dictionary, percent-decoded.

    Raises:
        ResultUrlInvalid: a name or value is empty, or a name comes twice.
    """
    found: dict[str, str] = {}
    for part in query.split("&") if query else ():
        name, _, value = part.partition("=")
        if not name or not value:
            raise ResultUrlInvalid(
                "an option of the result has no name or no value", hint="write ?name=value&name=value"
            )
        if name in found:
            raise ResultUrlInvalid(f'result option "{name}" is given twice', hint="leave one of them out")
        found[name] = decode(value)
    return found


def choice(option: str, word: str, words: tuple[str, ...]) -> str:
    """The word, if it is one of these.

    Raises:
        ResultUrlInvalid: it is not; the hint has the nearest.
    """
    if word not in words:
        raise ResultUrlInvalid(f'result option {option}="{word}" is not known', hint=known_hint(word, words))
    return word


def known_hint(word: str, words: Sequence[str]) -> str:
    """The word that was probably meant, else all of them."""
    return nearest_hint(word, map(str, words), f"known: {', '.join(words)}")


def check_characters(text: str) -> None:
    """Refuse white space and control characters.

    Raises:
        ResultUrlInvalid: there are some.
    """
    if any(char.isspace() or not char.isprintable() for char in text):
        raise ResultUrlInvalid(
            "a result cannot have spaces or control characters in it", hint="write a space as %20"
        )


def decode(text: str) -> str:
    """Undo percent-encoding.

    Raises:
        ResultUrlInvalid: it is not UTF-8, or has U+0000, which no part of a result can have.
    """
    try:
        decoded = unquote(text, errors="strict")
    except UnicodeDecodeError:
        # Not chained: the cause holds the bytes, which may be a password.
        raise ResultUrlInvalid("the percent-encoding of the result is not UTF-8", hint=_ENCODE_HINT) from None
    if "\0" in decoded:
        raise ResultUrlInvalid("a result cannot have the character U+0000 in it", hint="leave out %00")
    return decoded


def _encode(text: str) -> str:
    return quote(text, safe="")
