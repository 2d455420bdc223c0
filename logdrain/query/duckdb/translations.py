"""Functions of Trino and Hive become what DuckDB runs, by the tables of functions_of_trino and _hive."""

from sqlglot import exp

from logdrain.errors import UnsupportedSql
from logdrain.model.plans import Dialect
from logdrain.query.duckdb.bound_parts import bind_parts
from logdrain.query.duckdb.functions_of_hive import HIVE
from logdrain.query.duckdb.functions_of_trino import TRINO
from logdrain.query.duckdb.templates import give_place, rule_of
from logdrain.query.sql.context import SqlTree

_RULES = {
    dialect: {function: rule_of(lowering) for function, lowering in table.items()}
    for dialect, table in ((Dialect.TRINO, TRINO), (Dialect.HIVE, HIVE))
}


def translate_functions(context: SqlTree) -> None:
    """Put what DuckDB runs in the place of each function that has an entry; their arguments are counted.

    Raises:
        SqlTypeError, UnsupportedSql: DuckDB has nothing for a form of a function.
    """
    bind_parts(context)
    rules = _RULES[context.dialect]
    for node in reversed(list(context.statement.walk())):
        rule = rules.get(node.name.lower() if type(node) is exp.Anonymous else type(node))
        if rule is None:
            continue
        lowered = rule(node, context)
        lowered.type = lowered.type or node.type
        is_measured = isinstance(node.parent, (exp.Filter, exp.Window)) and node.arg_key == "this"
        if is_measured and isinstance(lowered, exp.Paren):
            name = (context.written(node) or node.name).upper()
            raise UnsupportedSql(
                f"{name} with FILTER or OVER", place=context.place(node), hint="use CASE, or a subquery"
            )
        if lowered is not node:
            give_place(node, lowered)
            node.replace(lowered)


SUGGESTIONS = {
    "combinations": "write a join of UNNEST with itself",
    "word_stem": "it needs a dictionary of the language: stem words in the application",
    "approx_set": "write APPROX_DISTINCT",
    "checksum": "its octets are Trino's own: compare COUNT(*), SUM and MAX instead",
    "assert_true": "it would stop the query: count the rows that break the rule, COUNT(IF(rule, NULL, 1))",
    "conv": "TO_BASE and FROM_HEX are there in Trino",
    "hash": "its numbers are Hive's own: write MD5",
    "initcap": "write UPPER(SUBSTR(x, 1, 1)) || LOWER(SUBSTR(x, 2)); Hive has it: -T hive",
    "merge": "write APPROX_DISTINCT over the rows themselves",
    "reduce_agg": "write REDUCE(ARRAY_AGG(x), …)",
    "reflect": "there is no Java here; write the function itself",
    "java_method": "there is no Java here; write the function itself",
    "sha512": "write SHA256",
}
"""What to write instead of a function that is not run."""
