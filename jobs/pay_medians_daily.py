"""The middle and the highest price of the past day, category by category: a job in Python."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import timedelta
from statistics import median

import logdrain


@logdrain.job(
    cron="@daily",
    delay="30m",  # lines of the last minutes may still be on their way
    database="production",
    result="heroku_db:pay_medians",
    columns={"category": "VARCHAR", "count": "BIGINT", "median": "DOUBLE", "highest": "DOUBLE"},
    enabled=False,  # an example: say True, or `logdrain jobs apply` this file
)
def pay_medians_daily(context: logdrain.JobContext) -> Iterator[dict[str, object]]:
    """A row for each category; column `time`, the end of the day, is filled in."""
    prices: dict[str, list[float]] = defaultdict(list)
    end = context.scheduled_time
    for batch in context.scan("pay", end - timedelta(days=1), end, ["item_category", "price"]):
        for row in batch.to_pylist():
            if row["price"] is not None:
                prices[row["item_category"]].append(float(row["price"]))
    for category, of_category in prices.items():
        yield {
            "category": category,
            "count": len(of_category),
            "median": float(median(of_category)),
            "highest": max(of_category),
        }
