"""`logdrain cron`."""

import json

import pytest

from logdrain.__main__ import run


def printed(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert run(["cron", *words]) == 0
    return capsys.readouterr().out


def test_json_is_a_list_of_unix_seconds(capsys: pytest.CaptureFixture[str]) -> None:
    words = (
        "44 * * * *",
        "-t",
        "Asia/Tokyo",
        "--after",
        "2021-03-22 13:43:59",
        "-n",
        "2",
        "--format",
        "json",
    )
    assert json.loads(printed(capsys, *words)) == [1616388240, 1616391840]


def test_instants_are_strictly_after_the_time(capsys: pytest.CaptureFixture[str]) -> None:
    words = ("@hourly", "--after", "1330560000", "--format", "json")
    assert json.loads(printed(capsys, *words)) == [1330560000 + 3600 * n for n in range(1, 6)]


def test_the_table_has_local_time_utc_and_unix_seconds(capsys: pytest.CaptureFixture[str]) -> None:
    words = ("0 2 * * *", "-t", "America/Los_Angeles", "--after", "2015-03-07", "-n", "2")
    assert printed(capsys, *words).splitlines() == [
        "local                        UTC                        unix",
        "---------------------------  -------------------  ----------",
        "2015-03-07 02:00:00 Sat PST  2015-03-07 10:00:00  1425722400",
        "2015-03-09 02:00:00 Mon PDT  2015-03-09 09:00:00  1425891600",  # the 8th has no 02:00
    ]


@pytest.mark.parametrize("expression", ["", "0 0 30 2 *"])
def test_what_never_comes_is_an_empty_list(expression: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert json.loads(printed(capsys, expression, "--format", "json")) == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["0 0 30 2 *"], "it never runs\n"),
        (["@daily", "--after", "253402300799"], "it does not run after that, up to the year 9999\n"),
    ],
)
def test_never_is_not_never_again(words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["cron", *words]) == 0
    assert capsys.readouterr().err == said


@pytest.mark.parametrize(
    ("words", "status", "message"),
    [
        (["61 * * * *"], 1, "cron '61 * * * *': '61' is no minute\nhint: it is 0 to 59"),
        (["* * * * *", "-t", "JST"], 1, "'JST' is not an IANA time zone\nhint: write Asia/Tokyo"),
        (["* * * * *", "--after", "soon"], 1, "'soon' is not a time\nhint: such as"),
        (["* * * * *", "-n", "0"], 2, "-n 0 is not a number of instants\nhint: give 1 to"),
    ],
)
def test_errors_have_a_hint(
    words: list[str], status: int, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["cron", *words]) == status
    output = capsys.readouterr()
    assert output.out == ""
    assert output.err.startswith(f"logdrain: {message}")
