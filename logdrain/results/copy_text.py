r"""Record batches -> the text format of COPY: one line a row, tabs between cells, \N for NULL.

The text format and not CSV: before Postgres 18 a line `\.` inside a quoted CSV value ended the data.
"""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from logdrain.results.cells import Values, column_cells
from logdrain.results.columns import Column

_ROWS_PER_PIECE = 8_192
_SPECIAL = r"[\\\t\n\r]"
_ESCAPES = (("\\", r"\\"), ("\t", r"\t"), ("\n", r"\n"), ("\r", r"\r"))  # the backslash first


class CopyPiece(NamedTuple):
    """Some rows, ready to send.

    Attributes:
        data: The rows' lines in UTF-8.
        removed_nul: How many U+0000 were taken out of texts.
    """

    data: memoryview
    rows: int
    removed_nul: int


def copy_pieces(batch: pa.RecordBatch, columns: Sequence[Column], first_row: int) -> Iterator[CopyPiece]:
    """Convert a batch, a bounded number of rows at a time.

    Args:
        batch: What the query yields.
        columns: One for each of the batch's columns, in the same order.
        first_row: Place of the batch's first row in the whole result, from 1.

    Raises:
        ResultRefused: a value has no place in its column's type.
    """
    for start in range(0, batch.num_rows, _ROWS_PER_PIECE):
        piece = batch.slice(start, _ROWS_PER_PIECE)
        cells = [
            column_cells(values, column, first_row + start)
            for values, column in zip(piece.columns, columns, strict=True)
        ]
        texts = [_escape(cell.texts) if cell.needs_escape else cell.texts for cell in cells]
        lines = joined_lines(texts, "\t", r"\N")
        yield CopyPiece(lines, piece.num_rows, sum(cell.removed_nul for cell in cells))


def _escape(texts: Values) -> Values:
    if not pc.any(pc.match_substring_regex(texts, _SPECIAL)).as_py():
        return texts
    for character, escaped in _ESCAPES:
        texts = pc.replace_substring(texts, character, escaped)
    return texts


def joined_lines(texts: Sequence[Values], separator: str, null: str) -> memoryview:
    """All lines, end to end: Arrow keeps the texts of a column in one buffer, which is what COPY wants.

    Args:
        texts: A large_string for each column.
        separator: Between the cells of a line.
        null: In place of NULL.
    """
    cells: Any = (*texts, _constant(separator))
    rows: Any = pc.binary_join_element_wise(*cells, null_handling="replace", null_replacement=null)
    lines: Any = pc.binary_join_element_wise(rows, _constant(""), _constant("\n"))
    _, offsets, data = lines.buffers()
    size_bytes = memoryview(offsets).cast("B").cast("q")[len(lines)]
    return memoryview(data)[:size_bytes]


def _constant(text: str) -> Any:
    return pa.scalar(text, pa.large_string())
