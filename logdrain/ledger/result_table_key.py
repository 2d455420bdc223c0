"""Which table a schedule's result goes to."""

from urllib.parse import parse_qs, quote, unquote, urlsplit


def result_table(result: str) -> str:
    """The table that a schedule's `result` names, as a key: equal for two results that share a table.

    `name:table?mode=append` gives `name:table`; a Postgres URL gives host, port, database and table,
    never a credential, one of files its path; `schema=` is kept, other options are not; "" stays "". Names
    are compared decoded: `heroku_db:p%61y` is `heroku_db:pay`.
    """
    address, _, options = result.partition("?")
    if "://" in address:
        parts = urlsplit(address)
        place = "file://" if parts.scheme == "file" else _server(parts.netloc)
        address = place + "/".join(map(_canonical, parts.path.split("/")))
    elif address:
        name, _, table = address.partition(":")
        address = f"{name}:{_canonical(table)}"
    schema = _canonical(parse_qs(options).get("schema", [""])[-1])
    return f"{address}?schema={schema}" if schema else address


def table_key(result: str, schema: str, table: str) -> str:
    """The same key from the parts of a named result's table."""
    options = f"?schema={quote(schema, safe='')}" if schema else ""
    return result_table(f"{result}:{quote(table, safe='')}{options}")


def _server(netloc: str) -> str:
    """Host and port of a Postgres URL."""
    place = netloc.rpartition("@")[2].lower()
    return place if place.rpartition("]")[2].count(":") else f"{place}:5432"


def _canonical(name: str) -> str:
    """One spelling of a name, in which nothing but the name is special."""
    return quote(unquote(name), safe=" ")
