"""Bodies to begin with, and a seeded mutator: the same seed makes the same bodies."""

import gzip
import random
import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

CORPUS = Path(__file__).with_name("corpus")
_TIME = b"2012-03-01T00:12:34.567890+00:00"
_SIZE_MAX_BYTES = 65_536

_LINES = (
    b'@[production.pay] {"uid":123,"item_category":"categoryA","price":321321}',
    b'@[production.register] {"uid":123,"time":1330560000.25}',
    b'@[production.login] {"t\xc3\xa9l":"\xe6\x97\xa5\xe6\x9c\xac","n":null,"l":[1,2.5,{"a":true}]}',
    b'@[a.b] {"n":123456789012345678901234567890}',
    b'@[a.b] {"_id":1,"_origin":2,"_time":3,"time":"yesterday","$where":"1","a.b":{"":0}}',
    b"@[pay] {}",
    b"@[system.users] {}",
    b"@[a.b] {oops",
    b"@[a.b] [1]",
    b'@[a.b] {"text":"' + b"x" * 9_984,
    b"Started GET /items/7 for 127.0.0.1",
    b"",
)
_PLATFORM = (
    b"<158>1 " + _TIME + b" host heroku router - at=info method=GET path=/ status=200\n",
    b"<172>1 " + _TIME + b" host heroku logplex - Error L10 (x): 7 messages dropped since y.",
    b"<190>1 " + _TIME + b" shuttle token shuttle - - @[a.b] {}\n",
    b"9 <1>1 oops",
)
_TOKENS = (
    b"@[", b"] ", b"{", b"}", b'"', b"\\", b"\\u0000", b"\\ud800", b"\0", b"\n", b"\r\n", b"\x1b[31m",
    b"\xff", b"\xc2\x85", b"\xe2\x80\xae", b"0 ", b"1 ", b"99999999 ", b"<190>1 ", b"<", b">1 2012-",
    b"9" * 40, b"9" * 5000, b"1e400", b"NaN", b"[" * 200, b'{"a":' * 150, b"-", b"+23:59",
    b"0001-01-01T00:00:00+00:00", b"Error L10 (", b"dropped ", b"heroku", b"app", b"time",
)  # fmt: skip


class Sent(NamedTuple):
    """A request: its body as it is sent and its Content-Encoding, or ""."""

    body: bytes
    coding: str


def framed(line: bytes, *, newline: bool = True) -> bytes:
    """A line as Logplex sends one of the application's."""
    message = b"<190>1 " + _TIME + b" host app web.1 - " + line + b"\n" * newline
    return b"%d %s" % (len(message), message)


def samples() -> list[bytes]:
    """Bodies as they were seen, from the corpus, and some that have a line of every kind."""
    seen = [path.read_bytes() for path in sorted((CORPUS / "reading").iterdir())]
    made = [framed(line) for line in _LINES]
    made += [b"%d %s" % (len(message), message) for message in _PLATFORM]
    return [*seen, *made, b"".join(made)]


def mutated(seed: int, count: int, begin_with: Sequence[bytes]) -> Iterator[Sent]:
    """So many requests, every one changed in one to six ways; one in ten compressed or said to be."""
    chance = random.Random(seed)  # not for secrets: it has to repeat
    for _ in range(count):
        body = chance.choice(begin_with)
        for _ in range(chance.randint(1, 6)):
            body = chance.choice(_CHANGES)(body, chance, begin_with)[:_SIZE_MAX_BYTES]
        yield _encoded(body, chance)


Change = Callable[[bytes, random.Random, Sequence[bytes]], bytes]


def _flip(body: bytes, chance: random.Random, _: Sequence[bytes]) -> bytes:
    if not body:
        return b"\xff"
    changed = bytearray(body)
    changed[chance.randrange(len(body))] ^= 1 << chance.randrange(8)
    return bytes(changed)


def _cut(body: bytes, chance: random.Random, _: Sequence[bytes]) -> bytes:
    start, end = sorted(chance.randint(0, len(body)) for _ in range(2))
    return body[start:end] if chance.random() < 0.3 else body[:start] + body[end:]  # a third


def _insert(body: bytes, chance: random.Random, _: Sequence[bytes]) -> bytes:
    at = chance.randint(0, len(body))
    return body[:at] + chance.choice(_TOKENS) + body[at:]


def _noise(body: bytes, chance: random.Random, _: Sequence[bytes]) -> bytes:
    at = chance.randint(0, len(body))
    text = "".join(
        chr(chance.choice((chance.randrange(0xD800), chance.randrange(0xE000, 0x110000)))) for _ in range(8)
    )
    return body[:at] + (chance.randbytes(8) if chance.random() < 0.5 else text.encode()) + body[at:]  # half


def _twice(body: bytes, chance: random.Random, _: Sequence[bytes]) -> bytes:
    start, end = sorted(chance.randint(0, len(body)) for _ in range(2))
    return body[:end] + body[start:end] + body[end:]


def _splice(body: bytes, chance: random.Random, begin_with: Sequence[bytes]) -> bytes:
    other = chance.choice(begin_with)
    return body[: chance.randint(0, len(body))] + other[chance.randint(0, len(other)) :]


def _append(body: bytes, chance: random.Random, begin_with: Sequence[bytes]) -> bytes:
    return body + chance.choice(begin_with)


def _miscount(body: bytes, chance: random.Random, _: Sequence[bytes]) -> bytes:
    count, space, rest = body.partition(b" ")
    if not count.isdigit() or len(count) > 8:  # as a count has at most
        return body
    return b"%d" % max(0, int(count) + chance.choice((-1, 1, -7, 30, 10**6))) + space + rest


def _printed(body: bytes, chance: random.Random, begin_with: Sequence[bytes]) -> bytes:
    """A well-framed line whose text went through the mill: it reaches the record reader."""
    del body  # a line of its own
    line = chance.choice(_LINES)
    for _ in range(chance.randint(1, 3)):
        line = chance.choice((_flip, _cut, _insert, _noise, _twice))(line, chance, begin_with)
    return framed(line.replace(b"\n", b" "), newline=chance.random() < 0.9)  # most have one


_CHANGES: tuple[Change, ...] = (
    _flip, _flip, _cut, _insert, _noise, _twice, _splice, _append, _append, _miscount, _printed, _printed,
)  # fmt: skip


def _encoded(body: bytes, chance: random.Random) -> Sent:
    match chance.randrange(30):
        case 0:
            return Sent(gzip.compress(body, mtime=0), "gzip")
        case 1:
            return Sent(zlib.compress(body, wbits=chance.choice((15, -15))), "deflate")
        case 2:
            coding = chance.choice(("gzip", "deflate", "br", "gzip, gzip", "x", "identity"))
            return Sent(_flip(chance.choice((body, gzip.compress(body, mtime=0))), chance, ()), coding)
        case _:
            return Sent(body, "")
