"""Where the SQL of a command comes from, and what is said where it cannot be read."""

import sys
from io import BytesIO, TextIOWrapper
from pathlib import Path

import pytest

from logdrain.cli.sql_text import read_sql
from logdrain.errors import UsageError


def test_a_byte_order_mark_is_left_out(tmp_path: Path) -> None:
    file = tmp_path / "a.sql"
    file.write_bytes(b"\xef\xbb\xbfSELECT 1")
    assert read_sql(file) == "SELECT 1"


def test_a_file_that_cannot_be_read_is_named_once(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="No such file or directory") as error:
        read_sql(tmp_path / "none.sql")
    assert error.value.located.count("none.sql") == 1
    assert error.value.hint


def test_other_encodings_are_refused_with_the_line(tmp_path: Path) -> None:
    file = tmp_path / "a.sql"
    file.write_bytes(b"SELECT\n'\xe9'")
    with pytest.raises(UsageError, match=r"a\.sql, line 2: this is no UTF-8"):
        read_sql(file)


def test_stdin_is_read_in_the_same_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", TextIOWrapper(BytesIO(b"SELECT '\xe9'"), encoding="ascii"))
    with pytest.raises(UsageError, match="STDIN, line 1: this is no UTF-8"):
        read_sql(None)
