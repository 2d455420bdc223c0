"""Functions of Trino and Hive become what DuckDB runs, by the tables of functions_of_trino and _hive."""

from sqlglot import exp

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
_MEASURED = (exp.Filter, exp.Window)
# Aggregates of templates that sqlglot reads as plain calls.
_PLAIN_AGGREGATES = frozenset({"BOOL_AND", "FAVG", "FSUM", "HISTOGRAM", "LIST", "SKEWNESS"})


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
        if lowered is node:
            continue
        give_place(node, lowered)
        around = _measured(node)
        if around is node or not isinstance(lowered, exp.Paren):
            node.replace(lowered)
        else:
            _measure_aggregates(lowered, node, around)
            around.replace(lowered)


def _measured(call: exp.Expr) -> exp.Expr:
    """A call with its FILTER and OVER."""
    whole = call
    while isinstance(whole.parent, _MEASURED) and whole.arg_key == "this":
        whole = whole.parent
    return whole


def _measure_aggregates(formula: exp.Expr, call: exp.Expr, measured: exp.Expr) -> None:
    """Give each aggregate of a formula the FILTER and OVER of the call that it stands for."""
    aggregates = [part for part in formula.find_all(exp.AggFunc, exp.Anonymous) if _is_aggregate(part)]
    for aggregate in aggregates:
        whole = aggregate.parent if isinstance(aggregate.parent, exp.Filter) else aggregate
        inner: exp.Expr = whole.copy()
        outer = call.parent
        while outer is not None and outer is not measured.parent:
            copied = outer.copy()
            if isinstance(outer, exp.Filter) and isinstance(inner, exp.Filter):
                condition = exp.and_(inner.expression.this, outer.expression.this)
                inner.set("expression", exp.Where(this=condition))
            else:
                copied.set("this", inner)
                inner = copied
            outer = outer.parent
        whole.replace(inner)


def _is_aggregate(part: exp.Expr) -> bool:
    return isinstance(part, exp.AggFunc) or part.name.upper() in _PLAIN_AGGREGATES


_NO_SHAPES = "points, areas and tiles are not there; GREAT_CIRCLE_DISTANCE measures between two places"
_NO_SKETCH = (
    "a sketch would be exact here: write APPROX_PERCENTILE, or APPROX_DISTINCT, over the rows themselves"
)
_NO_LEARNING = "train and predict in a job in Python, over the rows of a query"
_NO_COLOURS = "print the values, and colour them where they are shown"

SUGGESTIONS = {
    **dict.fromkeys(
        (
            *("bing_tile", "bing_tile_at", "bing_tile_coordinates", "bing_tile_polygon", "bing_tile_quadkey"),
            *("bing_tile_zoom_level", "bing_tiles_around", "convex_hull_agg", "from_encoded_polyline"),
            *("from_geojson_geometry", "geometry_from_hadoop_shape", "geometry_to_bing_tiles"),
            *("geometry_union", "geometry_union_agg", "simplify_geometry", "st_area", "st_contains"),
            *("st_distance", "st_geometryfromtext", "st_intersects", "st_point", "st_polygon", "st_within"),
            *("st_x", "st_y", "to_encoded_polyline", "to_geojson_geometry", "to_geometry"),
            "to_spherical_geography",
        ),
        _NO_SHAPES,
    ),
    **dict.fromkeys(
        (
            *("approx_set", "empty_approx_set", "hash_counts", "intersection_cardinality", "jaccard_index"),
            *("make_set_digest", "merge", "merge_set_digest", "qdigest_agg", "quantile_at_value"),
            *("tdigest_agg", "value_at_quantile", "values_at_quantiles"),
        ),
        _NO_SKETCH,
    ),
    **dict.fromkeys(
        (
            *("classify", "evaluate_classifier_predictions", "features", "learn_classifier"),
            *("learn_libsvm_classifier", "learn_libsvm_regressor", "learn_regressor", "regress"),
        ),
        _NO_LEARNING,
    ),
    **dict.fromkeys(("bar", "color", "render", "rgb"), _NO_COLOURS),
    "assert_true": "it would stop the query: count the rows that break the rule, COUNT(IF(rule, NULL, 1))",
    "checksum": "its octets are Trino's own: compare COUNT(*), SUM and MAX instead",
    "combinations": "write a join of UNNEST with itself",
    "conv": "TO_BASE and FROM_HEX are there in Trino",
    "format_number": "write FORMAT('%,d', x)",
    "from_unixtime_nanos": "write FROM_UNIXTIME(x / 1e9)",
    "hash": "its numbers are Hive's own: write MD5",
    "index": "write STRPOS",
    "initcap": "write UPPER(SUBSTR(x, 1, 1)) || LOWER(SUBSTR(x, 2)); Hive has it: -T hive",
    "java_method": "there is no Java here; write the function itself",
    "parse_data_size": "write the number of bytes",
    "parse_duration": "write INTERVAL '90' SECOND",
    "reduce_agg": "write REDUCE(ARRAY_AGG(x), …)",
    "reflect": "there is no Java here; write the function itself",
    "spooky_hash_v2_32": "write XXHASH64",
    "spooky_hash_v2_64": "write XXHASH64",
    "to_date": "write DATE_PARSE",
    "word_stem": "it needs a dictionary of the language: stem words in the application",
}
"""What to write instead of a function that is not run."""
