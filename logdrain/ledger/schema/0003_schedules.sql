-- Late data, pauses, priorities, time limits, kills, notices; and a queue, so that a claim costs the same
-- however many schedules there are.

ALTER TABLE logdrain.schedules
    ADD COLUMN priority      smallint NOT NULL DEFAULT 0 CHECK (priority BETWEEN -2 AND 2),
    -- How long after its scheduled time a slice runs again for late events; 0 is never.
    ADD COLUMN late_s        integer NOT NULL DEFAULT 86400 CHECK (late_s >= 0),
    -- 0 is the time limit of all queries.
    ADD COLUMN timeout_s     integer NOT NULL DEFAULT 0 CHECK (timeout_s >= 0),
    -- Where failures are told; '' is the place for all schedules.
    ADD COLUMN notify        text NOT NULL DEFAULT '',
    ADD COLUMN paused_at     timestamptz,
    -- Since when its newest ended slice is one that failed for good.
    ADD COLUMN failing_since timestamptz,
    -- The queue: from when on a waiting slice may run, by the clock of who claims; NULL is nothing waits.
    ADD COLUMN runnable_from timestamptz,
    -- A slice runs, and its lease is renewed before this time or lost; by this server's clock.
    ADD COLUMN running_until timestamptz,
    -- All that may run are slices that run again for late events.
    ADD COLUMN runnable_late boolean NOT NULL DEFAULT false;
CREATE INDEX schedules_queue ON logdrain.schedules (priority DESC, runnable_late, last_claimed_at NULLS FIRST, name)
    WHERE runnable_from IS NOT NULL OR running_until IS NOT NULL;

DROP INDEX logdrain.slices_open;
CREATE INDEX slices_waiting ON logdrain.slices (schedule, scheduled_at) WHERE state = 'waiting' AND cause <> 'late';
CREATE INDEX slices_waiting_late ON logdrain.slices (schedule, scheduled_at) WHERE state = 'waiting' AND cause = 'late';

ALTER TABLE logdrain.slices
    -- Why it was asked for, in words.
    ADD COLUMN reason          text NOT NULL DEFAULT '',
    -- When the last successful run began to read, by the store's clock; NULL never runs again for late events.
    ADD COLUMN scan_started_at timestamptz,
    -- Only while it is the newest slice that has succeeded does it run again for late events.
    ADD COLUMN is_newest_only  boolean NOT NULL DEFAULT false,
    -- What it read has not been compared yet with the notes of late events.
    ADD COLUMN is_unchecked    boolean NOT NULL DEFAULT false,
    DROP CONSTRAINT slices_state_check,
    ADD CONSTRAINT slices_state_check
        CHECK (state IN ('waiting', 'running', 'succeeded', 'failed', 'skipped', 'cancelled'));
CREATE INDEX slices_unchecked ON logdrain.slices (schedule, scheduled_at) WHERE is_unchecked;

-- Which events the last successful run of a slice has read; NULL is an open end.
CREATE TABLE logdrain.slice_reads (
    schedule     text NOT NULL,
    scheduled_at timestamptz NOT NULL,
    table_name   text NOT NULL,
    start_s      bigint,
    end_s        bigint,
    FOREIGN KEY (schedule, scheduled_at) REFERENCES logdrain.slices ON UPDATE CASCADE ON DELETE CASCADE
);
CREATE INDEX slice_reads_of_slice ON logdrain.slice_reads (schedule, scheduled_at);
CREATE INDEX slice_reads_of_table ON logdrain.slice_reads (table_name, end_s);

-- Hours whose events came late, copied from the store.
CREATE TABLE logdrain.late (
    table_name text NOT NULL,
    hour_s     bigint NOT NULL,
    noted_at   timestamptz NOT NULL,
    -- Slices that read the hour have not been looked for since.
    is_open    boolean NOT NULL DEFAULT true,
    PRIMARY KEY (table_name, hour_s)
);
CREATE INDEX late_open ON logdrain.late (noted_at) WHERE is_open;

ALTER TABLE logdrain.runs
    ADD COLUMN reason        text NOT NULL DEFAULT '',
    -- When it could have started; NULL is when it was asked for.
    ADD COLUMN due_at        timestamptz,
    ADD COLUMN kill_asked_at timestamptz,
    DROP CONSTRAINT runs_state_check,
    ADD CONSTRAINT runs_state_check CHECK (state IN ('running', 'succeeded', 'failed', 'lost', 'killed')),
    DROP CONSTRAINT runs_schedule_fkey,
    ADD CONSTRAINT runs_schedule_fkey FOREIGN KEY (schedule)
        REFERENCES logdrain.schedules ON UPDATE CASCADE ON DELETE CASCADE;
CREATE INDEX runs_by_end ON logdrain.runs (finished_at);
ALTER TABLE logdrain.slices
    DROP CONSTRAINT slices_schedule_fkey,
    ADD CONSTRAINT slices_schedule_fkey FOREIGN KEY (schedule)
        REFERENCES logdrain.schedules ON UPDATE CASCADE ON DELETE CASCADE;

ALTER TABLE logdrain.run_totals
    DROP CONSTRAINT run_totals_state_check,
    ADD CONSTRAINT run_totals_state_check CHECK (state IN ('succeeded', 'failed', 'lost', 'killed'));
INSERT INTO logdrain.run_totals (state) VALUES ('killed');

-- What is to be told of schedules that fail and recover.
CREATE TABLE logdrain.notices (
    key         uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    url         text NOT NULL,
    body        jsonb NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    attempts    integer NOT NULL DEFAULT 0,
    next_try_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX notices_next ON logdrain.notices (next_try_at);

UPDATE logdrain.schedules AS schedule
SET runnable_from = head.runnable_from, running_until = head.running_until
FROM (SELECT schedule, max(lease_until) AS running_until,
             min(coalesce(not_before, '-infinity')) FILTER (WHERE state = 'waiting') AS runnable_from
      FROM logdrain.slices WHERE state IN ('waiting', 'running') GROUP BY schedule) AS head
WHERE head.schedule = schedule.name;
