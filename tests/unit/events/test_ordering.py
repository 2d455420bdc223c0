import random

from logdrain.events.write.ordering import places_in_order


def test_many_ids_are_in_order_and_equal_ones_as_they_came() -> None:
    source = random.Random(7)  # noqa: S311  # nothing secret
    ids = [source.randbytes(2) for _ in range(25_001)]
    assert places_in_order(ids) == sorted(range(len(ids)), key=ids.__getitem__)
    assert places_in_order([]) == []
