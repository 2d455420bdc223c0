"""Which table a schedule's result goes to."""

from urllib.parse import parse_qs, urlsplit


def result_table(result: str) -> str:
    """The table that a schedule's `result` names, as a key: equal for two results that share a table.

    `name:table?mode=append` gives `name:table`; a Postgres URL gives host, port, database and table,
    never a credential; `schema=` is kept, other options are not; "" stays "".
    """
    address, _, options = result.partition("?")
    if "://" in address:
        place = urlsplit(address).netloc.rpartition("@")[2]
        if ":" not in place:
            place += ":5432"
        address = f"{place}{urlsplit(address).path}"
    schema = parse_qs(options).get("schema", [""])[-1]
    return f"{address}?schema={schema}" if schema else address
