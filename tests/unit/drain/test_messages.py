import pytest
from hypothesis import given
from hypothesis import strategies as st

from logdrain.drain.messages import PIECE_SIZE_BYTES, kind_of, losses, read_message
from logdrain.model.events import Frame, LineKind, Message


def message(data: bytes) -> Message:
    found = read_message(Frame(0, data, resync=False, junk=False))
    assert found is not None
    return found


def line(header: str, text: str = "text") -> Message:
    return message(f"<190>1 2012-03-01T00:12:34.567890+00:00 {header} {text}\n".encode())


def test_the_header_as_logplex_writes_it() -> None:
    found = message(b"<190>1 2012-03-01T00:12:34.567890+00:00 host app web.1 -   two  spaces \n")
    assert found == Message(0, 190, 1330560754567, "host", "app", "web.1", b"  two  spaces ", ended=True)


@pytest.mark.parametrize(
    ("time", "expected"),
    [
        (b"2012-11-30T06:45:29+00:00", 1354257929000),
        (b"2022-01-26T20:25:08.61556+00:00", 1643228708615),
        (b"2022-01-26T20:25:08.1+00:00", 1643228708100),
        (b"2013-04-17T19:04:46-00:00", 1366225486000),
        (b"2012-11-30T15:45:29+09:00", 1354257929000),
        (b"2012-11-30T06:45:29Z", 1354257929000),
        (b"2012-07-22T00:06:26Z+00:00", None),
        (b"2012-11-30T06:45:29", None),
        (b"1969-12-31T23:59:59+00:00", None),
        (b"9999-12-31T23:59:59-12:00", None),
        (b"-", None),
    ],
)
def test_times(time: bytes, expected: int | None) -> None:
    assert message(b"<190>1 " + time + b" host app web.1 - x").time_ms == expected


@pytest.mark.parametrize(
    ("rest", "payload"),
    [
        ("- [YELLOW] [12-1] text", "[YELLOW] [12-1] text"),
        ("- - plain", "- plain"),
        ('- - @[a.b] {"x":1}', '@[a.b] {"x":1}'),
        ('- [meta sequenceId="7"] @[a.b] {"x":1}', '@[a.b] {"x":1}'),
        ('- [a b="]"] @[a.b] {"x":1}', '[a b="]"] @[a.b] {"x":1}'),
        (r'- [a b="\]"] @[a.b] {"x":1}', '@[a.b] {"x":1}'),
        ('- - INFO:root:@[a.b] {"x":1}', 'INFO:root:@[a.b] {"x":1}'),
        ('- - {"msg":"@[a.b] {}"}', '{"msg":"@[a.b] {}"}'),
        ("10 Hi", "Hi"),
        ("-", ""),
        ("- ", ""),
    ],
)
def test_one_dash_two_dashes_and_structured_data(rest: str, payload: str) -> None:
    assert (
        message(f"<190>1 2012-03-01T00:12:34+00:00 host app web.1 {rest}\n".encode()).payload
        == payload.encode()
    )


@pytest.mark.parametrize("before", [b"- ", b"[meta] ", b"[a][b] "])
def test_the_size_of_a_piece_tells_text_from_structured_data(before: bytes) -> None:
    head = b"<190>1 2012-03-01T00:12:34+00:00 host app web.1 - "
    whole, rest = before.ljust(PIECE_SIZE_BYTES, b"x"), b"x" * PIECE_SIZE_BYTES
    assert message(head + whole)[-3:] == (whole, False, b"")
    assert message(head + before + rest)[-3:] == (rest, False, before)
    assert message(head + before + rest + b"\n")[-3:] == (before + rest, True, b"")


def test_fields_longer_than_a_name_are_cut() -> None:
    assert line(f"host {'a' * 1000} web.1 -").app == "a" * 255


@pytest.mark.parametrize("data", [b"", b"text", b"<190>", b"<190>1 2012 host app", b"<1900>1 t h a p - x"])
def test_no_header(data: bytes) -> None:
    assert read_message(Frame(0, data, resync=False, junk=False)) is None


@pytest.mark.parametrize(
    ("header", "kind"),
    [
        ("host app web.1 -", LineKind.APP),
        ("host app worker.2 -", LineKind.APP),
        ("host app run.1234 -", LineKind.APP),
        ("shuttle token shuttle -", LineKind.APP),
        ("host app heroku-postgres -", LineKind.PLATFORM),
        ("host app heroku-pgbouncer -", LineKind.PLATFORM),
        ("host app postgres.1105947 -", LineKind.PLATFORM),
        ("host app postgres -", LineKind.PLATFORM),
        ("host app postgresql -", LineKind.APP),
        ("host app api -", LineKind.PLATFORM),
        ("host heroku router -", LineKind.PLATFORM),
        ("host heroku web.1 -", LineKind.PLATFORM),
        ("heroku web.3 d.73ea7440 -", LineKind.PLATFORM),
    ],
)
def test_who_printed_it(header: str, kind: LineKind) -> None:
    assert kind_of(line(header)) is kind


@pytest.mark.parametrize(
    ("text", "loss"),
    [
        (
            "Error L10 (output buffer overflow): 2 messages dropped since 2017-08-31T14:44:12+00:00.",
            ("L10", 2),
        ),
        ("Error L10 (output buffer overflow): 1 message dropped since 2017.", ("L10", 1)),
        ("Error L10 (output buffer overflow): drain 'd.5' dropped 31 messages since 2017.", ("L10", 31)),
        ("Error L12: 500 messages dropped since 2017.", ("L12", 500)),
        ("Error L13: 7 messages lost since 2017.", ("L13", 7)),
        ("- Error L10 (output buffer overflow): 500 messages dropped since 2013.", ("L10", 500)),
        ("Error L14 (certificate validation): error=x", None),
        ("at=info method=GET", None),
    ],
)
def test_losses(text: str, loss: tuple[str, int] | None) -> None:
    found = line("host heroku logplex -", text)
    assert losses(found) == loss
    assert kind_of(found) is (LineKind.LOSS if loss else LineKind.PLATFORM)


def test_an_application_cannot_report_a_loss() -> None:
    assert kind_of(line("host app web.1 -", "Error L10 (x): 9 messages dropped since 2017.")) is LineKind.APP


@given(st.binary(max_size=300))
def test_any_frame_is_read_or_refused(data: bytes) -> None:
    found = read_message(Frame(3, data, resync=False, junk=False))
    assert found is None or found.position == 3
