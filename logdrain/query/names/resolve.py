"""Every name in the query gets its meaning: tables become scans, columns become columns of their source.

Afterwards each column is `source.column`, `*` is written out, USING is written as ON, and each projection
has its output name.
"""

from collections.abc import Mapping

from sqlglot import exp

from logdrain.errors import SqlError, SqlSyntaxError, UnsupportedSql
from logdrain.query.names.column_names import (
    Outputs,
    column_parts,
    find_column,
    unseen_column,
)
from logdrain.query.names.information_schema import SCHEMA, information_rows
from logdrain.query.names.projections import separate_names, star_columns, with_name
from logdrain.query.names.result_tables import result_source
from logdrain.query.names.sources import EventSource, NameScope, QuerySource, Source, read_as_list
from logdrain.query.names.table_names import find_table, node_name
from logdrain.query.sql.context import PlanContext, quoted, unused_name

Ctes = Mapping[str, list[str]]
"""Names of WITH in sight, in lower case -> their columns."""

_NO_OUTPUTS: Outputs = {}


def resolve_names(context: PlanContext) -> None:
    """Resolve the whole statement.

    Raises:
        UnknownTable, SqlError, SqlTypeError, UnsupportedSql: with line and column.
    """
    resolver = _Resolver(context)
    resolver.query(context.statement, None, {})
    separate_names(context)


class _Resolver:
    def __init__(self, context: PlanContext) -> None:
        self._context = context
        self._cte_names = {cte.alias.lower() for cte in context.statement.find_all(exp.CTE)}
        self._unnamed_sources = 0

    # --- queries ---

    def query(self, node: exp.Expr, parent: NameScope | None, ctes: Ctes) -> list[str]:
        """Resolve a query; returns the names of its columns."""
        ctes = self._with(node, parent, ctes)
        if isinstance(node, exp.Select):
            return self._select(node, parent, ctes)
        if isinstance(node, exp.SetOperation):
            names = self.query(node.this, parent, ctes)
            others = self.query(node.expression, parent, ctes)
            if len(names) != len(others):
                raise SqlError(
                    f"a {node.key.upper()} of {len(names)} and {len(others)} columns",
                    place=self._context.place(node.expression),
                    hint="both sides have the same number of columns",
                )
        elif isinstance(node, exp.Subquery):
            names = self.query(node.this, parent, ctes)
        else:
            raise UnsupportedSql("this is not a query", place=self._context.place(node))
        outputs = {name.lower(): exp.column(quoted(name)) for name in names}
        for part in ("order", "limit", "offset"):
            self._names_in(node.args.get(part), NameScope(parent), ctes, outputs, outputs_first=True)
        return names

    def _with(self, node: exp.Expr, parent: NameScope | None, ctes: Ctes) -> Ctes:
        clause = node.args.get("with_")
        if clause is None:
            return ctes
        known = dict(ctes)
        for cte in clause.expressions:
            columns = [column.name for column in cte.args["alias"].columns]
            inner = {**known, cte.alias.lower(): columns} if clause.recursive else known
            names = self.query(cte.this, parent, inner)
            known[cte.alias.lower()] = self._renamed(cte, names)
        return known

    def _select(self, node: exp.Select, parent: NameScope | None, ctes: Ctes) -> list[str]:
        scope = NameScope(parent)
        from_clause = node.args.get("from_")
        if from_clause is not None:
            self._source(from_clause.this, scope, ctes)
        for join in node.args.get("joins") or []:
            self._join(join, scope, ctes)
        for lateral in node.args.get("laterals") or []:
            self._source(lateral, scope, ctes)
        outputs = self._projections(node, scope, ctes)
        for part in ("where", "distinct", "limit", "offset"):
            self._names_in(node.args.get(part), scope, ctes, _NO_OUTPUTS)
        for part in ("group", "having", "qualify"):
            self._names_in(node.args.get(part), scope, ctes, outputs)
        for window in node.args.get("windows") or []:
            self._names_in(window, scope, ctes, _NO_OUTPUTS)
        self._names_in(node.args.get("order"), scope, ctes, outputs, outputs_first=True)
        return [projection.alias for projection in node.expressions]

    def _projections(self, node: exp.Select, scope: NameScope, ctes: Ctes) -> Outputs:
        named: list[exp.Alias] = []
        written: list[exp.Alias] = []
        for projection in node.expressions:
            columns = star_columns(self._context, projection, scope)
            if columns is None:
                columns = [with_name(self._context, projection, len(named))]
                written += columns
            named += columns
        node.set("expressions", named)
        for alias in written:
            self._names_in(alias.this, scope, ctes, _NO_OUTPUTS)
        return {projection.alias.lower(): projection.this for projection in named}

    # --- sources ---

    def _source(self, node: exp.Expr, scope: NameScope, ctes: Ctes) -> None:
        if isinstance(node, exp.Subquery) and isinstance(node.this, exp.Table):
            if node.alias:
                raise UnsupportedSql(
                    "an alias for joined tables in parentheses", place=self._context.place(node)
                )
            self._source(node.this, scope, ctes)
        else:
            source = self._one_source(node, scope, ctes)
            source.called = source.alias
            source.alias = unused_name(source.alias, {other.alias.lower() for other in scope.sources})
            if source.alias != source.called:
                alias = node.args.get("alias") or exp.TableAlias()
                alias.set("this", quoted(source.alias))
                node.set("alias", alias)
            scope.sources.append(source)
        for join in node.args.get("joins") or []:
            self._join(join, scope, ctes)

    def _one_source(self, node: exp.Expr, scope: NameScope, ctes: Ctes) -> Source:
        if isinstance(node, exp.Table) and isinstance(node.this, exp.Identifier):
            if node.db.lower() == SCHEMA:
                return self._one_source(self._replaced(node), scope, ctes)
            return self._table(node, ctes)
        if isinstance(node, exp.Subquery):
            names = self.query(node, scope.parent, ctes)
            return QuerySource(self._alias(node), self._renamed(node, names))
        if isinstance(node, exp.Lateral) and isinstance(node.this, exp.Subquery):
            names = self.query(node.this, scope, ctes)
            return QuerySource(self._alias(node), self._renamed(node, names))
        is_series = isinstance(node, exp.Table) and isinstance(node.this, exp.GenerateSeries)
        if not is_series and not isinstance(node, (exp.Unnest, exp.Lateral, exp.Values)):
            what = self._context.readable(node)
            raise UnsupportedSql(
                f"{what} cannot be read",
                place=self._context.place(node),
                hint="a query reads event tables only",
            )
        for child in node.iter_expressions():
            if not isinstance(child, exp.TableAlias):
                self._names_in(child, scope, ctes, _NO_OUTPUTS)
        self._read_as_lists(node, scope)
        return self._made_rows(node)

    def _replaced(self, node: exp.Table) -> exp.Subquery:
        rows = information_rows(self._context, node)
        rows.set("joins", node.args.get("joins"))
        node.replace(rows)
        return rows

    def _read_as_lists(self, node: exp.Expr, scope: NameScope) -> None:
        """What becomes rows is a list: see `read_as_list`."""
        calls = node.find_all(exp.Explode, exp.ExplodeOuter)
        lists = node.expressions if isinstance(node, exp.Unnest) else [call.this for call in calls]
        columns = {(each.table, each.name) for each in lists if isinstance(each, exp.Column)}
        for source in (source for level in scope.chain() for source in level.event_sources()):
            for _, name in (column for column in columns if column[0] == source.alias):
                read_as_list(source.scan, name, self._context.catalogs(source.scan.catalog.table))

    def _table(self, node: exp.Table, ctes: Ctes) -> Source:
        name = node.name.lower()
        if not node.db and name in ctes:
            return QuerySource(node.alias or node.name, self._renamed(node, ctes[name]))
        if node.alias_column_names:
            raise UnsupportedSql(
                f"column names for the table {node_name(node)}",
                place=self._context.place(node),
                hint="name columns in the SELECT list",
            )
        taken = self._cte_names | set(self._context.scans) | set(self._context.result_scans)
        scan_name = next(name for number in range(len(taken) + 1) if (name := f"scan_{number}") not in taken)
        source: Source | None = result_source(self._context, node, node.alias, scan_name)
        if source is None:
            scan = self._context.add_scan(scan_name, find_table(self._context, node))
            source = EventSource(node.alias or node.name, scan)
        node.set("this", quoted(scan_name, node.this))
        node.set("db", None)
        node.set("catalog", None)
        node.set("alias", exp.TableAlias(this=quoted(source.alias)))
        return source

    def _made_rows(self, node: exp.Expr) -> QuerySource:
        """UNNEST, LATERAL VIEW, VALUES, sequences: rows that are not read from a table."""
        alias = self._alias(node)
        table_alias = node.args["alias"]
        names = [column.name for column in table_alias.columns]
        if isinstance(node, exp.Unnest):
            if len(node.expressions) > 1:
                raise UnsupportedSql(
                    "UNNEST of several lists",
                    place=self._context.place(node),
                    hint="one UNNEST for each list",
                )
            names += [offset.name] if isinstance(offset := node.args.get("offset"), exp.Identifier) else []
        if not names:
            width = len(node.expressions[0].expressions) if isinstance(node, exp.Values) else 0
            # `UNNEST(tags) AS tag` is used as a column just as often as a table name.
            names = [f"_col{index}" for index in range(width)] or [alias]
            table_alias.set("columns", [quoted(name) for name in names])
        return QuerySource(alias, names)

    def _alias(self, node: exp.Expr) -> str:
        table_alias = node.args.get("alias")
        if table_alias is None:
            table_alias = exp.TableAlias()
            node.set("alias", table_alias)
        if table_alias.this is None:
            self._unnamed_sources += 1
            table_alias.set("this", quoted(f"_source_{self._unnamed_sources}"))
        return str(table_alias.name)

    def _renamed(self, node: exp.Expr, names: list[str]) -> list[str]:
        columns = [column.name for column in node.args["alias"].columns] if node.args.get("alias") else []
        if columns and len(columns) != len(names):
            raise SqlError(
                f"{len(columns)} names for {len(names)} columns",
                place=self._context.place(node.args["alias"]),
            )
        return columns or names

    # --- joins ---

    def _join(self, join: exp.Join, scope: NameScope, ctes: Ctes) -> None:
        if join.method:
            raise UnsupportedSql(
                f"{join.method} JOIN",
                place=self._context.place(join),
                hint="write the condition: JOIN … ON …",
            )
        before = len(scope.sources)
        self._source(join.this, scope, ctes)
        using = join.args.get("using")
        if using:
            left = NameScope(scope.parent, scope.sources[:before], scope.merged)
            right = NameScope(scope.parent, scope.sources[before:])
            pairs = [self._using(name, join.side, left, right) for name in using]
            join.set("on", exp.and_(*pairs))
            join.set("using", None)
            scope.merged = left.merged
        else:
            self._names_in(join.args.get("on"), scope, ctes, _NO_OUTPUTS)
        if join.kind in ("SEMI", "ANTI"):
            scope.hidden += scope.sources[before:]
            del scope.sources[before:]

    def _using(self, name: exp.Expr, side: str, left: NameScope, right: NameScope) -> exp.Expr:
        identifier = name if isinstance(name, exp.Identifier) else name.this
        if not isinstance(identifier, exp.Identifier):
            raise SqlSyntaxError("USING takes names of columns", place=self._context.place(name))
        ours, theirs = self._meaning([identifier], left), self._meaning([identifier], right)
        merged = {"RIGHT": theirs, "FULL": exp.func("COALESCE", ours.copy(), theirs.copy())}
        left.merged = {**left.merged, identifier.name.lower(): merged.get(side, ours)}
        return exp.EQ(this=ours.copy(), expression=theirs.copy())

    # --- names ---

    def _names_in(
        self,
        root: exp.Expr | None,
        scope: NameScope,
        ctes: Ctes,
        outputs: Outputs,
        *,
        outputs_first: bool = False,
    ) -> None:
        """Replace every column below a node by what it means; queries inside see this scope around them."""
        waiting = [root] if root is not None else []
        while waiting:
            node = waiting.pop()
            parts = column_parts(node)
            if isinstance(node, exp.Query):
                self.query(node, scope, ctes)
            elif parts is None:
                waiting.extend(node.iter_expressions(reverse=True))
            elif not (outputs_first and self._is_output(parts, outputs)):
                node.replace(self._meaning(parts, scope, outputs))

    def _meaning(
        self, parts: list[exp.Identifier], scope: NameScope, outputs: Outputs = _NO_OUTPUTS
    ) -> exp.Expr:
        found = find_column(self._context, parts, scope)
        if found is not None:
            self._warn_shadowed(parts, found, outputs)
            return found
        if self._is_output(parts, outputs):
            return exp.column(quoted(parts[0].name, parts[0]))
        return unseen_column(self._context, parts, scope, outputs)

    def _is_output(self, parts: list[exp.Identifier], outputs: Outputs) -> bool:
        return len(parts) == 1 and parts[0].name.lower() in outputs

    def _warn_shadowed(self, parts: list[exp.Identifier], found: exp.Expr, outputs: Outputs) -> None:
        if self._is_output(parts, outputs) and outputs[parts[0].name.lower()] != found:
            name = parts[0].name
            self._context.warn(f"{name} means the column of the table here, not the alias {name}", parts[0])
