import pytest

from logdrain.ledger.schedules import result_table


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
        ("heroku_db:p%61y", "heroku_db:pay"),
        ("heroku_db:pay?schema=b%69", "heroku_db:pay?schema=bi"),
        ("heroku_db:a%3Fschema=b", "heroku_db:a%3Fschema%3Db"),
        ("postgres://u:p%40w@DB.example/sh%6Fp/s%75ms", "db.example:5432/shop/sums"),
        ("postgres://[::1]/shop/sums", "[::1]:5432/shop/sums"),
    ],
)
def test_results_that_share_a_table_have_one_key_without_credentials(result: str, table: str) -> None:
    assert result_table(result) == table
