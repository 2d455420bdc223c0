"""When a job runs: cron, due slices, job files, and the ledger of slices and runs in Postgres."""
