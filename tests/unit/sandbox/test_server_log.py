import json

from logdrain.sandbox.server_log import tell_why


def mongod_line(severity: str, message: str, **details: str) -> str:
    return json.dumps({"s": severity, "c": "NETWORK", "msg": message, "attr": details})


def test_an_empty_log_tells_nothing() -> None:
    assert tell_why("") == ""
    assert tell_why("\n \n") == ""


def test_the_last_lines_of_a_plain_log() -> None:
    assert tell_why("".join(f"line {number}\n" for number in range(9))) == (
        "line 4 | line 5 | line 6 | line 7 | line 8"
    )


def test_the_grave_lines_of_a_structured_log_wherever_they_are() -> None:
    log = "\n".join(
        [
            mongod_line("I", "starting"),
            mongod_line("E", "Failed to set up listener", error="Address already in use"),
            mongod_line("F", "aborting"),
            *(mongod_line("I", f"shutdown step {number}") for number in range(20)),
        ]
    )
    assert tell_why(log) == 'Failed to set up listener {"error": "Address already in use"} | aborting'


def test_a_structured_log_without_grave_lines() -> None:
    assert "all well" in tell_why(mongod_line("I", "all well"))


def test_json_that_is_no_log_entry() -> None:
    assert tell_why('5\n"E"\n["s"]') == '5 | "E" | ["s"]'


def test_long_lines_are_cut() -> None:
    assert len(tell_why("x" * 100_000)) == 500
