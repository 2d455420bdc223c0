from logdrain.model.jobs import Mode
from logdrain.model.names import nearest, nearest_hint


def test_the_nearest_is_found_in_capitals_or_not_and_written_as_it_is_known() -> None:
    assert nearest_hint("USERID", ["price", "userId"]) == "did you mean 'userId'?"
    assert nearest_hint("Apend", tuple(Mode)) == "did you mean 'append'?"


def test_what_is_far_from_all_has_another_hint_or_none() -> None:
    assert nearest_hint("x", ["price"], "known: price") == "known: price"
    assert nearest_hint("x", ["price"]) == ""
    assert nearest("SELEC", ["SELECT"], likeness=0.95) == ""
