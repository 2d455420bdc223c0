"""What DuckDB says when a query fails, before it is put into the words of SQL."""

EXPLAIN = "EXPLAIN "
"""Before DuckDB's SQL: it says where an error is, and runs nothing."""
OUT_OF_MEMORY = "Out of Memory Error: the query needs more memory than it may use"
ROW_TOO_LARGE = "Row Size Error: a row of the result has more than 16 MiB"
NO_MEMORY_STATUS = 12
"""Exit status of a process that lacked memory for more than a step of a query; ENOMEM."""


class DuckdbFailure(Exception):
    """A query failed in DuckDB.

    Attributes:
        said: What DuckDB says.
        explained: What it says to EXPLAIN and the same SQL; "" where it was not asked.
    """

    def __init__(self, said: str, explained: str = "") -> None:
        super().__init__(said)
        self.said = said
        self.explained = explained

    @property
    def is_of_memory(self) -> bool:
        """Whether memory was lacking: what ran the query may be in any state then."""
        return self.said == OUT_OF_MEMORY
