"""The folder of segments: made, opened, written, read and emptied. For one thread."""

import os
import re
from collections.abc import Generator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

from logdrain import log
from logdrain.errors import SpoolUnavailable
from logdrain.model.spool import Spooled, SpooledEntry
from logdrain.spool import segments
from logdrain.spool.folder_files import cut, is_gone, make_folder, reader, sync_folder, unavailable
from logdrain.spool.folder_lock import lock_folder
from logdrain.spool.folder_writer import SegmentWriter

_SEGMENT_NAME = re.compile(r"(\d{20})\.spool")


@dataclass(slots=True, eq=False)
class _Segment:
    """A segment and what of it counts.

    Attributes:
        key: None where the first line is damaged.
        end: Octets that are durable; what lies behind was never acknowledged.
        count: Entries; at least one, as long as nobody has looked.
        is_surveyed: Whether `end` and `count` are known for sure.
    """

    number: int
    path: Path
    key: bytes | None
    end: int
    count: int
    is_surveyed: bool


class FolderSegments:
    """Segments in order, of which only the newest is written, and only by the process that began it.

    Every method may raise SpoolUnavailable; the next call tries again.
    """

    def __init__(self, folder: Path, *, size_max_bytes: int, segment_size_bytes: int) -> None:
        self._folder = folder
        self._size_max_bytes = size_max_bytes
        self._segment_size_bytes = segment_size_bytes
        self._lock: int | None = None
        self._writer: SegmentWriter | None = None  # of the last segment
        self._segments: list[_Segment] = []
        self._last_number = 0
        self._discarded_end = 0  # in the first segment: before it, everything is discarded
        self._discarded_count = 0
        self._foreign: set[Path] = set()  # of an unknown format: told of once

    @property
    def waiting_count(self) -> int:
        """Entries that are not discarded; a lower bound until everything is surveyed."""
        return max(sum(segment.count for segment in tuple(self._segments)) - self._discarded_count, 0)

    @property
    def size_bytes(self) -> int:
        """Octets of all segments of ours."""
        return sum(segment.end for segment in tuple(self._segments))

    def write(self, group: Sequence[Spooled]) -> list[SpoolUnavailable | None]:
        """Append deliveries with one write and one fsync; for each, None or why it was not kept."""
        refusals: list[SpoolUnavailable | None] = []
        octets: list[bytes] = []
        try:
            self._open()
            writer = self._writable_segment()
            room = self._size_max_bytes - self.size_bytes
            for spooled in group:
                entry = segments.encode(spooled, writer.key)
                if len(entry) > room:
                    refusals.append(self._full())
                    continue
                room -= len(entry)
                octets.append(entry)
                refusals.append(None)
            if octets:
                writer.append(b"".join(octets))
                self._segments[-1].end = writer.end
                self._segments[-1].count += len(octets)
        except OSError as error:
            self._drop_if_useless()
            raise self._given_up(error) from error
        return refusals

    def survey_next(self) -> bool:
        """Look through one segment that an earlier process left; returns whether there was one."""
        try:
            self._open()
            segment = next((segment for segment in self._segments if not segment.is_surveyed), None)
            if segment is None:
                return False
            self._survey(segment)
        except OSError as error:
            raise self._given_up(error) from error
        return True

    def read(self, after: SpooledEntry | None, size_max_bytes: int) -> list[SpooledEntry]:
        """See ports.Spool; everything is surveyed before."""
        entries: list[SpooledEntry] = []
        size = 0
        try:
            self._open()
            with closing(self._entries(after)) as found:
                for entry in found:
                    size += len(entry.spooled.body if entry.spooled else entry.damaged)
                    if entries and size > size_max_bytes:
                        break
                    entries.append(entry)
        except OSError as error:
            raise self._given_up(error) from error
        return entries

    def discard(self, through: SpooledEntry) -> None:
        """See ports.Spool."""
        try:
            self._open()
            while self._has(through) and self._segments[0].number <= through.segment:
                first = self._segments[0]
                if first.number == through.segment and not self._pass(first, through):
                    return
                self._remove(first)
        except OSError as error:
            raise self._given_up(error) from error

    def close(self) -> None:
        """Let the folder go; a later call opens it again."""
        self._close_writer()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None
        self._discarded_end = self._discarded_count = 0
        self._segments.clear()

    def _given_up(self, error: OSError) -> SpoolUnavailable:
        if is_gone(error):
            self.close()
        return unavailable(error, self._folder)

    def _full(self) -> SpoolUnavailable:
        return SpoolUnavailable(
            f"the spool {self._folder} has reached its bound of {self._size_max_bytes} octets",
            hint="bring MongoDB back, or raise LOGDRAIN_SPOOL_SIZE_MAX_BYTES",
        )

    def _open(self) -> None:
        if self._lock is not None:
            return
        make_folder(self._folder)
        self._lock = lock_folder(self._folder)
        try:
            for path in sorted(self._folder.iterdir()):
                if match := _SEGMENT_NAME.fullmatch(path.name):
                    self._adopt(int(match[1]), path)
        except OSError:
            self.close()
            raise

    def _adopt(self, number: int, path: Path) -> None:
        """Take over a segment of an earlier process, unless its format is unknown."""
        self._last_number = max(self._last_number, number)
        with path.open("rb") as file:
            key = segments.read_first_line(file.read(segments.FIRST_LINE_SIZE))
            size = os.fstat(file.fileno()).st_size
        if not isinstance(key, segments.Foreign):
            self._segments.append(_Segment(number, path, key, size, 1, is_surveyed=False))
        elif path not in self._foreign:
            self._foreign.add(path)
            log.warning(
                "spool_segment_foreign",
                path=path,
                size_bytes=size,
                hint="written by another version of logdrain: start that version on this folder to replay it",
            )

    def _survey(self, segment: _Segment) -> None:
        with segment.path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            end, entry_count = segments.survey(reader(file.fileno()), size, segment.key)
        if end < size:
            cut(segment.path, end)
            log.warning("spool_torn_tail", path=segment.path, offset=end, size_bytes=size - end)
        segment.end, segment.count, segment.is_surveyed = end, entry_count, True
        if entry_count == 0:
            self._remove(segment)

    def _writable_segment(self) -> SegmentWriter:
        """The segment to append to, begun where there is none or it has grown enough."""
        writer = self._writer
        if writer is not None and writer.is_open and writer.end < self._segment_size_bytes:
            return writer
        self._close_writer()
        number = self._last_number + 1
        path = self._folder / f"{number:020d}.spool"
        self._writer = writer = SegmentWriter(path)
        self._last_number = number
        self._segments.append(_Segment(number, path, writer.key, writer.end, 0, is_surveyed=True))
        return writer

    def _drop_if_useless(self) -> None:
        """A disk that fails again and again leaves no trail of segments without entries."""
        is_given_up = self._writer is not None and not self._writer.is_open
        if is_given_up and self._segments[-1].count == 0:
            with suppress(OSError):
                self._remove(self._segments[-1])

    def _close_writer(self) -> None:
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    def _entries(self, after: SpooledEntry | None) -> Generator[SpooledEntry, None, None]:
        kept = self._segments
        if after is not None and self._has(after):
            kept = [segment for segment in kept if segment.number >= after.segment]
        for segment in kept:
            with segment.path.open("rb") as file:
                read_at = reader(file.fileno())
                offset = segments.entries_start(segment.key)
                if after is not None and segment.number == after.segment:
                    offset = segments.find(read_at, after.offset, segment.end, segment.key).end
                while offset < segment.end:
                    found = segments.find(read_at, offset, segment.end, segment.key)
                    damaged = b"" if found.spooled else read_at(found.start, found.end - found.start)
                    yield SpooledEntry(segment.number, found.start, found.spooled, damaged)
                    offset = found.end

    def _has(self, entry: SpooledEntry) -> bool:
        """Whether the entry's segment is still there; else it was discarded, and all before it."""
        return any(segment.number == entry.segment for segment in self._segments)

    def _pass(self, segment: _Segment, through: SpooledEntry) -> bool:
        """Count what is now discarded of the first segment; returns whether that is all of it."""
        with segment.path.open("rb") as file:
            read_at = reader(file.fileno())
            end = segments.find(read_at, through.offset, segment.end, segment.key).end
            if end >= segment.end:
                return True
            offset = self._discarded_end or segments.entries_start(segment.key)
            while offset < end:
                offset = segments.find(read_at, offset, segment.end, segment.key).end
                self._discarded_count += 1
        self._discarded_end = max(self._discarded_end, end)
        return False

    def _remove(self, segment: _Segment) -> None:
        if segment is self._segments[-1]:
            self._close_writer()
        segment.path.unlink(missing_ok=True)
        sync_folder(self._folder)
        if segment is self._segments[0]:
            self._discarded_end = self._discarded_count = 0
        self._segments.remove(segment)
