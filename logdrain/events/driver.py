"""The calls that the drain makes of MongoDB's driver, and no others.

PyMongo's async classes have them, and so have Motor's. Threads use PyMongo's synchronous client, whichever
driver the drain has: they name its own classes, but for the one call that tests slow down.
"""

from collections.abc import AsyncIterator, Awaitable, Mapping, Sequence
from typing import Any, Protocol, TypeVar

from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument
from pymongo import UpdateOne
from pymongo.command_cursor import CommandCursor
from pymongo.read_concern import ReadConcern
from pymongo.read_preferences import Primary
from pymongo.results import UpdateResult
from pymongo.write_concern import WriteConcern

Document = dict[str, Any]
Query = Mapping[str, Any]

_Found = TypeVar("_Found")


class AsyncCursor(Protocol[_Found]):
    """The documents that a query finds."""

    def sort(self, key: str, direction: int, /) -> "AsyncCursor[_Found]":
        """Put them in this order."""

    def limit(self, limit: int, /) -> "AsyncCursor[_Found]":
        """Take so many at most."""

    def batch_size(self, batch_size: int, /) -> "AsyncCursor[_Found]":
        """Take so many a reply."""

    def to_list(self, length: None, /) -> Awaitable[list[_Found]]:
        """All of them."""

    def __aiter__(self) -> AsyncIterator[_Found]: ...


class AsyncReader(Protocol[_Found]):
    """A collection that is only read."""

    def find(self, query: Query, projection: Query | None = None, /) -> AsyncCursor[_Found]:
        """Query it."""


class AsyncCollection(AsyncReader[Document], Protocol):
    """A collection."""

    def with_options(
        self,
        codec_options: CodecOptions[RawBSONDocument],
        read_preference: Primary | None = None,
        *,
        read_concern: ReadConcern | None = None,
    ) -> AsyncReader[RawBSONDocument]:
        """The same collection, read as octets."""

    def create_index(self, keys: str | Sequence[tuple[str, int]], **options: Any) -> Awaitable[str]:
        """Make an index, unless it is there."""

    def insert_many(
        self, documents: Sequence[RawBSONDocument] | Sequence[Document], *, ordered: bool
    ) -> Awaitable[object]:
        """Insert documents."""

    def bulk_write(self, requests: Sequence[UpdateOne], *, ordered: bool) -> Awaitable[object]:
        """Do several updates."""

    def find_one(self, query: Query, projection: Query, /) -> Awaitable[Document | None]:
        """The first document of a query."""

    def update_one(self, query: Query, change: Query, /) -> Awaitable[UpdateResult]:
        """Change the first document of a query."""

    def update_many(self, query: Query, change: Query, /) -> Awaitable[UpdateResult]:
        """Change all documents of a query."""


class AsyncDatabase(Protocol):
    """A database."""

    def __getitem__(self, collection: str, /) -> AsyncCollection: ...

    def get_collection(
        self,
        name: str,
        codec_options: CodecOptions[Document] | None = None,
        read_preference: Primary | None = None,
        write_concern: WriteConcern | None = None,
        read_concern: ReadConcern | None = None,
    ) -> AsyncCollection:
        """A collection with options of its own."""

    def create_collection(self, name: str, **options: Any) -> Awaitable[AsyncCollection]:
        """Make a collection."""

    def list_collection_names(self) -> Awaitable[list[str]]:
        """The names of all collections."""

    def command(self, command: str, value: Any = 1, **options: Any) -> Awaitable[Document]:
        """Let the server do something."""


class AsyncClient(Protocol):
    """A client; its connections belong to the event loop that it is made in."""

    @property
    def admin(self) -> AsyncDatabase:
        """The database that takes commands for the whole server."""

    def __getitem__(self, database: str, /) -> AsyncDatabase: ...

    def close(self) -> Awaitable[None] | None:
        """End its connections. PyMongo's is awaited, Motor's is not."""


class SyncCollection(Protocol):
    """A collection whose aggregations are read as octets, in a thread."""

    def aggregate(self, pipeline: list[Document], **options: Any) -> CommandCursor[RawBSONDocument]:
        """Run a pipeline."""
