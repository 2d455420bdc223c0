import pytest

from logdrain.drain.lines import Line
from logdrain.drain.reading import to_event
from logdrain.model.events import NearMiss, NearMissReason, Origin

ORIGIN = Origin("shop", "app", "web.1", "")


def outcome(text: bytes) -> object:
    return to_event(Line(ORIGIN, "one", 0, 0, text, broken=False))


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b'sent @[production.pay] {"x":1}', NearMissReason.TEXT_BEFORE),
        (b'12:00 @[production.pay] {"x":1}', NearMissReason.TEXT_BEFORE),
        (b'INFO:root:sent @[production.pay] {"x":1}', NearMissReason.TEXT_BEFORE),
        (b'2026-07-01T12:00:00.123456+00:00 app[web.1]: @[a.b] {"x":1}', NearMissReason.TEXT_BEFORE),
        (b'sent @[nodot]{"x":1}', NearMissReason.TEXT_BEFORE),
        (b'@production.pay {"x":1}', NearMissReason.BAD_FORM),
        (b'@(production.pay) {"x":1}', NearMissReason.BAD_FORM),
        (b'@[production pay] {"x":1}', NearMissReason.BAD_FORM),
        (b'@ [production.pay] {"x":1}', NearMissReason.BAD_FORM),
        (b'got @production.pay: {"x":1}', NearMissReason.BAD_FORM),
        (b"@[production.pay] price=1", NearMissReason.NO_RECORD),
        (b"@[production.pay]", NearMissReason.NO_RECORD),
        (b"INFO:root:@[production.pay] paid", NearMissReason.NO_RECORD),
        (b'{"msg":"@[production.pay] paid"}', NearMissReason.NO_RECORD),
        (b"INFO:root:@[production.pay] {oops", NearMissReason.NOT_WHOLE),
        (b'INFO:root:@[production.pay] {"x":1} done', NearMissReason.NOT_WHOLE),
        (b'INFO:root:@[nodot] {"x":1}', NearMissReason.NOT_WHOLE),
        (b'{"msg":"@[production.pay] {oops"}', NearMissReason.NOT_WHOLE),
        (b'{"msg":"sent @[production.pay] {\\"x\\":1}"}', NearMissReason.JSON_FIELD),
        (b'{"text":"@[production.pay] {\\"x\\":1}"}', NearMissReason.JSON_FIELD),
    ],
)
def test_near_misses(line: bytes, reason: NearMissReason) -> None:
    found = outcome(line)
    assert isinstance(found, NearMiss)
    assert (found.reason, found.raw) == (reason, line)
    assert found.detail


@pytest.mark.parametrize(
    "line",
    [
        b"GET /items/7 200",
        b'mail to bob@example.com {"id":1}',
        b'{"email":"bob@example.com","id":{"x":1}}',
        b"@[friend] hello",
        b"hello @[friend.of.mine], how are you",
        b"@babel/core {",
        b"@media screen {",
        b"java.lang.Object@1a2b3c {",
        b"@",
        b"{",
        b"",
    ],
)
def test_ordinary_lines(line: bytes) -> None:
    assert outcome(line) is None


def test_the_detail_shows_what_stands_before() -> None:
    found = outcome(b'sent \xff @[a.b] {"x":1}')
    assert isinstance(found, NearMiss)
    assert "'sent \N{REPLACEMENT CHARACTER}'" in found.detail


def test_a_long_line_is_kept_in_part() -> None:
    found = outcome(b"x" * 20_000 + b'@[a.b] {"x":1}')
    assert isinstance(found, NearMiss)
    assert found.raw == b"x" * 10_000
