import pytest

from logdrain.__main__ import run


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (
            '@[production.pay] {"price":1}',
            {"kind": "event", "table": "production.pay", "record": '{"price":1}'},
        ),
        ('@[a.b] {"time":1330560000}', {"kind": "event", "time": "2012-03-01T00:00:00.000Z"}),
        ('@[a.b] {"time":"2012-03-01 00:00:00"}', {"time": "the frame's: the record's has no zone"}),
        (
            'INFO:root:@[a.b] {"x":1}',
            {"kind": "event", "why": "what stands before the tag is what a logger writes"},
        ),
        ('{"msg":"@[a.b] {}"}', {"why": "it is a JSON log, and its msg, message or event is a tagged line"}),
        ("@[a] {}", {"kind": "rejected", "reason": "bad_tag"}),
        (
            "@[a.b] {" + ",".join(f'"k{number}":1' for number in range(10_001)) + "}",
            {"reason": "too_many_keys"},
        ),
        ("sent @[a.b] {}", {"kind": "near_miss", "reason": "text_before"}),
        ("@[a.b] {}" + " " * 10_000, {"pieces": "2: senders cut it, and they are put together again"}),
        ("hello", {"kind": "app"}),
    ],
)
def test_what_becomes_of_a_line(line: str, said: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["check", line]) == 0
    facts = dict(printed.split(maxsplit=1) for printed in capsys.readouterr().out.splitlines())
    assert facts["why"]
    assert {name: facts[name] for name in said} == said
