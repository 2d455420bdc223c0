"""How much mongod takes: inserts written by hand as OP_MSG before the clock starts, over two connections.

    python -m bench.ingest.ceiling '{"uri": "mongodb://...", "collection": "c", "start": 0, "count": 100000}'

Prints what it saw as JSON. See "MongoDB Wire Protocol" in MongoDB's manual for the form of the messages.
"""

import json
import socket
import struct
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial
from typing import Any

import bson
from bson.binary import UUID_SUBTYPE, Binary
from pymongo.uri_parser import parse_uri

CONNECTIONS = 2
DOCUMENTS = 1_000
OP_MSG = 2013
START_MS = int(datetime(2026, 3, 1, tzinfo=UTC).timestamp() * 1000)
HEADER = struct.Struct("<iiii")
FLAGS = b"\0\0\0\0"
BODY, SEQUENCE = b"\0", b"\1"


def main() -> None:
    """Insert, and print what was seen."""
    wanted = json.loads(sys.argv[1])
    place = parse_uri(wanted["uri"])
    start, count = wanted["start"], wanted["count"]
    messages = [
        make_insert(
            place["database"], wanted["collection"], range(first, min(first + DOCUMENTS, start + count))
        )
        for first in range(start, start + count, DOCUMENTS)
    ]
    shares = [messages[number::CONNECTIONS] for number in range(CONNECTIONS)]
    with ThreadPoolExecutor(CONNECTIONS) as threads:
        cpu_s, started_s = time.process_time(), time.perf_counter()
        list(threads.map(partial(insert_all, place["nodelist"][0]), shares))
        wall_s = time.perf_counter() - started_s
    print(json.dumps({"wall_s": wall_s, "cpu_s": time.process_time() - cpu_s, "waits_s": []}))


def make_insert(database: str, collection: str, numbers: range) -> bytes:
    """One message: the command, and its documents as a sequence."""
    command = bson.encode(
        {
            "insert": collection,
            "$db": database,
            "ordered": False,
            "writeConcern": {"w": "majority", "j": True},
        }
    )
    documents = b"".join(map(make_document, numbers))
    sequence = struct.pack("<i", 4 + len(b"documents\0") + len(documents)) + b"documents\0" + documents
    content = FLAGS + BODY + command + SEQUENCE + sequence
    return HEADER.pack(HEADER.size + len(content), numbers.start & 0x7FFFFFFF, 0, OP_MSG) + content


def make_document(number: int) -> bytes:
    """As the drain would make it: ids that go on in time."""
    time_ms = START_MS + number // 50
    event_id = time_ms.to_bytes(6, "big") + (number * 0x9E3779B97F4A7C15 % 2**64).to_bytes(10, "big")
    document: dict[str, Any] = {
        "_id": Binary(event_id, UUID_SUBTYPE),
        "time": datetime.fromtimestamp(time_ms / 1000, UTC),
        "_origin": {"drain": "shop", "app": "app", "proc": "web.1", "token": "d." + "0" * 36},
        "uid": number * 7919 % 5_000,
        "item_id": number % 977,
        "price": number * 31 % 100_000,
        "k0": "x" * 55,
    }
    return bson.encode(document)


def insert_all(address: tuple[str, int], messages: list[bytes]) -> None:
    """One after the other, each confirmed."""
    with socket.create_connection(address) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for message in messages:
            connection.sendall(message)
            answer = receive(connection, HEADER.unpack(receive(connection, HEADER.size))[0] - HEADER.size)
            reply = bson.decode(answer[len(FLAGS) + len(BODY) :])
            if reply.get("ok") != 1 or reply.get("writeErrors") or reply.get("writeConcernError"):
                raise RuntimeError(f"mongod refused: {str(reply)[:500]}")


def receive(connection: socket.socket, size_bytes: int) -> bytes:
    """So many octets."""
    received = bytearray()
    while len(received) < size_bytes:
        part = connection.recv(size_bytes - len(received))
        if not part:
            raise RuntimeError("mongod ended the connection")
        received += part
    return bytes(received)


if __name__ == "__main__":
    main()
