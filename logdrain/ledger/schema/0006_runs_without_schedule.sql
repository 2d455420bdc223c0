-- A run may be of a query that somebody sent: it has no schedule, and need not have a scheduled time.

ALTER TABLE logdrain.runs
    ALTER COLUMN schedule DROP NOT NULL,
    ALTER COLUMN scheduled_at DROP NOT NULL,
    ADD CONSTRAINT runs_of_a_schedule_have_a_time CHECK (schedule IS NULL OR scheduled_at IS NOT NULL);
