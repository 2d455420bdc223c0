"""Arrow rows to a Postgres table, in one transaction with the note that the slice ran."""
