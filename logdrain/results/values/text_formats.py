r"""Record batches -> lines of text, a bounded number of rows at a time: what COPY reads, and CSV.

COPY: one line a row, tabs between cells, \N for NULL. The text format and not CSV: before Postgres 18 a line
`\.` inside a quoted CSV value ended the data.

CSV (RFC 4180) as Postgres' COPY writes and reads it: UTF-8, a header, lines end with a newline. Cells are
quoted where they need it. NULL is an empty cell, the empty text is `""`. Values stay what they are: what a
spreadsheet takes for a formula is not changed.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from logdrain.results.values.cells import Values, column_cells
from logdrain.types.postgres_types import Column

_ROWS_PER_PIECE = 8_192
_SPECIAL_IN_COPY = r"[\\\t\n\r]"
_ESCAPES = (("\\", r"\\"), ("\t", r"\t"), ("\n", r"\n"), ("\r", r"\r"))  # the backslash first
_NEEDS_QUOTES = r'[",\r\n]|^(\\\.)?$'  # alone in its line, \. ends what a Postgres before 18 reads


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


def csv_header(columns: Sequence[Column]) -> bytes:
    """The first line of CSV."""
    names: Any = _quoted(pa.array([column.label for column in columns], pa.large_string()))
    return (",".join(names.to_pylist()) + "\n").encode()


def _lines(texts: Sequence[Values], format_: TextFormat) -> memoryview:
    """All lines, end to end: Arrow keeps the texts of a column in one buffer, which is what is written."""
    cells: Any = (*texts, _constant(format_.separator))
    rows: Any = pc.binary_join_element_wise(*cells, null_handling="replace", null_replacement=format_.null)
    lines: Any = pc.binary_join_element_wise(rows, _constant(""), _constant("\n"))
    _, offsets, data = lines.buffers()
    size_bytes = memoryview(offsets).cast("B").cast("q")[len(lines)]
    return memoryview(data)[:size_bytes]


def _constant(text: str) -> Any:
    """A text to join with columns of texts."""
    return pa.scalar(text, pa.large_string())


def _escape(texts: Values) -> Values:
    if not pc.any(pc.match_substring_regex(texts, _SPECIAL_IN_COPY)).as_py():
        return texts
    for character, escaped in _ESCAPES:
        texts = pc.replace_substring(texts, character, escaped)
    return texts


def _quoted(texts: Values) -> Values:
    needs = pc.match_substring_regex(texts, _NEEDS_QUOTES)
    if not pc.any(needs).as_py():
        return texts
    doubled: Any = pc.replace_substring(texts, '"', '""')
    mark, nothing = _constant('"'), _constant("")
    return pc.if_else(needs, pc.binary_join_element_wise(mark, doubled, mark, nothing), texts)


COPY_TEXT = TextFormat(_escape, "\t", r"\N")
CSV = TextFormat(_quoted, ",", "")
