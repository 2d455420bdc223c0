"""What comes in with events is shown by a terminal, never obeyed."""

import csv
import io
import json

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from logdrain import log
from logdrain.cli.output import print_table, to_json
from logdrain.cli.query_output import FORMATS, write_stream
from logdrain.drain.loggers import may_start_event
from logdrain.ports.streams import ArrowStream

CONTROLS = [
    "\x1b[31mred",
    "\x1b]0;title\x07",
    "\x9b31m",
    "\x7f",
    "\x08\x08",
    "\r",
    "\u202eevil",
    "\u2066x",
    "a\u2028b",
    "\x85",
]


def written(form: str, name: str, value: str) -> str:
    batch = pa.record_batch({name: [value]})
    out = io.StringIO(newline="")
    assert write_stream(ArrowStream(batch.schema, [batch]), form, out) == 1
    return out.getvalue()


@pytest.mark.parametrize("text", CONTROLS)
@pytest.mark.parametrize("form", [form for form in FORMATS if form != "csv"])
def test_neither_values_nor_names_of_columns_reach_a_terminal_raw(form: str, text: str) -> None:
    printed = written(form, f"name{text}", text)
    assert all(line.isprintable() for line in printed.split("\n"))
    if form != "table":
        found = json.loads(printed)
        assert (found[0] if isinstance(found, list) else found) == {f"name{text}": text}


@given(
    st.recursive(
        st.text(), lambda inner: st.dictionaries(st.text(), inner, max_size=3) | st.lists(inner, max_size=3)
    )
)
def test_json_is_printable_and_the_same_value(value: object) -> None:
    printed = to_json(value)
    assert printed.isprintable()
    assert json.loads(printed) == value


@given(st.text(), st.text())
def test_a_table_has_one_line_a_row(heading: str, cell: str) -> None:
    out = io.StringIO()
    print_table([heading], [[cell]], out)
    lines = out.getvalue().split("\n")
    assert len(lines) == 4
    assert all(line.isprintable() for line in lines)


@pytest.mark.parametrize(
    "cell", ["=cmd|' /C calc'!A0", "+1+1", "-1", "@SUM(A1)", "\t=1", 'a"b,c\nd', "\x1b[31m"]
)
def test_csv_is_the_data_and_nothing_is_put_before_it(cell: str) -> None:
    assert list(csv.reader(io.StringIO(written("csv", "n", cell), newline=""))) == [["n"], [cell]]


hostile = st.one_of(
    st.text(),
    st.sampled_from(
        [
            '@[a.b] {"n":1}',
            '\n@[a.b] {"n":1}\n',
            '"\n@[a.b] {"n":1}',
            "\x9b31m",
            "\\",
            "\u2028@[a.b] {}",
            "x\r@[a.b] {}",
        ]
    ),
)


@given(st.lists(hostile, max_size=3).map("".join), hostile)
def test_no_line_of_the_log_is_an_event_or_moves_a_cursor(first: str, second: str) -> None:
    line = log.format_pairs(
        {"time": "now", "level": "info", "event": "delivery", "drain": first, "id": second}
    )
    octets = line.encode("utf-8", "surrogatepass")
    assert line.isprintable()
    assert not any(may_start_event(part) for part in octets.splitlines())


@pytest.mark.parametrize("text", CONTROLS)
def test_printable_text_keeps_its_newlines_only(text: str) -> None:
    assert log.printable(f"one\n{text}").startswith("one\n")
    assert all(part.isprintable() for part in log.printable(f"one\n{text}").split("\n"))
    assert log.printable("日本 → ok") == "日本 → ok"


@pytest.mark.parametrize("form", FORMATS)
def test_maps_are_objects(form: str) -> None:
    maps = pa.array([[("b", 3), ("a", 1)], None, []], pa.map_(pa.string(), pa.int64()))
    batch = pa.record_batch({"m": maps})
    out = io.StringIO(newline="")
    write_stream(ArrowStream(batch.schema, [batch]), form, out)
    assert ('{""b"":3,""a"":1}' if form == "csv" else '{"b":3,"a":1}') in out.getvalue()
    if form == "json":
        assert json.loads(out.getvalue()) == [{"m": {"b": 3, "a": 1}}, {"m": None}, {"m": {}}]
