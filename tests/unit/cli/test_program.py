"""What the program does with words, and with defects of its own."""

import errno
import os
import sys
from io import StringIO

import pytest

from logdrain.__main__ import run
from logdrain.cli import jobs, schedules, servers
from logdrain.errors import CronInvalid


@pytest.fixture
def _broken(monkeypatch: pytest.MonkeyPatch) -> None:
    def break_down(_: object) -> int:
        raise ZeroDivisionError("at postgres://u:secret@h/db\nand on")

    monkeypatch.setattr(jobs, "run_cron", break_down)


@pytest.mark.usefixtures("_broken")
@pytest.mark.parametrize("debug", ["", "0"])
def test_a_defect_is_one_line(
    debug: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LOGDRAIN_DEBUG", debug)
    assert run(["cron", "@daily"]) == 70
    line, hint = capsys.readouterr().err.splitlines()
    assert line.startswith(
        "logdrain: internal error: ZeroDivisionError: at postgres://u:***@h/db and on (test_program.py:"
    )
    assert hint.startswith("hint: please report it")


@pytest.mark.usefixtures("_broken")
def test_the_traceback_is_shown_where_it_is_asked_for(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LOGDRAIN_DEBUG", "1")
    assert run(["cron", "@daily"]) == 70
    said = capsys.readouterr().err
    assert said.startswith("Traceback (most recent call last)")
    assert "in break_down" in said
    assert "secret" not in said


def test_what_ends_a_server_is_shown_at_once(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(servers, "run_work", lambda _: 1 // 0)
    assert run(["work"]) == 70
    assert capsys.readouterr().err.startswith("Traceback (most recent call last)")


@pytest.mark.parametrize("word", ["sched", "schedule", "sched:list", "schedule:list"])
def test_a_group_alone_is_its_list(word: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schedules, "run_sched_list", lambda _: 7)
    assert run([word]) == 7


def test_a_group_without_a_list_names_its_commands(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["bi"]) == 2
    assert "hint: there are bi:grant, bi:revoke" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["query"], "no query was given"),
        (["query", "-q", "/nosuch.sql", "SELECT 1"], "the query was given twice, and /nosuch.sql is no file"),
    ],
)
def test_a_query_is_given_once(words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(words) == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said", "hint"),
    [
        (["sched", "create"], "'sched create' is one word here", "write `logdrain sched:create`"),
        (
            ["cron", "@daily", "--zone", "UTC"],
            "unrecognized arguments: --zone UTC",
            "did you mean '--timezone'?",
        ),
        (["cron"], "the following arguments are required: expression", "`logdrain cron --help` shows"),
        (
            ["cron", "@daily", "-n", "x"],
            "argument -n: invalid int value: 'x'",
            "`logdrain cron --help` shows",
        ),
    ],
)
def test_wrong_words_are_one_message_and_a_hint(
    words: list[str], said: str, hint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(words) == 2
    first, second = capsys.readouterr().err.splitlines()
    assert first == f"logdrain: {said}"
    assert second.startswith(f"hint: {hint}")


def test_a_reader_that_has_left_does_not_hide_the_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(_: object) -> int:
        raise CronInvalid("nothing runs then")

    class Gone(StringIO):
        def flush(self) -> None:
            raise BrokenPipeError

    monkeypatch.setattr(jobs, "run_cron", fail)
    with monkeypatch.context() as patched:
        patched.setattr(sys, "stdout", Gone())
        assert run(["cron", "@daily"]) == 1
    assert capsys.readouterr().err == "logdrain: nothing runs then\n"


@pytest.mark.parametrize(
    "words",
    [["tail", "-n", "-4"], ["quarantine", "-n", "x"], ["job:list", "-5"], ["sched:history", "a", "9" * 23]],
)
def test_a_number_of_rows_is_none_below_zero_or_beyond_reason(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(words) == 2
    assert "is no whole number from 0 to 1000000" in capsys.readouterr().err


def test_a_full_disk_is_no_defect(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    def fail(_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(jobs, "run_cron", fail)
        patched.setattr(os, "dup2", lambda *_: None)
        assert run(["cron", "@daily"]) == 1
    first, hint = capfd.readouterr().err.splitlines()
    assert first == "logdrain: nothing more can be written: No space left on device"
    assert hint.startswith("hint: make room")


def test_words_of_another_encoding_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["query", "SELECT '\udce9'"]) == 2
    assert "is not in the locale's encoding" in capsys.readouterr().err
