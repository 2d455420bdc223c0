import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from psycopg.conninfo import conninfo_to_dict

from logdrain.errors import ResultUrlInvalid
from logdrain.model.jobs import Mode, ResultTarget
from logdrain.results.url.target import (
    ParsedResult,
    check_name,
    check_url,
    parse_result,
    resolve,
    resolve_table,
    variable_name,
)

URL = "postgres://user:pw@host:5432/db"


def no_environment(_: str) -> str | None:
    raise AssertionError("no variable is named")


def resolved(text: str, url: str = URL) -> ResultTarget:
    parsed = parse_result(text)
    return resolve_table(parsed, parsed.url or url, no_environment, hint="")


def test_a_named_result() -> None:
    assert parse_result("heroku_db:payment_history") == ParsedResult("heroku_db", "", "payment_history")


def test_every_option() -> None:
    options = "mode=update&unique=a,b&method=insert&schema=s&time=unix&ssl=true&fdw=cstore"
    assert parse_result(f"heroku_db:payments?{options}") == ParsedResult(
        "heroku_db", "", "payments", Mode.UPDATE, schema="s", unix_time=True, ssl=True, unique=("a", "b")
    )


@pytest.mark.parametrize("mode", ["append", "replace", "truncate"])
def test_modes(mode: str) -> None:
    assert resolved(f"r:t?mode={mode}").mode == mode
    assert parse_result(f"{URL}/t?mode={mode}").mode == mode


def test_the_columns_of_an_update_are_percent_decoded() -> None:
    target = resolved("r:t?mode=update&unique=Stra%C3%9Fe,a%20%22b%22")
    assert (target.mode, target.unique) == (Mode.UPDATE, ("Straße", 'a "b"'))


@pytest.mark.parametrize("scheme", ["postgres", "postgresql"])
def test_a_direct_result(scheme: str) -> None:
    target = resolved(f"{scheme}://user:pw@host:5432/db/payments?schema=s&time=unix")
    assert target == ResultTarget("postgresql://user:pw@host:5432/db", "payments", schema="s", unix_time=True)


@pytest.mark.parametrize(
    ("text", "dsn"),
    [
        ("r:t", "postgresql://user:pw@host:5432/db"),
        ("r:t?ssl=true", "postgresql://user:pw@host:5432/db?sslmode=require"),
        ("postgres://h/db/t?ssl=true&sslmode=verify-full", "postgresql://h/db?sslmode=verify-full"),
        ("postgres://h/db/t?options=endpoint%3Da-b", "postgresql://h/db?options=endpoint%3Da-b"),
        ("postgres://[::1]:5433/db/t", "postgresql://[::1]:5433/db"),
    ],
)
def test_the_connection(text: str, dsn: str) -> None:
    assert resolved(text).dsn == dsn


def test_names_are_percent_decoded() -> None:
    assert parse_result("r:my%20table%3F").table == "my table?"
    assert parse_result("postgres://h/db/stra%C3%9Fe?schema=a%26b") == ParsedResult(
        "", "postgresql://h/db", "straße", schema="a&b"
    )


_PIECES = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1)


@given(user=_PIECES, password=_PIECES, database=_PIECES)
def test_libpq_reads_every_piece_as_it_was_meant(user: str, password: str, database: str) -> None:
    def encoded(text: str) -> str:
        return "".join(f"%{octet:02x}" for octet in text.encode())

    url = f"postgres://{encoded(user)}:{encoded(password)}@host:5432/{encoded(database)}"
    read: dict[str, Any] = conninfo_to_dict(resolved("r:t", url).dsn)
    assert read == {"user": user, "password": password, "host": "host", "port": "5432", "dbname": database}


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("", "name is empty", "NAME:TABLE"),
        (":payments", "name is empty", "NAME:TABLE"),
        ("heroku_db", 'result "heroku_db" has no table', "write heroku_db:TABLE"),
        ("heroku_db:", 'result "heroku_db" has no table', "write heroku_db:TABLE"),
        ("heroku_db:?mode=append", "has no table", "TABLE"),
        ("env:DATABASE_URL", '"env" cannot name a result', "another name"),
        ("heroku db:payments", "spaces", "%20"),
        ("heroku_db:payments\n", "spaces or control", "%20"),
        ("postgres:/user:pw@host/db", "slash", "begins with postgres://"),
        ("user@host:payments", "characters that a name cannot have", "postgres://"),
        ("mysql://u:p@h/db/t", "not the URL of a Postgres database", "postgres://USER"),
        ("postgres://u:p@h/db", "has no table", "DATABASE/TABLE"),
        ("postgres://u:p@h/db/", "has no table", "DATABASE/TABLE"),
        ("postgres://u:p@h", "has no table", "DATABASE/TABLE"),
        ("postgres://u:p@h/db/t/x", "has no table", "DATABASE/TABLE"),
        ("postgres://u:p@/db/t", "has no host", "HOST"),
        ("postgres:///db/t", "has no host", "HOST"),
        ("postgres://u:p@h:http/db/t", "no readable host and port", "percent-encode"),
        ("postgres://u:p@h:70000/db/t", "no readable host and port", "65535|percent"),
        ("postgres://u:p@h:0/db/t", "no readable host and port", "percent-encode"),
        ("postgres://[::1/db/t", "no readable host and port", "percent-encode"),
        ("postgres://u:%ff@h/db/t", "not UTF-8", "percent-encode"),
        ("r:%00", r"U\+0000", "%00"),
        ("r:" + "é" * 32, "table name has 64 bytes, Postgres allows 63", "shorter"),
        ("r:t?schema=" + "s" * 64, "schema name has 64 bytes", "shorter"),
        ("r:analytics.payments", "has a dot", r"\?schema="),
        ("r:logdrain_contents", "kept by logdrain itself", "another table"),
        ("r:logdrain_marks", "kept by logdrain itself", "another table"),
        ("r:t?schema=logdrain", 'schema "logdrain" is not for results', "another schema"),
        ("r:t?schema=pg_temp", "not for results", "another schema"),
        ("r:t?mode=Replace", 'mode="Replace" is not known', "did you mean 'replace'"),
        ("r:t?mode=upsert", 'mode="upsert" is not known', ", ".join(Mode)),
        ("r:t?mode=update", "which columns tell rows apart", "unique=COLUMN,COLUMN"),
        ("r:t?mode=update&unique=a,b,a", 'names column "a" twice', "one of them"),
        ("r:t?unique=a", "no meaning with mode=append", "mode=update"),
        ("r:t?mode=replace&unique=a", "no meaning with mode=replace", "mode=update"),
        ("r:t?mode=truncate&unique=a", "no meaning with mode=truncate", "leave unique out"),
        ("r:t?mode=apend", 'mode="apend" is not known', "did you mean 'append'"),
        ("r:t?method=magic", 'method="magic" is not known', "copy, insert"),
        ("r:t?shcema=s", 'option "shcema" is not known', "did you mean 'schema'"),
        ("r:t?sslmode=require", 'option "sslmode" is not known', "did you mean '(ssl|mode)'"),
        ("r:t?mode", "no name or no value", "name=value"),
        ("r:t?mode=append&mode=append", 'option "mode" is given twice', "one of them"),
        ("r:t?mode=update&unique=a,,b", "empty column name", "unique=a,b"),
        ("r:t?time=iso", 'time="iso" is not known', "timestamp, unix, start"),
        ("r:t?ssl=yes", 'ssl="yes" is not known', "true, false"),
    ],
)
def test_what_is_off_and_what_to_write(text: str, message: str, hint: str) -> None:
    with pytest.raises(ResultUrlInvalid, match=message) as raised:
        parse_result(text)
    assert re.search(hint, raised.value.hint)


@pytest.mark.parametrize(
    "secret", ["s3/cret", "s3#cret", "s3?cret", "s3@cret", "s3:cret", "s3%cret", "s3 cret", "s3\xa0cret"]
)
@pytest.mark.parametrize("rest", ["@host:5432/db/t", "@host/db", "@host:x/db/t?mode=none", "/"])
def test_no_message_has_a_piece_of_a_password(secret: str, rest: str) -> None:
    told = everything_told(f"postgres://user:{secret}{rest}")
    assert "cret" not in told
    assert "s3" not in told


def everything_told(text: str) -> str:
    try:
        return repr(parse_result(text))
    except ResultUrlInvalid as error:
        return f"{error} {error.__cause__}"


@pytest.mark.parametrize(
    "url", [URL, "postgresql://h/db", "postgres://h/db?sslmode=require&ssl=true", "env:A_1"]
)
def test_what_result_create_takes(url: str) -> None:
    check_url(url)


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("postgres://host", "has no database"),
        ("postgres://host/", "has no database"),
        ("postgres://host/db/t", "ends with the database"),
        ("postgres://host/db?mode=append", 'option "mode" belongs to the table'),
        ("postgres://host/db?sslmod=require", 'parameter "sslmod" is not known'),
        ("postgres://host/db?sslmode=requir", 'sslmode="requir" is not known .did you mean .require.'),
        ("postgres://host/db?target_session_attrs=x", 'target_session_attrs="x" is not known'),
        ("postgres://host/db?connect_timeout=10s", "connect_timeout of the result is no number"),
        ("host/db", "not the URL of a Postgres database"),
        ("postgres:/host/db", "not the URL of a Postgres database"),
        ("http://host/db", "not the URL of a Postgres database"),
        (" postgres://host/db", "spaces"),
        ("env:", "name of a variable"),
        ("env:A B", "name of a variable"),
        ("env:1A", "name of a variable"),
        ("", "not the URL"),
    ],
)
def test_what_result_create_refuses(url: str, message: str) -> None:
    with pytest.raises(ResultUrlInvalid, match=message):
        check_url(url)


@pytest.mark.parametrize("name", ["heroku_db", "db-2.eu"])
def test_names_of_results(name: str) -> None:
    check_name(name)


@pytest.mark.parametrize("name", ["", "env", "a:b", "a?b", "a b", "ä"])
def test_names_that_a_result_text_could_not_say(name: str) -> None:
    with pytest.raises(ResultUrlInvalid):
        check_name(name)


def test_a_variable_is_read_when_the_result_is_used() -> None:
    parsed = parse_result("navy:t")
    assert variable_name("env:NAVY_URL") == "NAVY_URL"
    target = resolve_table(parsed, "env:NAVY_URL", {"NAVY_URL": URL}.get, hint="")
    assert target.dsn == "postgresql://user:pw@host:5432/db"
    with pytest.raises(ResultUrlInvalid, match='no NAVY_URL, which result "navy" reads'):
        resolve(parsed, "env:NAVY_URL", lambda _: None)
    with pytest.raises(ResultUrlInvalid, match="not the URL"):
        resolve(parsed, "env:NAVY_URL", {"NAVY_URL": "env:NAVY_URL"}.get)


def test_a_target_does_not_print_its_password() -> None:
    assert "pw" not in repr(resolved("r:t")) + repr(parse_result(URL + "/t"))


def test_time_may_be_the_start() -> None:
    assert parse_result("heroku_db:payments?time=start").time_is_start
    target = resolved("postgres://user:pw@host:5432/db/payments?time=start")
    assert target == ResultTarget("postgresql://user:pw@host:5432/db", "payments", time_is_start=True)
