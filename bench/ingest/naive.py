"""What one would write by hand: aiohttp, a dict an event, an insert a POST; no key, id, catalog, quarantine.

    python -m bench.ingest.naive PORT MONGODB_URI

Motor where it is installed, as such handlers have it; else PyMongo's async client.
"""

import importlib
import importlib.util
import json
import re
import sys
from datetime import datetime
from typing import Any

import pymongo
from aiohttp import web
from pymongo.write_concern import WriteConcern

FRAME = re.compile(rb"(\d+) <\d+>1 (\S+) (\S+) (\S+) (\S+) \S+ ")
TAGGED = re.compile(r"@\[([^ ]*)\] ({.*})")
BODY_SIZE_MAX_BYTES = 64 * 1024 * 1024


def main() -> None:
    """Serve until it is stopped."""
    port, uri = int(sys.argv[1]), sys.argv[2]
    web.run_app(make_application(uri), host="127.0.0.1", port=port, print=None, access_log=None)


def open_client(uri: str) -> Any:
    """Inside the event loop it belongs to."""
    if importlib.util.find_spec("motor"):
        return importlib.import_module("motor.motor_asyncio").AsyncIOMotorClient(uri)
    return pymongo.AsyncMongoClient[dict[str, Any]](uri)


def make_application(uri: str) -> web.Application:
    """POST /logs, and /health."""
    application = web.Application(client_max_size=BODY_SIZE_MAX_BYTES)
    durable = WriteConcern(w="majority", j=True)
    clients: list[Any] = []

    async def post_logs(request: web.Request) -> web.Response:
        if not clients:
            clients.append(open_client(uri))
        database = clients[0].get_default_database()
        tables: dict[str, list[dict[str, Any]]] = {}
        for table, document in read_events(await request.read()):
            tables.setdefault(table, []).append(document)
        for table, documents in tables.items():
            collection = database.get_collection(table, write_concern=durable)
            await collection.insert_many(documents, ordered=False)
        return web.Response(status=204)

    async def get_health(_: web.Request) -> web.Response:
        return web.Response()

    application.add_routes([web.post("/logs", post_logs), web.get("/health", get_health)])
    return application


def read_events(body: bytes) -> list[tuple[str, dict[str, Any]]]:
    """Tagged lines, as (tag, document)."""
    events = []
    at = 0
    while at < len(body):
        head = FRAME.match(body, at)
        if head is None:
            break
        end = body.index(b" ", at) + 1 + int(head[1])
        tagged = TAGGED.match(body[head.end() : end].decode())
        if tagged:
            document = json.loads(tagged[2])
            document["time"] = datetime.fromisoformat(head[2].decode())
            document["_origin"] = {"app": head[4].decode(), "proc": head[5].decode()}
            events.append((tagged[1], document))
        at = end
    return events


if __name__ == "__main__":
    main()
