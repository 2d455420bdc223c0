-- Cheaper claims and ends of runs, how many bytes a run has read, slices that wait for a table.

-- What the stores have sent for a run; NULL for runs that did not succeed, and for those of before.
ALTER TABLE logdrain.runs ADD COLUMN bytes_read bigint;

-- A table that the last run failed for: its first events, and late ones, bring the slice back; '' is none.
ALTER TABLE logdrain.slices ADD COLUMN awaits_table text NOT NULL DEFAULT '';
CREATE INDEX slices_awaiting ON logdrain.slices (awaits_table) WHERE state = 'failed' AND awaits_table <> '';

-- Runs that ended, beside run_totals: in many rows, so that runs that end at once do not wait for each other.
CREATE TABLE logdrain.run_counts (
    state text NOT NULL CHECK (state IN ('succeeded', 'failed', 'lost', 'killed')),
    part  smallint NOT NULL,
    count bigint NOT NULL,
    PRIMARY KEY (state, part)
);

-- This function and those below set their search path: operators of strangers must not run as who calls them.
CREATE FUNCTION logdrain.count_run(ended text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO logdrain.run_counts AS kept (state, part, count) VALUES (ended, pg_backend_pid() % 64, 1)
    ON CONFLICT (state, part) DO UPDATE SET count = kept.count + 1;
END
$$;

-- Keeps that a slice has just succeeded, where other schedules run after it.
CREATE FUNCTION logdrain.note_success(of_schedule text, of_time timestamptz) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO logdrain.successes (schedule, scheduled_at)
    SELECT of_schedule, of_time
    WHERE EXISTS (SELECT FROM logdrain.schedules WHERE after @> ARRAY[of_schedule] AND after <> '{}');
END
$$;

-- Says in a schedule's row what its slices say; whoever calls it has locked the row. In plpgsql, which keeps its
-- plans: to plan these statements takes longer than to run them.
CREATE FUNCTION logdrain.requeue_one(which text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    UPDATE logdrain.schedules AS schedule
    SET (runnable_from, runnable_late, running_until, is_held) = (
        SELECT least(timely.start, late.start), timely.start IS NULL AND late.start IS NOT NULL, running.until,
               coalesce(timely.is_held OR late.is_held, timely.is_held, late.is_held, false)
        FROM (SELECT max(lease_until) AS until FROM logdrain.slices
              WHERE slices.schedule = which AND state = 'running') AS running
        LEFT JOIN (
            SELECT CASE WHEN NOT is_held THEN coalesce(not_before, '-infinity') END AS start, is_held
            FROM (SELECT not_before, NOT forced AND schedule.after <> '{}'
                         AND logdrain.has_to_wait(schedule.after, scheduled_at) AS is_held
                  FROM logdrain.slices
                  WHERE slices.schedule = which AND state = 'waiting' AND cause <> 'late'
                    AND (schedule.paused_at IS NULL OR cause = 'manual')
                  ORDER BY scheduled_at LIMIT 1) AS head) AS timely ON true
        LEFT JOIN (
            SELECT CASE WHEN NOT is_held THEN coalesce(not_before, '-infinity') END AS start, is_held
            FROM (SELECT not_before, NOT forced AND schedule.after <> '{}'
                         AND logdrain.has_to_wait(schedule.after, scheduled_at) AS is_held
                  FROM logdrain.slices
                  WHERE slices.schedule = which AND state = 'waiting' AND cause = 'late'
                    AND schedule.paused_at IS NULL
                  ORDER BY scheduled_at LIMIT 1) AS head) AS late ON true)
    WHERE name = which;
END
$$;

-- The same, and for schedules that were held by this one and are no more. One that somebody else has locked is
-- left to those who look for such from time to time.
CREATE FUNCTION logdrain.requeue(which text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM logdrain.requeue_one(which);
    PERFORM logdrain.requeue_one(name)
    FROM (SELECT name FROM logdrain.schedules AS follower
          WHERE after @> ARRAY[which] AND after <> '{}' AND is_held
            AND NOT logdrain.has_to_wait(after, (SELECT min(scheduled_at) FROM logdrain.slices
                                                 WHERE slices.schedule = follower.name AND state = 'waiting'))
          FOR NO KEY UPDATE SKIP LOCKED) AS freed;
END
$$;
