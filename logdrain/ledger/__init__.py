"""The ledger in Postgres: schedules, slices, runs, late work, notices, named results."""
