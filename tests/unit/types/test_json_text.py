import json
from datetime import datetime
from typing import Any

import pytest
from bson.datetime_ms import DatetimeMS
from bson.decimal128 import Decimal128
from bson.int64 import Int64
from bson.objectid import ObjectId
from hypothesis import given

from logdrain.types.type_table import json_text
from tests.unit.types.typed_values import JSON


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("plain", "plain"),
        ("", ""),
        ('"quoted"\0', '"quoted"\0'),
        (True, "true"),
        (False, "false"),
        (1, "1"),
        (Int64(9007199254740993), "9007199254740993"),
        (2.0, "2.0"),
        (-0.0, "-0.0"),
        (1e300, "1e+300"),
        (Decimal128("123456789012345678901234567890"), "123456789012345678901234567890"),
        (Decimal128("1E+20"), "100000000000000000000"),
        (datetime(1969, 12, 31, 23, 59, 59, 999_000), "1969-12-31T23:59:59.999Z"),  # noqa: DTZ001  # as bson decodes
        (DatetimeMS(2**48), "281474976710656"),
        (ObjectId("0123456789abcdef01234567"), "0123456789abcdef01234567"),
        ([], "[]"),
        ({}, "{}"),
        ([1, None, "ü", [True]], '[1,null,"ü",[true]]'),
        ({"b": Int64(1), "a": {"z": 0.5}}, '{"b":1,"a":{"z":0.5}}'),
        ({"n": Decimal128("18446744073709551616")}, '{"n":18446744073709551616}'),
        ([datetime(2024, 5, 1)], '["2024-05-01T00:00:00.000Z"]'),  # noqa: DTZ001  # as bson decodes
    ],
)
def test_text_of(value: Any, text: str) -> None:
    assert json_text(value) == text


@given(JSON)
def test_everything_but_strings_reads_back_as_it_was(value: Any) -> None:
    if value is None or isinstance(value, str):
        return
    assert repr(json.loads(json_text(value))) == repr(value)
