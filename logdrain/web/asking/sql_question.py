"""What is asked by `POST /v1/sql`."""

from enum import StrEnum
from typing import Annotated

import msgspec

from logdrain.model.plans import Dialect


class RowFormat(StrEnum):
    """How rows are sent."""

    NDJSON = "ndjson"
    CSV = "csv"
    ARROW = "arrow"


class SqlQuestion(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The SQL of `logdrain query`.

    Attributes:
        sql: One statement.
        database: Where table names without a database live.
        dialect: Whose SQL it is written in.
        format: How the rows are sent.
        timeout_s: How long it may take; at most LOGDRAIN_QUERY_TIMEOUT_S.
        scheduled_time: What TD_SCHEDULED_TIME() returns, unix seconds; the present where it is not given.
    """

    sql: Annotated[str, msgspec.Meta(min_length=1, max_length=1_000_000)]
    database: str = ""
    dialect: Dialect = Dialect.TRINO
    format: RowFormat = RowFormat.NDJSON
    timeout_s: Annotated[float, msgspec.Meta(gt=0)] | None = None
    scheduled_time: Annotated[int, msgspec.Meta(ge=0, le=253_402_300_799)] | None = None
