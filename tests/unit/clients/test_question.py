"""Questions: immutable, one text for one question, the same in Python and in JavaScript."""

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logdrain import Client
from logdrain.clients.canonical_json import canonical_json
from logdrain.clients.question import Question, QuestionAnswer, question_on

GOLDEN = Path(__file__).parents[2] / "golden"
CASES = json.loads((GOLDEN / "canonical_json.json").read_text())
QUESTIONS = json.loads((GOLDEN / "questions.json").read_text())


@pytest.mark.parametrize(("value", "expected"), CASES, ids=range(len(CASES)))
def test_the_cases_that_both_languages_share(value: Any, expected: str) -> None:
    assert canonical_json(value) == expected


@pytest.mark.parametrize("case", QUESTIONS, ids=range(len(QUESTIONS)))
def test_the_questions_that_both_languages_share(case: dict[str, Any]) -> None:
    (_, *tables), *words = case["words"]
    question = question_on(tables, no_server)
    for word, *values in words:
        question = getattr(question, word)(*values)
    assert question.to_json() == canonical_json(case["body"])


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_double_is_the_same_double_when_it_is_read(number: float) -> None:
    assert float(canonical_json(number)) == number


@pytest.mark.parametrize(
    "value", [math.nan, math.inf, object(), b"a"], ids=["nan", "infinite", "object", "bytes"]
)
def test_what_json_lacks_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match="canonical"):
        canonical_json(value)


def test_the_words_make_the_documented_body() -> None:
    question = (
        question_on(["shop.pay"], no_server)
        .sum("price", as_="revenue")
        .unique("uid")
        .percentile(99.9, ["a.b", "c"])
        .where("price", "gte", 10)
        .filter({"or": [{"field": "plan", "op": "exists"}]})
        .group_by("item_category", {"field": "tags", "only": ["a"]}, ["a.b", "c"])
        .having("revenue", "gt", 100)
        .interval("hour")
        .last("7d")
        .timezone("UTC")
        .order_by("-revenue", "time")
        .limit(10)
        .include(fill=True)
        .include(total=True)
    )
    assert question.to_dict() == {
        "from": "shop.pay",
        "metrics": [
            {"op": "sum", "field": "price", "as": "revenue"},
            {"op": "unique", "field": "uid"},
            {"op": "p99.9", "field": ["a.b", "c"]},
        ],
        "filters": [
            {"field": "price", "op": "gte", "value": 10},
            {"or": [{"field": "plan", "op": "exists"}]},
        ],
        "group_by": ["item_category", {"field": "tags", "only": ["a"]}, ["a.b", "c"]],
        "having": [{"field": "revenue", "op": "gt", "value": 100}],
        "interval": "hour",
        "date_range": "7d",
        "timezone": "UTC",
        "order_by": [["revenue", "desc"], ["time", "asc"]],
        "limit": 10,
        "include": {"fill": True, "total": True},
    }
    assert json.loads(question.to_json()) == question.to_dict()


def test_a_question_is_not_changed_by_the_next_word() -> None:
    first = question_on(["a.b", "a.c"], no_server).count()
    first.sum("x").where("y", "eq", None).to_dict()["metrics"].clear()
    assert first.to_dict() == {"from": ["a.b", "a.c"], "metrics": ["count"]}
    assert question_on(["a.b"], no_server).to_dict() == {"from": "a.b", "metrics": ["count"]}


def test_analyses_have_their_routes() -> None:
    ld = Client(transport=[])
    funnel = ld.funnel("a.view", {"from": "a.pay", "filters": []}, window="1h").group_by("plan").last("7d")
    assert (funnel.path, funnel.to_dict()) == (
        "/v1/funnel",
        {
            "steps": [{"from": "a.view"}, {"from": "a.pay", "filters": []}],
            "window": "1h",
            "group_by": ["plan"],
            "date_range": "7d",
        },
    )
    retention = ld.retention("a.signup", "a.*", period="week")
    assert retention.to_dict()["returning"] == {"from": "a.*"}
    assert ld.analysis("paths", "web.page", start="/a").to_dict() == {"from": "web.page", "start": "/a"}


def test_rows_become_frames_and_pages_go_on_until_the_end() -> None:
    asked = []

    def ask(path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        asked.append((path, body["offset"]))
        rows = [{"n": number} for number in range(5)][body["offset"] : body["offset"] + body["limit"]]
        return {"results": rows, "meta": {"warnings": []}, "query": {}}

    pages = list(Question("/v1/query", {"from": "a.b"}, ask).pages(rows=2))
    assert [len(page.rows) for page in pages] == [2, 2, 1]
    assert asked == [("/v1/query", 0), ("/v1/query", 2), ("/v1/query", 4)]
    answer = pages[0]
    assert answer.to_pandas()["n"].tolist() == answer.to_polars()["n"].to_list() == [0, 1]
    assert answer.to_arrow().to_pylist() == answer.rows


def test_a_notebook_shows_a_table_and_no_markup_of_events() -> None:
    shown = QuestionAnswer([{"n": "<b>"}], {}, {})._repr_html_()
    assert shown == "<table><tr><th>n</th></tr><tr><td>&lt;b&gt;</td></tr></table>"


def no_server(path: str, body: Mapping[str, Any]) -> Any:
    raise AssertionError(path, body)
