"""CSV (RFC 4180) as Postgres' COPY writes and reads it.

UTF-8, a header, lines end with a newline. Cells are quoted where they need it. NULL is an empty cell, the
empty text is `""`. Values stay what they are: what a spreadsheet takes for a formula is not changed.
"""

from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from logdrain.results.values.cells import Values
from logdrain.results.values.text_pieces import TextFormat, constant
from logdrain.types.postgres_types import Column

_NEEDS_QUOTES = r'[",\r\n]|^(\\\.)?$'  # alone in its line, \. ends what a Postgres before 18 reads


def csv_header(columns: Sequence[Column]) -> bytes:
    """The first line."""
    names: Any = _quoted(pa.array([column.label for column in columns], pa.large_string()))
    return (",".join(names.to_pylist()) + "\n").encode()


def _quoted(texts: Values) -> Values:
    needs = pc.match_substring_regex(texts, _NEEDS_QUOTES)
    if not pc.any(needs).as_py():
        return texts
    doubled: Any = pc.replace_substring(texts, '"', '""')
    mark, nothing = constant('"'), constant("")
    return pc.if_else(needs, pc.binary_join_element_wise(mark, doubled, mark, nothing), texts)


CSV = TextFormat(_quoted, ",", "")
