import pytest
from hypothesis import given
from hypothesis import strategies as st

from logdrain import log
from logdrain.drain.loggers import may_start_event


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("postgres://u:p@h:5432/d", "postgres://u:***@h:5432/d"),
        ("a https://shop:KEY@host/logs b", "a https://shop:***@host/logs b"),
        ("mongodb+srv://u:p%40x@h", "mongodb+srv://u:***@h"),
        ("postgres://u:p@ss@h/d", "postgres://u:***@h/d"),
        ("https://host/logs?x=1", "https://host/logs?x=1"),
        ("https://:KEY@host", "https://:***@host"),
        ("12:30 user@host", "12:30 user@host"),
    ],
)
def test_passwords_in_urls_are_masked(text: str, masked: str) -> None:
    assert log.mask(text) == masked


def test_pairs() -> None:
    pairs = {"a": 1, "b": "x y", "c": 'say "hi"\n', "d": None, "e": True, "f": 0.123456789, "g": ""}
    assert log.format_pairs(pairs) == 'a=1 b="x y" c="say \\"hi\\"\\u000a" e=true f=0.123457 g=""'


@given(st.dictionaries(st.sampled_from(["a", "b"]), st.text()))
def test_a_line_is_one_line_and_never_an_event(
    pairs: dict[str, str],
) -> None:
    line = log.format_pairs({"time": "now", **pairs})
    assert len(line.splitlines()) == 1
    assert not may_start_event(line.encode("utf-8", "surrogatepass"))


def test_no_line_is_written_in_silence(capsys: pytest.CaptureFixture[str]) -> None:
    with log.silence():
        log.error("unheard")
    assert capsys.readouterr().err == ""
    log.error("heard")
    assert "event=heard" in capsys.readouterr().err
