from logdrain.drain.ids import make_id
from logdrain.events.write.encoding import count_keys, encode_events
from logdrain.model.events import DropReason, Event, Origin, Record, Table
from logdrain.types.event_documents import document_id

ORIGIN = Origin("shop", "app", "web.1", "")


def event(record: Record, position: int = 0, time_ms: int = 0, raw: bytes = b"") -> Event:
    event_id = make_id(max(time_ms, 0), "shop", "one", position)
    return Event(event_id, Table("a", "b"), time_ms, record, ORIGIN, raw)


def test_a_document_tells_its_id_undecoded() -> None:
    events = [event({"n": 1}, 0), event({"n": 2**63, "text": "ä"}, 1)]
    documents = encode_events(events, 10).tables["a.b"].documents
    assert list(map(document_id, documents)) == [item.id for item in events]


def test_hours_are_those_of_event_time_before_1970_too() -> None:
    events = [event({}, at, time_ms) for at, time_ms in enumerate((-1, 0, 3_599_999, 3_600_000))]
    assert encode_events(events, 10).hours == {("a.b", -1), ("a.b", 0), ("a.b", 1)}


def test_equal_shapes_are_told_once() -> None:
    encoded = encode_events([event({"n": 1}, 0), event({"n": 2}, 1), event({"n": 2.5}, 2)], 10)
    assert len(encoded.tables["a.b"].shapes) == 2


def test_a_record_with_too_many_keys_is_quarantined_alone() -> None:
    inner = {str(at): 1 for at in range(3)}
    few, many = {"a": [inner, 1], "b": 2}, {"a": [inner, inner], "b": 2}
    assert (count_keys(few), count_keys(many)) == (5, 8)
    raw = b"x" * 100
    encoded = encode_events([event(few, 0, raw=raw), event(many, 1, raw=raw)], 7)
    assert len(encoded.tables["a.b"].documents) == len(encoded.tables["a.b"].raws) == 1
    [entry] = encoded.quarantined
    assert (entry.reason, entry.raw) == (DropReason.TOO_MANY_KEYS, raw)
    assert "8 keys, at most 7" in entry.detail
    assert not encode_events([event(many, raw=raw)], 8).quarantined


def test_the_shortest_record_that_has_too_many_keys_is_counted() -> None:
    names = ["", *"abcdefghij"]
    record = dict.fromkeys(names, 1)
    raw = b"{" + b",".join(b'"%s":1' % name.encode() for name in names) + b"}"
    assert encode_events([event(record, raw=raw)], 10).quarantined
    assert not encode_events([event(record, raw=raw)], 11).quarantined
