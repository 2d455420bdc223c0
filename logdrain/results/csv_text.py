"""Record batches -> CSV (RFC 4180) as Postgres' COPY writes and reads it.

UTF-8, a header, lines end with a newline. Cells are quoted where they need it. NULL is an empty cell, the
empty text is `""`. Values stay what they are: what a spreadsheet takes for a formula is not changed.
"""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from logdrain.results.cells import Values, column_cells
from logdrain.results.columns import Column
from logdrain.results.copy_text import joined_lines

_ROWS_PER_PIECE = 8_192
_NEEDS_QUOTES = r'[",\r\n]|^(\\\.)?$'  # alone in its line, \. ends what a Postgres before 18 reads


class CsvPiece(NamedTuple):
    """Some rows, ready to write.

    Attributes:
        data: The rows' lines in UTF-8.
        removed_nul: How many U+0000 were taken out of texts.
    """

    data: memoryview
    removed_nul: int


def csv_header(columns: Sequence[Column]) -> bytes:
    """The first line."""
    names: Any = _quoted(pa.array([column.label for column in columns], pa.large_string()))
    return (",".join(names.to_pylist()) + "\n").encode()


def csv_pieces(batch: pa.RecordBatch, columns: Sequence[Column], first_row: int) -> Iterator[CsvPiece]:
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
        texts = [_quoted(cell.texts) if cell.needs_escape else cell.texts for cell in cells]
        yield CsvPiece(joined_lines(texts, ",", ""), sum(cell.removed_nul for cell in cells))


def _quoted(texts: Values) -> Values:
    needs = pc.match_substring_regex(texts, _NEEDS_QUOTES)
    if not pc.any(needs).as_py():
        return texts
    doubled: Any = pc.replace_substring(texts, '"', '""')
    mark, nothing = _constant('"'), _constant("")
    return pc.if_else(needs, pc.binary_join_element_wise(mark, doubled, mark, nothing), texts)


def _constant(text: str) -> Any:
    return pa.scalar(text, pa.large_string())
