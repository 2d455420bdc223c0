"""CONV and SOUNDEX, of any text."""

import re

from hypothesis import example, given
from hypothesis import strategies as some

from logdrain.query.values.hive_texts import converted, soundex

BASES = some.integers(2, 36)


@given(some.integers(0, 2**64 - 1), BASES, BASES)
def test_a_number_comes_back_from_another_base(number: int, there: int, back: int) -> None:
    text = converted(str(number), 10, there)
    assert text is not None
    assert int(text, there) == number
    assert converted(converted(text.lower(), there, back) or "", back, 10) == str(number)


@given(some.integers(-(2**63), 2**63 - 1), BASES)
@example(-(2**63), 2)
def test_a_negative_base_keeps_the_sign(number: int, base: int) -> None:
    text = converted(str(number), 10, -base)
    assert text is not None
    assert int(text, base) == number


@given(some.text(), some.integers(-40, 40), some.integers(-40, 40))
def test_any_text_is_a_number_or_null(text: str, from_base: int, to_base: int) -> None:
    assert re.fullmatch("-?[0-9A-Z]+", converted(text, from_base, to_base) or "0")


@given(some.text())
def test_a_sound_is_a_letter_and_three_digits(text: str) -> None:
    assert re.fullmatch("([A-Z][1-6]{0,3}0{0,3})?", soundex(text) or "")
    assert len(soundex(text) or "") in (0, 4)
