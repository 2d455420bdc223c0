import json

import pytest

from logdrain.drain.loggers import JSON_FIELDS, PREFIX_SIZE_MAX_BYTES, may_start_event, read_logged
from logdrain.drain.tags import TaggedLine, bare

LINE = '@[production.pay] {"uid":123,"text":"a \\"b\\" ]} é"}'
TAGGED = TaggedLine("production.pay", LINE.partition(" ")[2].encode())

PYTHON = """
INFO:root:@[
WARNING:shop.pay:@[
2026-07-01 12:00:00,123 INFO @[
2026-07-01 12:00:00,123 - shop - INFO - @[
2026-07-01 12:00:00,123 - shop.pay - WARNING - @[
2026-07-01 12:00:00,123 INFO shop: @[
2026-07-01 12:00:00,123 [INFO] shop.pay: @[
2026-07-01 12:00:00,123 @[
[2026-07-01 12:00:00,123] INFO in app: @[
[2026-07-01 12:00:00 +0000] [4] [INFO] @[
[2026-07-01 12:00:00,123: INFO/MainProcess] @[
2026-07-01 12:00:00.123 | INFO     | __main__:<module>:3 - @[
INFO 2026-07-01 12:00:00,123 views 4 140123 @[
INFO:     @[
INFO root: @[
[INFO] @[
[INFO] shop.pay: @[
shop        : INFO     @[
shop         INFO     @[
DEBUG 2026-07-01 12:00:00 shop.pay: @[
"""
RUBY = """
I, [2026-07-01T12:00:00.123456 #4]  INFO -- : @[
W, [2026-07-01T12:00:00.123456 #4]  WARN -- shop: @[
I, [2012-03-01T00:00:00.123456#4]  INFO -- : @[
I, [2026-07-01T12:00:00.123456 #4]  INFO -- : [d1a8c0de-0000] [1.2.3.4] @[
[d1a8c0de-0000-4000-8000-0123456789ab] @[
[d1a8c0de] [ActiveJob] [PayJob] @[
"""
JAVA = """
2026-07-01 12:00:00,123 INFO  [main] com.shop.Pay: @[
2026-07-01 12:00:00,123 [main] INFO  com.shop.Pay - @[
12:00:00.123 [main] INFO  com.shop.Pay - @[
12:00:00.123 [http-nio-8080-exec-1] INFO  c.s.PayService -- @[
2026-07-01 12:00:00.123  INFO 4 --- [           main] c.s.Pay                                  : @[
2026-07-01T12:00:00.123+02:00  INFO 4 --- [shop] [           main] c.s.Pay   : @[
0    [main] INFO  com.shop.Pay  - @[
INFO  Pay - @[
INFO  [main] com.shop.Pay - @[
INFO - @[
[INFO ] 2026-07-01 12:00:00.123 [main] Pay - @[
2026-07-01 12:00:00,123 INFO c.s.Pay [main] @[
"""
OTHERS = """
info: @[
[2026-07-01T12:00:00.123] [INFO] default - @[
2026/07/01 12:00:00.123456 @[
12:00:00.123 [info] @[
[2026-07-01T12:00:00Z INFO  shop] @[
[01/Jul/2026 12:00:00] INFO [shop.pay:12] @[
"""
PREFIXES = [
    line.removesuffix("@[") for group in (PYTHON, RUBY, JAVA, OTHERS) for line in group.split("\n")[1:-1]
]

SENTENCES = """
sent @[
- @[
"@[
12:00 @[
12:00:00 @[
error @[
web.1  | @[
INFO sent @[
INFO sent: @[
INFO:root:sent @[
we sent this: @[
published INFO: this @[
[d1a8c0de] sent @[
2026-07-01 12:00:00 @[
2026-07-01T12:00:00.123Z @[
2026-07-01T12:00:00.123456+00:00 @[
2026-07-01T12:00:00.123Z [web-1] @[
Jul  1 12:00:00 host app[12]: @[
2026-07-01 12:00:00,123 INFO sent @[
2026-07-01 12:00:00,123 - shop - INFO - sent @[
I, [2026-07-01T12:00:00.123456 #4]  INFO -- : sent @[
2026-07-01T12:00:00.123456+00:00 app[web.1]: @[
2026-07-01T12:00:00.123456+00:00 app[web.1]: INFO:root:@[
"""


@pytest.mark.parametrize("prefix", PREFIXES)
def test_prefixes_of_loggers(prefix: str) -> None:
    line = f"{prefix}{LINE}".encode()
    assert read_logged(line) == TAGGED
    assert may_start_event(line)
    colourful = f"\N{ESCAPE}[32m{prefix}\N{ESCAPE}[0m{LINE}".encode()
    assert read_logged(bare(colourful)) == TAGGED


@pytest.mark.parametrize("sentence", [line.removesuffix("@[") for line in SENTENCES.split("\n")[1:-1]])
def test_what_no_logger_writes(sentence: str) -> None:
    line = f"{sentence}{LINE}".encode()
    assert read_logged(line) is None
    assert not may_start_event(line)


def test_a_prefix_has_an_end() -> None:
    line = b"[d1a8] " * PREFIX_SIZE_MAX_BYTES + LINE.encode()
    assert read_logged(line) is None


@pytest.mark.parametrize("name", JSON_FIELDS)
@pytest.mark.parametrize("before", ["", " ", "\N{BOM}", "\N{ESCAPE}[32m"])
def test_json_logs(name: str, before: str) -> None:
    line = json.dumps({"level": 30, name: before + LINE, "pid": 4}).encode()
    assert read_logged(line) == TAGGED
    assert may_start_event(line)


@pytest.mark.parametrize(
    "log",
    [
        {"level": 30, "text": LINE},
        {"level": 30, "msg": f"sent {LINE}"},
        {"level": 30, "msg": {"msg": LINE}},
        {"level": 30, "msg": [LINE]},
        {"level": 30, "msg": None},
    ],
)
def test_json_logs_without_a_tagged_line(log: dict[str, object]) -> None:
    assert read_logged(json.dumps(log).encode()) is None


@pytest.mark.parametrize(
    "line", [b'{"msg":"@[a.b] {}"', b'{"msg":"@[a.b] \xff"}', b"{" * 100_000 + b"@[a.b]"]
)
def test_json_logs_that_are_no_json(line: bytes) -> None:
    assert read_logged(line) is None


def test_the_first_field_that_has_one_counts() -> None:
    other = LINE.replace("pay", "other")
    assert read_logged(json.dumps({"event": other, "message": LINE, "msg": "text"}).encode()) == TAGGED
