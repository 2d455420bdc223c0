import re
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logdrain.errors import LogdrainError, ResultRefused, ResultUrlInvalid
from logdrain.ledger.schedules import result_table
from logdrain.model.jobs import Mode, ResultTarget
from logdrain.model.result_files import FileFormat, FileTarget
from logdrain.results.files.file_places import file_place
from logdrain.results.url.target import check_url, parse_result, resolve, resolve_table

SLICE = datetime(2012, 3, 1, 9, 30, tzinfo=timezone(timedelta(hours=9)))
EXPORTS = "file:///srv/exports"


def resolved(text: str, url: str = EXPORTS) -> object:
    parsed = parse_result(text)
    return resolve(parsed, parsed.url or url, lambda _: None)


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("file:///srv/exports/pay", FileTarget("/srv/exports", "pay")),
        ("FILE://localhost/srv/exports/pay", FileTarget("/srv/exports", "pay")),
        (
            "file:///srv/my%20exports/pay?format=csv&mode=replace&time=unix",
            FileTarget("/srv/my exports", "pay", FileFormat.CSV, Mode.REPLACE, unix_time=True),
        ),
        ("exports:pay?method=insert", FileTarget("/srv/exports", "pay")),
        ("exports:pay?format=parquet&mode=truncate", FileTarget("/srv/exports", "pay", mode=Mode.TRUNCATE)),
    ],
)
def test_results_of_files(text: str, target: FileTarget) -> None:
    assert resolved(text) == target


def test_a_variable_may_hold_the_url_of_a_folder() -> None:
    parsed = parse_result("exports:pay")
    assert resolve(parsed, "env:A", {"A": EXPORTS}.get) == FileTarget("/srv/exports", "pay")


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("file:///pay", "has no folder, or no table", "file:///FOLDER/TABLE"),
        ("file://", "has no folder, or no table", "file:///FOLDER/TABLE"),
        ("file://srv/exports/pay", "no host, user or password", "three slashes"),
        ("file://user:secret@/exports/pay", "no host, user or password", "three slashes"),
        ("file:/srv/exports/pay", "slash", "file:///"),
        ("file:///srv/../etc/pay", "an empty name, . or ..", "as it is"),
        ("file:///srv/%2E%2E/pay", "an empty name, . or ..", "as it is"),
        ("file:///srv//exports/pay", "an empty name, . or ..", "as it is"),
        ("file:///srv/exports/pay/", "an empty name, . or ..", "as it is"),
        ("file:///srv/a%2Fb/pay", "a name that no file has", "as it is"),
        ("file:///srv/a%0Ab/pay", "a name that no file has", "as it is"),
        ("file:///srv/exports/pay.csv", "has a dot", "schema"),
        ("file:///srv/exports/pay#x", "has a #", "%23"),
        ("file:///srv/exports/pay?format=xlsx", 'format="xlsx" is not known', "parquet, csv"),
        ("file:///srv/exports/pay?schema=s", "schema has no meaning for files", "format, mode and time"),
        ("exports:pay?ssl=true", "ssl has no meaning for files", "format, mode and time"),
        ("exports:pay?mode=update&unique=a", "written whole: mode=update is for Postgres", "mode=append"),
        ("exports:a%2Fb", "names files, and has a slash", "another table name"),
        ("exports:a%0Ab", "control characters", "another table name"),
    ],
)
def test_what_is_off_and_what_to_write(text: str, message: str, hint: str) -> None:
    with pytest.raises(ResultUrlInvalid, match=re.escape(message)) as raised:
        resolved(text)
    assert hint in raised.value.hint


def test_a_table_in_postgres_has_no_format() -> None:
    with pytest.raises(ResultUrlInvalid, match="format is for files"):
        resolved("heroku_db:pay?format=csv", "postgres://host/db")
    assert isinstance(resolved("heroku_db:pay", "postgres://host/db"), ResultTarget)


def test_what_needs_a_table_says_so() -> None:
    with pytest.raises(ResultRefused, match="result exports has files, not tables") as raised:
        resolve_table(parse_result("exports:pay"), EXPORTS, lambda _: None, hint="do this")
    assert raised.value.hint == "do this"


@pytest.mark.parametrize("url", [EXPORTS, "file:///srv", "file:///srv/exports/"])
def test_what_result_create_takes(url: str) -> None:
    check_url(url)


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("file:///", "has no folder"),
        ("file://", "has no folder"),
        ("file://host/srv", "no host"),
        ("file:///srv?mode=append", 'option "mode" does not belong to a folder'),
        ("file:///srv/..", "an empty name"),
        ("file:/srv", "not the URL of a Postgres database"),
        ("mongodb://host/db", "not the URL of a Postgres database"),
    ],
)
def test_what_result_create_refuses(url: str, message: str) -> None:
    with pytest.raises(ResultUrlInvalid, match=re.escape(message)):
        check_url(url)


def test_two_results_of_one_table_of_files_are_one() -> None:
    key = "file:///srv/exports/pay"
    for text in ("", "?format=csv", "?mode=replace", "?time=unix"):
        assert result_table(key + text) == key
    assert result_table("file://localhost/srv/exports/p%61y") == key
    assert result_table("file:///srv/exports/other") != key


def test_the_place_of_a_slice() -> None:
    place = file_place(FileTarget("/srv/exports/a", "pay"), SLICE, "/srv/exports")
    assert str(place) == "/srv/exports/a/pay/20120301T003000Z.parquet"
    assert (place.folders, place.own) == (("a", "pay"), ".logdrain")
    one = file_place(FileTarget("/srv/exports", "pay", FileFormat.CSV, Mode.REPLACE), SLICE, "/srv/exports")
    assert str(one) == "/srv/exports/pay.csv"
    assert (one.folders, one.own) == ((), ".pay.logdrain")


@pytest.mark.parametrize(
    "folder", ["/srv", "/srv/exports2", "/etc", "/", "/srv/exports/.git", "/srv/exports/" + "é" * 128]
)
def test_where_results_may_not_be_written(folder: str) -> None:
    with pytest.raises(ResultRefused):
        file_place(FileTarget(folder, "pay"), SLICE, "/srv/exports")


def test_without_a_setting_there_is_no_place() -> None:
    with pytest.raises(ResultRefused, match="LOGDRAIN_RESULT_FOLDER is not set"):
        file_place(FileTarget("/srv/exports", "pay"), SLICE, "")


@given(st.text(alphabet=st.sampled_from("a./%2EeF~\\:?#&= é\n\0"), max_size=30))
def test_no_url_leads_out_of_the_folder(path: str) -> None:
    try:
        parsed = parse_result(f"file:///srv/exports/{path}")
        target = resolve(parsed, parsed.url, lambda _: None)
        assert isinstance(target, FileTarget)
        place = file_place(target, datetime(2012, 3, 1, tzinfo=UTC), "/srv/exports")
    except LogdrainError:
        return
    for name in (*place.folders, place.name):
        assert name not in ("", ".", "..")
        assert "/" not in name
        assert not name.startswith(".")
