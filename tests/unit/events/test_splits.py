import bson

from logdrain.events.write.splits import split_queries
from logdrain.model.events import Origin

LONG = "\N{REPLACEMENT CHARACTER}" * 8000


def test_however_long_the_names_no_query_is_larger_than_mongodb_takes() -> None:
    origins = [Origin("n" * 5900, "app", f"p{number}", LONG) for number in range(300)]
    by = [f"{LONG}:{number}" for number in range(300)]
    queries = list(split_queries(origins, by))
    assert max(len(bson.encode(query)) for query in queries) < 8 * 1024 * 1024
    asked = [
        (document["proc"], name)
        for query in queries
        for document in query["$or"][0]["origin"]["$in"]
        for name in query["$or"][1]["continued_by"]["$in"]
    ]
    assert sorted(asked) == sorted((origin.proc, name) for origin in origins for name in by)


def test_a_few_are_one_query_with_each_origin_once() -> None:
    [query] = split_queries([Origin("shop", "app", "web.1", "")], ["B:0"])
    assert str(query).count("web.1") == 1
    assert len(list(split_queries([Origin("shop", "app", "web.1", "")], []))) == 1
