-- Schedules that run after others, jobs in Python, and a view of how fresh result tables are.

ALTER TABLE logdrain.schedules
    -- Schedules whose slices go first, up to the same time.
    ADD COLUMN after    text[] NOT NULL DEFAULT '{}',
    -- The function in the file `source`, whose text is then `sql`; '' for SQL.
    ADD COLUMN function text NOT NULL DEFAULT '',
    -- A slice that would be next waits for another schedule's, and is not in the queue.
    ADD COLUMN is_held  boolean NOT NULL DEFAULT false;
CREATE INDEX schedules_after ON logdrain.schedules USING gin (after) WHERE after <> '{}';
CREATE INDEX schedules_held ON logdrain.schedules (name) WHERE is_held;

-- Whether a slice of a schedule that runs after others has to wait: one of them has an open slice up to its time.
-- LIMIT, and not EXISTS, which the planner may answer from a hash of all slices, made anew for each call.
CREATE FUNCTION logdrain.has_to_wait(after text[], instant timestamptz) RETURNS boolean
LANGUAGE sql STABLE AS $$
    SELECT coalesce(bool_or(coalesce(
        before.next_at <= instant
        OR (SELECT true FROM logdrain.slices WHERE slices.schedule = before.name
            AND state = 'waiting' AND cause <> 'late' AND scheduled_at <= instant LIMIT 1)
        OR (SELECT true FROM logdrain.slices WHERE slices.schedule = before.name
            AND state = 'waiting' AND cause = 'late' AND scheduled_at <= instant LIMIT 1)
        OR (SELECT true FROM logdrain.slices WHERE slices.schedule = before.name
            AND state = 'running' AND scheduled_at <= instant LIMIT 1), false)), false)
    FROM logdrain.schedules AS before WHERE before.name = ANY (has_to_wait.after)
$$;

-- Slices that have succeeded, until those that have read their rows before have been asked again.
CREATE TABLE logdrain.successes (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    schedule     text NOT NULL REFERENCES logdrain.schedules ON UPDATE CASCADE ON DELETE CASCADE,
    scheduled_at timestamptz NOT NULL,
    succeeded_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX successes_of_schedule ON logdrain.successes (schedule);

CREATE INDEX runs_failed ON logdrain.runs (schedule, id DESC) WHERE state IN ('failed', 'lost');

CREATE VIEW logdrain.freshness AS
SELECT schedule.result_table,
       schedule.name AS schedule,
       newest.scheduled_at AS last_slice,
       newest.finished_at AS last_success_at,
       coalesce(least(schedule.next_at, open.scheduled_at), schedule.next_at) AS next_slice,
       extract(epoch FROM clock_timestamp() - newest.scheduled_at)::double precision AS lag_seconds,
       coalesce(day.runs, 0) AS runs_last_day,
       coalesce(day.failed, 0) AS failed_runs_last_day,
       coalesce(day.late, 0) AS late_reruns_last_day,
       nullif(failed.error_message, '') AS last_error,
       failed.finished_at AS last_error_at,
       schedule.failing_since,
       schedule.paused_at
FROM logdrain.schedules AS schedule
LEFT JOIN LATERAL (
    SELECT slice.scheduled_at, run.finished_at
    FROM logdrain.slices AS slice
    LEFT JOIN LATERAL (
        SELECT finished_at FROM logdrain.runs
        WHERE runs.schedule = slice.schedule AND runs.scheduled_at = slice.scheduled_at
          AND runs.state = 'succeeded'
        ORDER BY fence DESC LIMIT 1
    ) AS run ON true
    WHERE slice.schedule = schedule.name AND slice.ever_succeeded
    ORDER BY slice.scheduled_at DESC LIMIT 1
) AS newest ON true
LEFT JOIN LATERAL (
    SELECT min(scheduled_at) AS scheduled_at FROM logdrain.slices
    WHERE slices.schedule = schedule.name AND state = 'waiting' AND cause <> 'late'
) AS open ON true
LEFT JOIN LATERAL (
    SELECT error_message, finished_at FROM logdrain.runs
    WHERE runs.schedule = schedule.name AND runs.state IN ('failed', 'lost')
    ORDER BY id DESC LIMIT 1
) AS failed ON true
LEFT JOIN (
    SELECT schedule, count(*) AS runs, count(*) FILTER (WHERE state IN ('failed', 'lost')) AS failed,
           count(*) FILTER (WHERE cause = 'late') AS late
    FROM logdrain.runs WHERE finished_at > clock_timestamp() - interval '1 day' GROUP BY schedule
) AS day ON day.schedule = schedule.name
WHERE schedule.result_table <> '';

COMMENT ON VIEW logdrain.freshness IS
    'How fresh result tables are, one row for each schedule that writes one. `logdrain bi:grant` lets a role read it.';
COMMENT ON COLUMN logdrain.freshness.result_table IS 'Result and table: heroku_db:payment_history.';
COMMENT ON COLUMN logdrain.freshness.schedule IS 'The schedule that writes it.';
COMMENT ON COLUMN logdrain.freshness.last_slice IS
    'The newest scheduled time whose rows are there: the end of the newest window.';
COMMENT ON COLUMN logdrain.freshness.last_success_at IS 'When that slice was last written.';
COMMENT ON COLUMN logdrain.freshness.next_slice IS
    'The oldest slice that still waits, else the next scheduled time; NULL is never by itself.';
COMMENT ON COLUMN logdrain.freshness.lag_seconds IS
    'Seconds from last_slice to now. An hourly schedule in good order goes from its delay up to an hour more.';
COMMENT ON COLUMN logdrain.freshness.runs_last_day IS 'Runs that ended in the last 24 hours.';
COMMENT ON COLUMN logdrain.freshness.failed_runs_last_day IS 'How many of them failed or vanished.';
COMMENT ON COLUMN logdrain.freshness.late_reruns_last_day IS
    'How many of them ran again because events, or rows of a schedule before it, came late.';
COMMENT ON COLUMN logdrain.freshness.last_error IS 'Of the newest run that failed, also where a later one succeeded.';
COMMENT ON COLUMN logdrain.freshness.last_error_at IS 'When that run ended.';
COMMENT ON COLUMN logdrain.freshness.failing_since IS
    'Since when its newest slice is one that failed for good; NULL is in good order.';
COMMENT ON COLUMN logdrain.freshness.paused_at IS 'Since when it is paused; NULL is not paused.';
