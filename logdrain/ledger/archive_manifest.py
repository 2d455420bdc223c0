"""The manifest of the archive in Postgres: which file holds which hours, and who may rewrite them.

A swap is one transaction, and so is a snapshot: a reader sees all files of a generation or none. A lease is
checked by its fence in the same transaction that swaps, so a builder that was overtaken commits nothing.
"""

from collections.abc import Sequence
from datetime import timedelta

import msgspec
from psycopg.rows import TupleRow

from logdrain.errors import ArchiveOvertaken
from logdrain.ledger.connections import Connections, storable
from logdrain.model.archive import (
    ArchiveColumn,
    ArchiveFile,
    ArchiveHours,
    ArchiveLease,
    ContentFacts,
    NewFile,
    PlaceFacts,
    PlaceState,
)
from logdrain.model.events import Table
from logdrain.ports.transactions import Transaction

_PLACES = """
SELECT place.id, coalesce(mount.folder, ''), place.seen_at, coalesce(file.files, 0), coalesce(file.rows, 0),
       coalesce(file.size_bytes, 0), place.waiting, place.failed, place.failure,
       coalesce(extract(epoch FROM clock_timestamp() - place.behind_since), 0)::double precision
FROM logdrain.archive_places AS place
LEFT JOIN LATERAL (SELECT folder FROM logdrain.archive_mounts WHERE archive_mounts.place = place.id
                   ORDER BY seen_at DESC LIMIT 1) AS mount ON true
LEFT JOIN LATERAL (SELECT count(*) AS files, sum(rows)::bigint AS rows, sum(size_bytes)::bigint AS size_bytes
                   FROM logdrain.archive_files
                   WHERE archive_files.place = place.id AND replaced_at IS NULL) AS file ON true
ORDER BY place.id
"""
_FILES = """
SELECT id, place, database, "table", begins_s, ends_s, name, digest, size_bytes, rows, first_id, last_id,
       columns::text, read_began, committed_at
FROM logdrain.archive_files
WHERE place = %(place)s AND database = %(database)s AND "table" = %(table)s AND replaced_at IS NULL
  AND begins_s < %(ends_s)s AND ends_s > %(begins_s)s
ORDER BY begins_s, id
"""
_LEASE = """
INSERT INTO logdrain.archive_leases (place, database, "table", begins_s, ends_s, ends_at)
SELECT %(place)s, %(database)s, %(table)s, %(begins_s)s, %(ends_s)s,
       clock_timestamp() + make_interval(secs => %(lasts_s)s)
WHERE NOT EXISTS (
    SELECT FROM logdrain.archive_leases
    WHERE place = %(place)s AND database = %(database)s AND "table" = %(table)s
      AND begins_s < %(ends_s)s AND ends_s > %(begins_s)s)
RETURNING fence
"""
_INSERT = """
INSERT INTO logdrain.archive_files
    (place, database, "table", begins_s, ends_s, name, digest, size_bytes, rows, first_id, last_id, columns,
     read_began, replaced_at)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s::jsonb, %s,
        CASE WHEN %s THEN NULL ELSE clock_timestamp() END)
"""
_OVERLAPS = """
SELECT EXISTS (
    SELECT FROM logdrain.archive_files AS one
    JOIN logdrain.archive_files AS other
      ON other.place = one.place AND other.database = one.database AND other."table" = one."table"
     AND other.id > one.id AND other.begins_s < one.ends_s AND other.ends_s > one.begins_s
     AND other.replaced_at IS NULL
    WHERE one.place = %(place)s AND one.database = %(database)s AND one."table" = %(table)s
      AND one.replaced_at IS NULL AND one.begins_s < %(ends_s)s AND one.ends_s > %(begins_s)s)
"""
_NOTE_STATE = """
UPDATE logdrain.archive_places
SET waiting = coalesce(%(waiting)s::bigint, waiting), failed = failed + %(failed)s, failure = %(failure)s,
    behind_since = CASE WHEN %(waiting)s::bigint = 0 THEN NULL
                        ELSE coalesce(behind_since, clock_timestamp()) END
WHERE id = %(place)s
"""
_UNREFERENCED = """
SELECT DISTINCT name FROM logdrain.archive_files AS old
WHERE place = %(place)s AND replaced_at < clock_timestamp() - %(older_than)s
  AND NOT EXISTS (SELECT FROM logdrain.archive_files AS kept
                  WHERE kept.place = old.place AND kept.name = old.name
                    AND (kept.replaced_at IS NULL
                         OR kept.replaced_at >= clock_timestamp() - %(older_than)s))
ORDER BY name LIMIT 10000
"""
_ALWAYS = ArchiveHours(-(2**62), 2**62)


class PostgresManifest:
    """Port ArchiveManifest on the ledger's Postgres."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    def known_place(self, machine: str, folder: str) -> str | None:
        """The place that this machine has had in this folder. See the port."""
        found = self._connections.ask(
            "SELECT place FROM logdrain.archive_mounts WHERE machine = %(machine)s AND folder = %(folder)s",
            {"machine": machine, "folder": folder},
        )
        return found[0][0] if found else None

    def see_place(self, place: str, machine: str, folder: str) -> None:
        """Note that a place is there. See the port."""
        with self._connections.transaction() as transaction:
            transaction.execute(
                "INSERT INTO logdrain.archive_places (id) VALUES (%s)"
                " ON CONFLICT (id) DO UPDATE SET seen_at = clock_timestamp()",
                (place,),
            )
            transaction.execute(
                "INSERT INTO logdrain.archive_mounts (machine, folder, place) VALUES (%s, %s, %s)"
                " ON CONFLICT (machine, folder)"
                " DO UPDATE SET place = EXCLUDED.place, seen_at = clock_timestamp()",
                (machine, folder, place),
            )

    def places(self) -> list[PlaceFacts]:
        """All that are known. See the port."""
        return [PlaceFacts(*row) for row in self._connections.ask(_PLACES)]

    def tables(self, place: str) -> list[Table]:
        """The tables that have files. See the port."""
        found = self._connections.ask(
            'SELECT DISTINCT database, "table" FROM logdrain.archive_files'
            " WHERE place = %(place)s AND replaced_at IS NULL ORDER BY 1, 2",
            {"place": place},
        )
        return [Table(*row) for row in found]

    def files(self, place: str, table: Table, hours: ArchiveHours | None = None) -> list[ArchiveFile]:
        """The current files that touch these hours. See the port."""
        return [_file(row) for row in self._connections.ask(_FILES, _values(place, table, hours or _ALWAYS))]

    def lease(self, place: str, table: Table, hours: ArchiveHours, lasts_s: float) -> ArchiveLease | None:
        """The right to rewrite these hours. See the port."""
        with self._connections.transaction() as transaction:
            _lock_table(transaction, place, table)
            transaction.execute(
                "DELETE FROM logdrain.archive_leases"
                ' WHERE place = %s AND database = %s AND "table" = %s AND ends_at <= clock_timestamp()',
                (place, *table),
            )
            values = _values(place, table, hours) | {"lasts_s": lasts_s}
            fences: list[TupleRow] = transaction.execute(_LEASE, values).fetchall()
        return ArchiveLease(place, table, hours, fences[0][0]) if fences else None

    def renew(self, lease: ArchiveLease, lasts_s: float) -> None:
        """Keep it. See the port."""
        with self._connections.transaction() as transaction:
            done = transaction.execute(
                "UPDATE logdrain.archive_leases SET ends_at = clock_timestamp() + make_interval(secs => %s)"
                " WHERE fence = %s",
                (lasts_s, lease.fence),
            )
            if not done.rowcount:
                raise _overtaken(lease, "the lease went to another builder")

    def release(self, lease: ArchiveLease) -> None:
        """Give it back. See the port."""
        with self._connections.transaction() as transaction:
            transaction.execute("DELETE FROM logdrain.archive_leases WHERE fence = %s", (lease.fence,))

    def announce(self, lease: ArchiveLease, new: NewFile) -> None:
        """Note a file that is about to get its place. See the port."""
        with self._connections.transaction() as transaction:
            transaction.execute(_INSERT, (*_row(lease.place, new), False))

    def swap(self, lease: ArchiveLease, old: Sequence[ArchiveFile], new: Sequence[NewFile]) -> None:
        """Put files in the place of others, in one transaction. See the port."""
        with self._connections.transaction() as transaction:
            _lock_table(transaction, lease.place, lease.table)
            held = transaction.execute(
                "SELECT FROM logdrain.archive_leases WHERE fence = %s FOR UPDATE", (lease.fence,)
            )
            if held.fetchone() is None:
                raise _overtaken(lease, "the lease went to another builder")
            replaced = transaction.execute(
                "UPDATE logdrain.archive_files SET replaced_at = clock_timestamp()"
                " WHERE id = ANY (%s) AND place = %s AND replaced_at IS NULL",
                ([file.key for file in old], lease.place),
            )
            if replaced.rowcount != len(old):
                raise _overtaken(lease, "a file was replaced meanwhile")
            for file in new:
                transaction.execute(_INSERT, (*_row(lease.place, file), True))
            found = transaction.execute(_OVERLAPS, _values(lease.place, lease.table, lease.hours)).fetchone()
            if found == (True,):
                raise _overtaken(lease, "hours of it are in another file")

    def unreferenced(self, place: str, older_than: timedelta) -> list[str]:
        """Names of files that nobody reads any more. See the port."""
        found = self._connections.ask(_UNREFERENCED, {"place": place, "older_than": older_than})
        return [name for (name,) in found]

    def forget(self, place: str, names: Sequence[str]) -> None:
        """Forget replaced files whose octets are deleted. See the port."""
        with self._connections.transaction() as transaction:
            transaction.execute(
                "DELETE FROM logdrain.archive_files"
                " WHERE place = %s AND name = ANY (%s) AND replaced_at IS NOT NULL",
                (place, list(names)),
            )

    def note_pass(self, place: str, state: PlaceState) -> None:
        """Keep how a pass went. See the port."""
        with self._connections.transaction() as transaction:
            transaction.execute(
                _NOTE_STATE, state._asdict() | {"place": place, "failure": storable(state.failure)}
            )

    def forget_place(self, unseen_for: timedelta) -> list[str]:
        """Let places leave the manifest that were not seen so long. See the port."""
        with self._connections.transaction() as transaction:
            found: list[TupleRow] = transaction.execute(
                "DELETE FROM logdrain.archive_places WHERE seen_at < clock_timestamp() - %s RETURNING id",
                (unseen_for,),
            ).fetchall()
        return [place for (place,) in found]


def _lock_table(transaction: Transaction, place: str, table: Table) -> None:
    """One swap or lease at a time of a table; the lock ends with the transaction."""
    transaction.execute(
        "SELECT pg_advisory_xact_lock(hashtextextended(%s, 20260009))", (f"{place} {table.name}",)
    )


def _values(place: str, table: Table, hours: ArchiveHours) -> dict[str, object]:
    return {
        "place": place,
        "database": table.database,
        "table": table.table,
        "begins_s": hours.begins_s,
        "ends_s": hours.ends_s,
    }


def _row(place: str, file: NewFile) -> tuple[object, ...]:
    columns = msgspec.json.encode(file.content.columns).decode()
    content = (file.content.rows, file.content.first_id, file.content.last_id, columns)
    return (
        place,
        *file.table,
        *file.hours,
        file.name,
        file.digest,
        file.size_bytes,
        *content,
        file.read_began,
    )


def _file(row: TupleRow) -> ArchiveFile:
    (
        key,
        place,
        database,
        table,
        begins_s,
        ends_s,
        name,
        digest,
        size_bytes,
        rows,
        first_id,
        last_id,
        *rest,
    ) = row
    columns, read_began, committed_at = rest
    return ArchiveFile(
        key=key,
        place=place,
        table=Table(database, table),
        hours=ArchiveHours(begins_s, ends_s),
        name=name,
        digest=digest,
        size_bytes=size_bytes,
        content=ContentFacts(
            rows,
            bytes(first_id),
            bytes(last_id),
            msgspec.json.decode(columns, type=tuple[ArchiveColumn, ...]),
        ),
        read_began=read_began,
        committed_at=committed_at,
    )


def _overtaken(lease: ArchiveLease, why: str) -> ArchiveOvertaken:
    return ArchiveOvertaken(f"hours of {lease.table.name} were not archived: {why}", hint="it is tried again")
