"""`sched:create -u USER -p`."""

import argparse

import pytest

from logdrain.cli.results import add_user_arguments, with_user
from logdrain.errors import UsageError


def result_of(result: str, *words: str) -> str:
    parser = argparse.ArgumentParser()
    add_user_arguments(parser)
    return with_user(result, parser.parse_args(words))


def test_what_is_not_given_changes_nothing() -> None:
    assert result_of("heroku_db:pay") == "heroku_db:pay"


def test_user_and_password_are_quoted_into_the_url(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("getpass.getpass", lambda: "p@ss/word")
    assert result_of("postgres://h/db/t?mode=replace", "-u", "a:b") == "postgres://a%3Ab@h/db/t?mode=replace"
    assert result_of("postgres://h:1/db/t", "-u", "u", "-p") == "postgres://u:p%40ss%2Fword@h:1/db/t"


@pytest.mark.parametrize(
    ("result", "words"),
    [
        ("heroku_db:pay", ("-u", "u")),
        ("", ("-u", "u")),
        ("postgres://h/db/t", ("-p",)),
        ("postgres://other@h/db/t", ("-u", "u")),
    ],
)
def test_a_user_without_a_place_is_refused(result: str, words: tuple[str, ...]) -> None:
    with pytest.raises(UsageError):
        result_of(result, *words)
