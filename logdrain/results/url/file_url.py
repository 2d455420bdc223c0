"""`file:///folder/table`: results of files, as a URL says where they are (RFC 8089).

The path is one of the machine that runs the slice. Whether it may be written is not asked here.
"""

from urllib.parse import quote, urlsplit

from logdrain.errors import ResultUrlInvalid
from logdrain.model.jobs import Mode
from logdrain.results.url.connection_url import check_characters, decode

_SCHEME = "file"
_EXAMPLE = "write file:///FOLDER/TABLE"
_FOLDER_EXAMPLE = "write file:///FOLDER"


def is_file_url(url: str) -> bool:
    """Whether it is a URL of files, readable or not."""
    scheme, mark, _ = url.partition("://")
    return bool(mark) and scheme.lower() == _SCHEME


def folder_path(url: str, *, table_options: tuple[str, ...]) -> str:
    """The absolute path of `file:///folder`, decoded.

    Args:
        url: What a named result keeps.
        table_options: Options that belong to a table, to say so where one is found here.

    Raises:
        ResultUrlInvalid: a host, a user, no folder, a name that no folder has.
    """
    path, query = _parts(url, _FOLDER_EXAMPLE)
    if query:
        name = query.partition("=")[0]
        hint = f"a schedule says it: --result NAME:TABLE?{name}=…" if name in table_options else ""
        raise ResultUrlInvalid(f'option "{name}" does not belong to a folder', hint=hint or _FOLDER_EXAMPLE)
    names = _names(path.removesuffix("/"))
    if not names:
        raise ResultUrlInvalid("the file URL has no folder", hint=_FOLDER_EXAMPLE)
    return "/" + "/".join(names)


def split_table(url: str) -> tuple[str, str, str]:
    """`file:///folder/table?options` as URL of the folder, table (decoded) and options.

    Raises:
        ResultUrlInvalid: as `folder_path`, or there is no table.
    """
    path, query = _parts(url, _EXAMPLE)
    names = _names(path)
    if len(names) < len(("folder", "table")):
        raise ResultUrlInvalid("the file URL has no folder, or no table", hint=_EXAMPLE)
    *folders, table = names
    return f"{_SCHEME}://" + "".join(f"/{quote(name, safe='')}" for name in folders), table, query


def check_file_table(table: str) -> None:
    """Refuse what cannot be the name of a file.

    Raises:
        ResultUrlInvalid: it has a slash or a character that is not printed.
    """
    if "/" in table or not table.isprintable():
        raise ResultUrlInvalid(
            "the table names files, and has a slash or control characters in it",
            hint="choose another table name",
        )


def check_file_options(mode: Mode, *, schema: str, ssl: bool) -> None:
    """Refuse options that mean something to tables only.

    Raises:
        ResultUrlInvalid: one of them is given.
    """
    if not mode.facts.takes_files:
        raise ResultUrlInvalid(
            f"files are written whole: mode={mode} is for Postgres",
            hint="mode=append has a file for each slice, mode=replace one that is replaced",
        )
    if schema or ssl:
        name = "schema" if schema else "ssl"
        raise ResultUrlInvalid(
            f"result option {name} has no meaning for files", hint="they take format, mode and time"
        )


def _parts(url: str, example: str) -> tuple[str, str]:
    """Path, still encoded, and query."""
    check_characters(url)
    parts = urlsplit(url)
    if parts.netloc not in ("", "localhost"):
        raise ResultUrlInvalid(
            "a file URL has no host, user or password",
            hint=f"{example}, with three slashes",
        )
    if parts.fragment:
        raise ResultUrlInvalid("the file URL has a #", hint="# in a name is %23")
    return parts.path, parts.query


def _names(path: str) -> list[str]:
    names = [decode(name) for name in path.split("/")[1:]]
    for name in names:
        if name in ("", ".", "..") or "/" in name or not name.isprintable():
            raise ResultUrlInvalid(
                "the path of a file URL has an empty name, . or .., or a name that no file has",
                hint="write the path as it is, one slash between names",
            )
    return names
