"""What a job is and when it runs: cron, due slices, retries, job files, jobs in Python."""
