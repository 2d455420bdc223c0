"""A question, put together word by word; each word makes a new one. What runs it is passed in.

ld.query("shop.pay").sum("price", as_="revenue").where("price", "gte", 10).group_by("category").last("7d")
"""

import importlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field, replace
from html import escape
from typing import Any, Self

from logdrain.clients.canonical_json import canonical_json

Field = str | Sequence[str]
"""A path with dots, or the names one by one where they hold dots themselves."""

Ask = Callable[[str, Mapping[str, Any]], Any]
"""(path, body) -> the answer's JSON; raises a LogdrainError."""

_ROWS_SHOWN = 50


@dataclass(frozen=True, slots=True)
class QuestionAnswer:
    """What came back.

    Attributes:
        rows: The results, a dict each.
        meta: What was read, how complete it is, warnings.
        query: The question as it was understood, dates absolute.
    """

    rows: Any
    meta: dict[str, Any]
    query: dict[str, Any]

    def to_pandas(self) -> Any:
        """A `pandas.DataFrame` of the rows."""
        return importlib.import_module("pandas").DataFrame.from_records(self.rows)

    def to_polars(self) -> Any:
        """A `polars.DataFrame` of the rows."""
        return importlib.import_module("polars").DataFrame(self.rows, infer_schema_length=None)

    def to_arrow(self) -> Any:
        """A `pyarrow.Table` of the rows."""
        return importlib.import_module("pyarrow").Table.from_pylist(self.rows)

    def _repr_html_(self) -> str:
        """A table, in a notebook."""
        rows = self.rows[:_ROWS_SHOWN] if isinstance(self.rows, list) else [self.rows]
        names = list(dict.fromkeys(name for row in rows for name in row))
        head = "".join(f"<th>{escape(name)}</th>" for name in names)
        body = "".join(
            "<tr>" + "".join(f"<td>{escape(str(row.get(name, '')))}</td>" for name in names) + "</tr>"
            for row in rows
        )
        return f"<table><tr>{head}</tr>{body}</table>"


@dataclass(frozen=True, slots=True)
class Question:
    """A question of `/v1/query` or of an analysis.

    Attributes:
        path: The route.
    """

    path: str
    _body: Mapping[str, Any] = field(repr=False)
    _ask: Ask = field(repr=False, compare=False)

    def metric(self, op: str, field: Field | None = None, *, as_: str | None = None, **options: Any) -> Self:
        """Add a metric by its name."""
        if field is None and as_ is None and not options:
            return self._add("metrics", op)
        named = {"op": op, "field": _path(field), "as": as_, **options}
        return self._add("metrics", {name: value for name, value in named.items() if value is not None})

    def count(self, *, as_: str | None = None) -> Self:
        """Count events."""
        return self.metric("count", as_=as_)

    def sum(self, field: Field, *, as_: str | None = None) -> Self:
        """Sum a field."""
        return self.metric("sum", field, as_=as_)

    def avg(self, field: Field, *, as_: str | None = None) -> Self:
        """The mean of a field."""
        return self.metric("avg", field, as_=as_)

    def min(self, field: Field, *, as_: str | None = None) -> Self:
        """The least value of a field."""
        return self.metric("min", field, as_=as_)

    def max(self, field: Field, *, as_: str | None = None) -> Self:
        """The greatest value of a field."""
        return self.metric("max", field, as_=as_)

    def median(self, field: Field, *, as_: str | None = None) -> Self:
        """The median of a field."""
        return self.metric("median", field, as_=as_)

    def percentile(self, share: float, field: Field, *, as_: str | None = None) -> Self:
        """A percentile of a field: 95, 99.9."""
        return self.metric(f"p{share:g}", field, as_=as_)

    def unique(self, field: Field = "person", *, as_: str | None = None) -> Self:
        """Count the distinct values of a field, or persons."""
        return self.metric("unique", field, as_=as_)

    def values(self, field: Field, *, as_: str | None = None) -> Self:
        """The distinct values of a field."""
        return self.metric("values", field, as_=as_)

    def where(self, field: Field, op: str, value: Any = None) -> Self:
        """Keep events for which it holds; several hold together."""
        named = {"field": _path(field), "op": op}
        return self.filter(named if value is None and op == "exists" else {**named, "value": value})

    def filter(self, *filters: Mapping[str, Any]) -> Self:
        """Filters as objects, also `{"or": […]}`, `{"and": […]}`, `{"not": …}`."""
        return self._add("filters", *filters)

    def having(self, metric: str, op: str, value: Any) -> Self:
        """Keep groups whose metric is so."""
        return self._add("having", {"field": metric, "op": op, "value": value})

    def group_by(self, *fields: Field | Mapping[str, Any]) -> Self:
        """Group by fields; `{"field": "tags", "only": […]}` keeps some groups of a list."""
        paths = [field if isinstance(field, str | Mapping) else list(field) for field in fields]
        return self._add("group_by", *paths)

    def interval(self, interval: str) -> Self:
        """A row for each minute, hour, day, week, month, quarter or year."""
        return self.options(interval=interval)

    def last(self, span: str) -> Self:
        """The range: `24h`, `7d`, `day`, `previous_month`."""
        return self.options(date_range=span)

    def between(self, start: str, end: str) -> Self:
        """The range from `start` to before `end`, in ISO 8601."""
        return self.options(date_range=[start, end])

    def timezone(self, name: str) -> Self:
        """Days and weeks of an IANA time zone."""
        return self.options(timezone=name)

    def order_by(self, *names: str) -> Self:
        """The order of rows; `-revenue` descends."""
        pairs = [[name.removeprefix("-"), "desc" if name.startswith("-") else "asc"] for name in names]
        return self._add("order_by", *pairs)

    def limit(self, rows: int, offset: int | None = None) -> Self:
        """At most so many rows, behind so many others."""
        return self.options(limit=rows) if offset is None else self.options(limit=rows, offset=offset)

    def include(self, **parts: Any) -> Self:
        """More of the answer: `fill=True`, `total=True`, `compare="previous_period"`."""
        return self.options(include={**self._body.get("include", {}), **parts})

    def options(self, **options: Any) -> Self:
        """Anything else of the body, by its name."""
        return replace(self, _body={**self._body, **deepcopy(options)})

    def to_dict(self) -> dict[str, Any]:
        """The body, as `run` sends it."""
        body = deepcopy(dict(self._body))
        if self.path == "/v1/query":
            body.setdefault("metrics", ["count"])
        return body

    def to_json(self) -> str:
        """The body as canonical JSON (RFC 8785): the same text from Python and from JavaScript."""
        return canonical_json(self.to_dict())

    def run(self) -> QuestionAnswer:
        """Ask.

        Raises:
            LogdrainError: the server refuses the question, or cannot be reached.
        """
        answer = self._ask(self.path, self.to_dict())
        rows = answer.get("results", answer)
        return QuestionAnswer(rows, answer.get("meta", {}), answer.get("query", {}))

    def pages(self, rows: int = 1000) -> Iterator[QuestionAnswer]:
        """Answers of at most so many rows each, until there are no more."""
        offset = int(self._body.get("offset", 0))
        while True:
            answer = self.limit(rows, offset).run()
            yield answer
            if len(answer.rows) < rows:
                return
            offset += rows

    def _add(self, name: str, *values: Any) -> Self:
        return self.options(**{name: [*self._body.get(name, []), *values]})


def _path(field: Field | None) -> Any:
    return field if field is None or isinstance(field, str) else list(field)


def question_on(tables: Sequence[str], ask: Ask) -> Question:
    """A question of `/v1/query`."""
    return Question("/v1/query", {"from": tables[0] if len(tables) == 1 else list(tables)}, ask)


def analysis(name: str, body: Mapping[str, Any], ask: Ask) -> Question:
    """An analysis, such as `funnel`."""
    return Question(f"/v1/{name}", deepcopy(dict(body)), ask)
