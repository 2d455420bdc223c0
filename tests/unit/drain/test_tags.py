import pytest
from hypothesis import given
from hypothesis import strategies as st

from logdrain.drain.tags import NAMESPACE_BYTES_MAX, Rejection, TaggedLine, bare, read_tagged, table_of
from logdrain.model.events import DropReason, Table


@pytest.mark.parametrize(
    ("line", "tagged"),
    [
        (b'@[plugin.spec] {"sushi":"tempura"}', TaggedLine("plugin.spec", b'{"sushi":"tempura"}')),
        (b'  @[a.b] {"x":1} \t', TaggedLine("a.b", b'{"x":1}')),
        (b'@[a.b]{"x":"] y"}', TaggedLine("a.b", b'{"x":"] y"}')),
        (b'@[a.b]\t{"x":1}', TaggedLine("a.b", b'{"x":1}')),
        (b'@[a.b] \xef\xbb\xbf{"x":1}', TaggedLine("a.b", b'{"x":1}')),
        (b'\xef\xbb\xbf @[a.b] {"x":1}', TaggedLine("a.b", b'{"x":1}')),
        (b'\x1b[1;32m@[a.b]\x1b[0m {"x":1}', TaggedLine("a.b", b'{"x":1}')),
        (b'@[\x1b[38;2;1;2;3ma.b\x1b[m] \x1b[33m{"x":"}"}\x1b[0m', TaggedLine("a.b", b'{"x":"}"}')),
        (b"\xef\xbb\xbf\x1b[32m\xef\xbb\xbf@[a.b]{}\x1b[0m\x1b[K", TaggedLine("a.b", b"{}")),
        (b"@[a]] {}", TaggedLine("a]", b"{}")),
        (b"@[] {}", TaggedLine("", b"{}")),
        (b'2012-03-01 app[web.1]: @[a.b] {"x":1}', None),
        (b"@[a b] {}", None),
        (b"URRRRYYYYYYY!", None),
        (b"", None),
    ],
)
def test_the_grammar_of_stdout_hook(line: bytes, tagged: TaggedLine | None) -> None:
    assert read_tagged(bare(line)) == tagged


@pytest.mark.parametrize(
    ("tag", "table"),
    [
        ("production.pay", Table("production", "pay")),
        ("Production.Pay-Now", Table("production", "pay_now")),
        ("a.b.c", Table("a", "b_c")),
        ("$cmd.x", Table("_cmd", "x")),
        ("admin.system.users", Table("admin", "system_users")),
        ("_quarantine.x", Table("_quarantine", "x")),
        ("日本.é", Table("__", "_")),
    ],
)
def test_names_are_normalised(tag: str, table: Table) -> None:
    assert table_of(tag) == table


@pytest.mark.parametrize(
    ("tag", "reason"),
    [
        ("production", DropReason.BAD_TAG),
        ("", DropReason.BAD_TAG),
        (".pay", DropReason.BAD_TAG),
        ("production.", DropReason.BAD_TAG),
        ("system.users", DropReason.RESERVED_NAME),
        ("a." + "b" * NAMESPACE_BYTES_MAX, DropReason.NAME_TOO_LONG),
    ],
)
def test_tags_that_name_no_table(tag: str, reason: DropReason) -> None:
    found = table_of(tag)
    assert isinstance(found, Rejection)
    assert found.reason is reason


@given(st.text())
def test_any_tag_is_a_safe_name_or_a_reason(tag: str) -> None:
    found = table_of(tag)
    if isinstance(found, Table):
        assert set(found.name) <= set("abcdefghijklmnopqrstuvwxyz0123456789_.")
        assert found.name.count(".") == 1
