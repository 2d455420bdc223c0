import pytest
from sqlglot import exp

from logdrain.query.sql.kinds import NUMBER, REAL, TEMPORAL, TEXT, WHOLE, is_of

SETS = (TEXT, WHOLE, REAL, NUMBER, TEMPORAL, (exp.DType.UNKNOWN,), (exp.DType.ARRAY, exp.DType.STRUCT))
LIST = exp.DataType.build("ARRAY<INT>")


@pytest.mark.parametrize("kind", list(exp.DType))
def test_it_is_what_sqlglot_says(kind: exp.DType) -> None:
    """Of a type, of a cast to it and of a column that has it."""
    column = exp.column("n")
    column.type = kind
    for node in (kind.into_expr(), exp.cast(exp.column("n"), kind), column):
        assert [is_of(node, kinds) for kinds in SETS] == [node.is_type(*kinds) for kinds in SETS]


def test_lists_are_lists_and_what_has_no_type_is_nothing() -> None:
    assert is_of(exp.cast(exp.column("n"), LIST), (exp.DType.ARRAY,))
    assert not any(is_of(exp.column("n"), kinds) for kinds in SETS)
