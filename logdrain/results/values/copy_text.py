r"""The text format of COPY: one line a row, tabs between cells, \N for NULL.

The text format and not CSV: before Postgres 18 a line `\.` inside a quoted CSV value ended the data.
"""

import pyarrow.compute as pc

from logdrain.results.values.cells import Values
from logdrain.results.values.text_pieces import TextFormat

_SPECIAL = r"[\\\t\n\r]"
_ESCAPES = (("\\", r"\\"), ("\t", r"\t"), ("\n", r"\n"), ("\r", r"\r"))  # the backslash first


def _escape(texts: Values) -> Values:
    if not pc.any(pc.match_substring_regex(texts, _SPECIAL)).as_py():
        return texts
    for character, escaped in _ESCAPES:
        texts = pc.replace_substring(texts, character, escaped)
    return texts


COPY_TEXT = TextFormat(_escape, "\t", r"\N")
