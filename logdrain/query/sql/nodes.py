"""Parts of an understood query that sqlglot has no node for; every engine lowers each."""

from typing import ClassVar

from sqlglot import exp


class JsonFieldText(exp.Expression, exp.Func):
    """A field of a JSON text by its path, as text; objects and lists are JSON text. NULL where there is none.

    `this` is the text, `expressions` are the steps of the path, as string literals.
    """

    arg_types: ClassVar[dict[str, bool]] = {"this": True, "expressions": True}
    is_var_len_args = True


class SessionId(exp.Expression, exp.Func):
    """The id of a session, a UUID as text: `expressions` are whose it is, then where it begins.

    Ids are kept in results, so every engine and every version makes the same: it is the MD5 of the values as
    DuckDB writes them in a STRUCT.
    """

    arg_types: ClassVar[dict[str, bool]] = {"expressions": True}
    is_var_len_args = True
