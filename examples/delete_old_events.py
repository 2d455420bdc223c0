"""Delete old events: python examples/delete_old_events.py "$MONGODB_URI" production.pay 400 (days)."""

import sys
import time

import pymongo
from bson.binary import UUID_SUBTYPE, Binary


def delete_before(uri: str, table: str, moment_ms: int) -> int:
    """Delete what happened before a moment (unix milliseconds): ids begin with the time. Returns how many."""
    first_kept = Binary(moment_ms.to_bytes(6, "big") + bytes(10), UUID_SUBTYPE)
    with pymongo.MongoClient[dict[str, object]](uri) as client:
        events = client.get_default_database("logdrain")[table]
        return events.delete_many({"_id": {"$lt": first_kept}}).deleted_count


if __name__ == "__main__":
    address, name, days = sys.argv[1:]
    count = delete_before(address, name, int((time.time() - int(days) * 86_400) * 1000))
    print(f"{name}: {count} events deleted")
