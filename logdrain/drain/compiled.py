"""Clean frames by the compiled core, if it is installed: the package `logdrain-core` in `native/`.

It gives what `bulk.PythonFrames` gives, octet for octet (tests/unit/drain/test_bulk.py), at a fraction of the
CPU, and lets other threads run meanwhile.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar, Protocol

from logdrain.drain.bulk import CleanFrames, PythonFrames, find_sender, find_table
from logdrain.drain.ids import hashed_name
from logdrain.drain.reading import FrameReader
from logdrain.errors import ConfigError
from logdrain.model.events import Delivery, LineKind, Message, Origin

try:
    import logdrain_core
except ImportError:
    logdrain_core = None

IS_COMPILED = logdrain_core is not None
_HINT = "`make core` builds it; LOGDRAIN_CORE=auto does without"
_SHAPE_HASHING = logdrain_core.ShapeHashing() if logdrain_core else None


def clean_frames(core: str) -> type[CleanFrames]:
    """What takes clean frames.

    Args:
        core: `python`, `compiled`, or `auto`: compiled where it is installed.

    Raises:
        ConfigError: it is not installed.
    """
    if core == "compiled" and not IS_COMPILED:
        raise ConfigError("LOGDRAIN_CORE=compiled, and it is not installed", hint=_HINT)
    return PythonFrames if core == "python" or not IS_COMPILED else CompiledFrames


class _Core(Protocol):
    """What Rust has of a delivery; see native/src/lib.rs."""

    def take(
        self,
        body: bytes,
        at: int,
        position: int,
        find_sender: Callable[[bytes], tuple[int, bool, bytes] | None],
        find_table: Callable[[bytes], str],
    ) -> tuple[int, int, Sequence[int]]: ...

    def note_process(self, process: int, is_open: bool) -> None: ...  # noqa: FBT001  PyO3 names no arguments

    def counts(self) -> tuple[int, int, int]: ...

    def tables(
        self, body: bytes
    ) -> Sequence[tuple[str, list[bytes], list[bytes], Mapping[tuple[int, int], int]]]: ...


class CompiledFrames:
    """Implements `bulk.CleanFrames`. A process has a number there, of this delivery's own."""

    name: ClassVar = "compiled"

    def __init__(self, body: bytes, frames: FrameReader, delivery: Delivery, size_max_bytes: int) -> None:
        self._body = body
        self._parsed = frames.parsed
        self._processes = frames.line_filter
        self._delivery = delivery
        named = hashed_name(delivery.drain, delivery.id)
        self._core: _Core = logdrain_core.CleanFrames(named, size_max_bytes, _SHAPE_HASHING)
        self._numbers: dict[Origin, int] = {}
        self._origins: list[Origin] = []

    def take_run(self, at: int, position: int) -> tuple[int, int]:
        """See `CleanFrames`."""
        at, position, begun = self._core.take(self._body, at, position, self._find_sender, find_table)
        for number in begun:
            origin = self._origins[number]
            self._processes.seen.add(origin)
            self._parsed.begun.add(origin)
        return at, position

    def note(self, message: Message | None) -> None:
        """See `CleanFrames`."""
        if message is not None:
            origin = Origin(self._delivery.drain, message.app, message.proc, self._delivery.token)
            self._core.note_process(self._number(origin), origin in self._processes.open)

    def finish(self) -> None:
        """See `CleanFrames`."""
        events, app, platform = self._core.counts()
        self._parsed.kinds.update({LineKind.EVENT: events, LineKind.APP: app, LineKind.PLATFORM: platform})
        self._parsed.frames += events + app + platform
        for name, documents, raws, shapes in self._core.tables(self._body):
            found = self._parsed.batch.documents[name]
            found.documents.extend(documents)
            found.raws.extend(raws)
            found.shapes.update((key, documents[place]) for key, place in shapes.items())

    def _find_sender(self, name: bytes) -> tuple[int, bool, bytes] | None:
        sender = find_sender(name, self._delivery)
        if sender is None:
            return None
        return self._number(sender.origin), not sender.is_app, sender.element

    def _number(self, origin: Origin) -> int:
        number = self._numbers.setdefault(origin, len(self._origins))
        if number == len(self._origins):
            self._origins.append(origin)
        return number
