import tracemalloc

import pytest

from logdrain.drain.reading import parse, read
from logdrain.events.bson.documents import encode_event, encode_quarantined
from logdrain.ingest.weight import PER_OCTET_MAX, weigh
from logdrain.model.events import Delivery

DELIVERY = Delivery("shop", "F1", "", None)
SIZE_BYTES = 60_000


def frame(text: bytes) -> bytes:
    message = b"<190>1 2012-03-01T00:12:34.567890+00:00 host app web.1 - " + text + b"\n"
    return b"%d %s" % (len(message), message)


@pytest.mark.parametrize(
    "piece",
    [
        b"1 <1>1 2012-",
        b"5 <1>1",
        b"10 <1>1 xxx\n",
        b"7 <1>1 \nx14 <1>1 2012-03-0x",
        b"17 <1>1 - - - - - x",
        b"21 <1>1 - - - - - @[] 1",
        b"23 <1>1 - - - - - @[a] {}",
        b"24 <1>1 - - - - - @[a.b] {",
        b'33 <1>1 - - - - - @[a.b] {"time":0}',
        b"x",
        frame(b"plain"),
        frame(b"@[a.b] {}"),
        frame(b'@[production.pay] {"uid":123,"price":321321,"text":"some words"}'),
        frame(b'@[a.b] {"a":[' + b"[]," * 15_000 + b"0]}"),
        frame(b'@[a.b] {"a":[' + b'{"a":1},' * 6_000 + b"0]}"),
        frame(b'@[a.b] {"a":[' + b"{}," * 15_000 + b"0]}"),
        frame(b'@[a.b] {"a":[' + b"999," * 10_000 + b"0]}"),
        frame(b'@[a.b] {"a":[' + b'"ab",' * 9_000 + b"0]}"),
        frame(b"@[a.b] {" + b",".join(b'"%x":0' % number for number in range(6_000)) + b"}"),
    ],
)
def test_no_body_becomes_more_than_it_weighs(piece: bytes) -> None:
    body = piece * max(1, SIZE_BYTES // len(piece))
    tracemalloc.start()
    try:
        reading = read(parse(body, DELIVERY), DELIVERY, [])
        documents = [encode_event(event) for event in reading.batch.events]
        for item in reading.batch.quarantined:  # not kept: they are stored part by part
            list(encode_quarantined(item, 0))
        _, most_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(documents) == len(reading.batch.events)
    assert most_bytes <= weigh(body) <= PER_OCTET_MAX * len(body)
