from typing import Any

import bson
import pytest
from bson.codec_options import CodecOptions, DatetimeConversion
from bson.decimal128 import Decimal128
from hypothesis import given
from hypothesis import strategies as st

from logdrain.events.bson.documents import (
    decode_split,
    encode_event,
    encode_quarantined,
    encode_split,
    quarantine_event,
)
from logdrain.events.write.encoding import encode_events
from logdrain.model.events import DropReason, Event, Origin, Quarantined, Record, Split, Table

ORIGIN = Origin("shop", "app", "web.1", "d.token")
ID = bytes(range(16))


def event(record: Record) -> Event:
    return Event(ID, Table("a", "b"), 1330560754567, record, ORIGIN, b"raw")


def stored(record: Record) -> Record:
    [encoded] = encode_events([event(record)], 100).tables["a.b"].documents
    return bson.decode(encoded)


def test_a_document_is_id_time_origin_and_the_fields() -> None:
    document = stored({"uid": 123, "$set": 1, "a.b": {"": None}})
    assert list(document) == ["_id", "time", "_origin", "uid", "$set", "a.b"]
    assert document["_id"].subtype == 4
    assert bytes(document["_id"]) == ID
    assert document["time"].isoformat() == "2012-03-01T00:12:34.567000"
    assert document["_origin"] == {"drain": "shop", "app": "app", "proc": "web.1", "token": "d.token"}


def test_integers_beyond_64_bits_are_stored_exactly() -> None:
    document = stored({"n": 2**64, "deep": [{"n": -(2**80)}], "edge": 2**63 - 1})
    assert document["n"] == Decimal128("18446744073709551616")
    assert document["deep"] == [{"n": Decimal128(str(-(2**80)))}]
    assert document["edge"] == 2**63 - 1


def test_a_document_that_mongodb_cannot_hold_goes_to_quarantine() -> None:
    encoded = encode_event(event({"text": "x" * 16 * 1024 * 1024}))
    assert isinstance(encoded, Quarantined)
    assert (encoded.reason, encoded.id, encoded.raw) == (DropReason.TOO_LARGE, ID, b"raw")


@pytest.mark.parametrize("size_mib", [0, 1, 15, 16, 31])
def test_quarantine_keeps_every_octet(size_mib: int) -> None:
    raw = bytes(size_mib * 1024 * 1024)
    item = quarantine_event(event({})._replace(raw=raw), DropReason.JUNK, "why")
    documents = [bson.decode(document) for document in encode_quarantined(item, 0)]
    assert b"".join(document["raw"] for document in documents) == raw
    assert len({bytes(document["_id"]) for document in documents}) == len(documents)
    assert all(document["parts"] == len(documents) for document in documents)


@given(
    st.builds(
        Split,
        id=st.binary(min_size=16, max_size=16),
        origin=st.builds(Origin, st.text(), st.text(), st.text(), st.text()),
        time_ms=st.none() | st.integers(0, 2**47),
        delivery_id=st.text(),
        position=st.integers(0, 10**6),
        raw=st.binary(),
        continued_by=st.lists(st.text()).map(tuple),
    )
)
def test_a_split_comes_back(split: Split) -> None:
    codec: CodecOptions[dict[str, Any]] = CodecOptions(datetime_conversion=DatetimeConversion.DATETIME_MS)
    assert decode_split(bson.decode(encode_split(split, 5), codec)) == split
