"""Record batches -> lines of text, a bounded number of rows at a time."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from logdrain.results.values.cells import Values, column_cells
from logdrain.types.postgres_types import Column

_ROWS_PER_PIECE = 8_192


class TextFormat(NamedTuple):
    """How a format writes cells and lines.

    Attributes:
        escape: Of texts with characters that mean something.
        separator: Between the cells of a line.
        null: In place of NULL.
    """

    escape: Callable[[Values], Values]
    separator: str
    null: str


class TextPiece(NamedTuple):
    """Some rows, ready to send or write.

    Attributes:
        data: The rows' lines in UTF-8.
        removed_nul: How many U+0000 were taken out of texts.
    """

    data: memoryview
    rows: int
    removed_nul: int


def text_pieces(
    batch: pa.RecordBatch, columns: Sequence[Column], first_row: int, format_: TextFormat
) -> Iterator[TextPiece]:
    """Convert a batch.

    Args:
        batch: What the query yields.
        columns: One for each of the batch's columns, in the same order.
        first_row: Place of the batch's first row in the whole result, from 1.
        format_: How it is written.

    Raises:
        ResultRefused: a value has no place in its column's type.
    """
    for start in range(0, batch.num_rows, _ROWS_PER_PIECE):
        piece = batch.slice(start, _ROWS_PER_PIECE)
        cells = [
            column_cells(values, column, first_row + start)
            for values, column in zip(piece.columns, columns, strict=True)
        ]
        texts = [format_.escape(cell.texts) if cell.needs_escape else cell.texts for cell in cells]
        removed_nul = sum(cell.removed_nul for cell in cells)
        yield TextPiece(_lines(texts, format_), piece.num_rows, removed_nul)


def constant(text: str) -> Any:
    """A text to join with columns of texts."""
    return pa.scalar(text, pa.large_string())


def _lines(texts: Sequence[Values], format_: TextFormat) -> memoryview:
    """All lines, end to end: Arrow keeps the texts of a column in one buffer, which is what is written."""
    cells: Any = (*texts, constant(format_.separator))
    rows: Any = pc.binary_join_element_wise(*cells, null_handling="replace", null_replacement=format_.null)
    lines: Any = pc.binary_join_element_wise(rows, constant(""), constant("\n"))
    _, offsets, data = lines.buffers()
    size_bytes = memoryview(offsets).cast("B").cast("q")[len(lines)]
    return memoryview(data)[:size_bytes]
