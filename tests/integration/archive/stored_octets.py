"""A format for tests of keeping: events one behind the other, as BSON."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from logdrain.model.archive import ContentFacts
from logdrain.types.event_documents import document_id


class OctetFormat:
    """Port ArchiveFormat."""

    def write(self, documents: Iterable[bytes], path: Path) -> ContentFacts | None:
        ids = []
        with path.open("wb") as file:
            for document in documents:
                ids.append(document_id(document))
                file.write(document)
        if not ids:
            path.unlink()
            return None
        assert ids == sorted(set(ids))
        return ContentFacts(len(ids), ids[0], ids[-1], ())

    def read(self, path: Path) -> Iterator[bytes]:
        octets, at = path.read_bytes(), 0
        while at < len(octets):
            size = int.from_bytes(octets[at : at + 4], "little")
            yield octets[at : at + size]
            at += size
