import pytest
from hypothesis import given
from hypothesis import strategies as st

from logdrain.query.values.td_text import digest, find_charset, url_decoded, url_encoded, within_octets

CHARSETS = ["utf-8", "shift_jis", "euc_kr", "utf-16-le", "iso2022_jp", "latin-1"]
TEXTS = st.text(st.characters(exclude_categories=["Cs"]))


@pytest.mark.parametrize(
    ("text", "encoded"),
    [("a b", "a+b"), ("é", "%C3%A9"), ("-_.*~/+", "-_.*%7E%2F%2B"), ("", "")],
)
def test_urls_as_java_writes_them(text: str, encoded: str) -> None:
    assert url_encoded(text, "utf-8") == encoded
    assert url_decoded(encoded, "utf-8") == text


@given(TEXTS)
def test_decoding_inverts_encoding(text: str) -> None:
    assert url_decoded(url_encoded(text, "utf-8"), "utf-8") == text


def test_korean() -> None:
    charset = find_charset("ko")
    assert charset is not None
    assert url_decoded("%B0%A1", charset) == "가"


def test_a_broken_escape_is_no_text() -> None:
    assert url_decoded("100%", "utf-8") is None
    assert url_decoded("%FF", "utf-8") == "\ufffd"


@pytest.mark.parametrize("name", ["nosuch", "hex", "rot13", "zip", "idna", "a\0b", ""])
def test_what_is_no_character_set(name: str) -> None:
    assert find_charset(name) is None


@pytest.mark.parametrize("name", ["UTF-8", "utf8", "Shift_JIS", "EUC-JP", "ISO-8859-1", "windows-1252"])
def test_character_sets_by_java_s_names(name: str) -> None:
    assert find_charset(name) is not None


@pytest.mark.parametrize(
    ("octets", "kept"), [(-1, ""), (0, ""), (2, ""), (3, "あ"), (5, "あ"), (6, "あい"), (99, "あい")]
)
def test_no_character_is_cut(octets: int, kept: str) -> None:
    assert within_octets("あい", octets, "utf-8") == kept


@given(TEXTS, st.integers(0, 50), st.sampled_from(CHARSETS))
def test_the_longest_beginning_that_fits(text: str, octets: int, charset: str) -> None:
    kept = within_octets(text, octets, charset)
    assert text.startswith(kept)
    assert len(kept.encode(charset, "replace")) <= octets
    longer = text[: len(kept) + 1]
    assert longer == kept or len(longer.encode(charset, "replace")) > octets


def test_digests_are_short_and_the_same_each_time() -> None:
    assert digest("logdrain", 1.0) == digest("logdrain", 1.0)
    assert [len(digest("logdrain", weight)) for weight in (0, 0.8, 1, 7)] == [6, 8, 10, 10]
