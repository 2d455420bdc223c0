import pytest

from logdrain.schedule.targets import result_table


@pytest.mark.parametrize(
    ("result", "table"),
    [
        ("", ""),
        ("heroku_db:payment_history", "heroku_db:payment_history"),
        ("heroku_db:payment_history?mode=append", "heroku_db:payment_history"),
        ("heroku_db:payment_history?mode=append&schema=bi", "heroku_db:payment_history?schema=bi"),
        ("postgres://u:secret@db.example/shop/sums?mode=append", "db.example:5432/shop/sums"),
        ("postgresql://other@db.example:5432/shop/sums", "db.example:5432/shop/sums"),
        ("postgresql://db.example:5433/shop/sums", "db.example:5433/shop/sums"),
    ],
)
def test_results_that_share_a_table_have_one_key_without_credentials(result: str, table: str) -> None:
    assert result_table(result) == table
