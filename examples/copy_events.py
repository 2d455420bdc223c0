"""Copy events, quarantine and catalog to another MongoDB: python examples/copy_events.py FROM_URI TO_URI.

Run it again to take what came since.
"""

import sys
from collections.abc import Iterator
from itertools import islice
from typing import Any

import pymongo
from bson.raw_bson import RawBSONDocument
from pymongo.database import Database
from pymongo.errors import BulkWriteError

BATCH = 1000
DUPLICATE_KEY = 11000

Documents = Database[RawBSONDocument]


def database(uri: str) -> Documents:
    """The database in a URI's path, else `logdrain`; documents stay the octets that they are."""
    client = pymongo.MongoClient(uri, document_class=RawBSONDocument)
    return client.get_default_database("logdrain")


def copy(source: Documents, target: Documents) -> Iterator[tuple[str, int]]:
    """Copy each collection; yields its name and how many documents were new."""
    there = set(target.list_collection_names())
    for name in sorted(source.list_collection_names(filter={"name": {"$not": {"$regex": "^system[.]"}}})):
        if name not in there:  # tables are clustered: nothing else would make them so
            options: dict[str, Any] = dict(source[name].options())
            target.create_collection(name, **options)
        documents = iter(source[name].find())
        count = 0
        while batch := list(islice(documents, BATCH)):
            count += insert_new(target, name, batch)
        yield name, count


def insert_new(target: Documents, name: str, batch: list[RawBSONDocument]) -> int:
    """Insert those that are not there; returns how many."""
    try:
        target[name].insert_many(batch, ordered=False)
    except BulkWriteError as error:
        details: Any = error.details
        if any(problem["code"] != DUPLICATE_KEY for problem in details["writeErrors"]):
            raise
        return int(details["nInserted"])
    return len(batch)


if __name__ == "__main__":
    for collection, new in copy(*map(database, sys.argv[1:])):
        print(f"{collection}: {new} new")
