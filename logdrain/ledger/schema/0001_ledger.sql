-- The ledger: named results, schedules, their slices, and every run.

-- Names this database, so that a result writer can tell whether it is in the ledger's own.
CREATE TABLE logdrain.identity (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    id       uuid NOT NULL DEFAULT gen_random_uuid()
);
INSERT INTO logdrain.identity DEFAULT VALUES;

CREATE TABLE logdrain.results (
    name       text PRIMARY KEY CHECK (name <> ''),
    url        text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE TABLE logdrain.schedules (
    name            text PRIMARY KEY CHECK (name <> ''),
    cron            text NOT NULL,
    timezone        text NOT NULL,
    delay_s         integer NOT NULL CHECK (delay_s >= 0),
    database        text NOT NULL,
    sql             text NOT NULL,
    dialect         text NOT NULL CHECK (dialect IN ('trino', 'hive')),
    result          text NOT NULL,
    retry_limit     integer NOT NULL CHECK (retry_limit >= 0),
    catch_up        text NOT NULL CHECK (catch_up IN ('all', 'latest', 'none')),
    catch_up_max    integer NOT NULL CHECK (catch_up_max >= 0),
    source          text NOT NULL,
    -- Result and table without credentials and options; '' writes nowhere.
    result_table    text NOT NULL,
    -- The first cron instant that has not become a slice; NULL never runs by itself.
    next_at         timestamptz,
    -- Schedules with work take turns: the one served longest ago comes first.
    last_claimed_at timestamptz,
    created_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at      timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE UNIQUE INDEX schedules_one_writer_a_table ON logdrain.schedules (result_table) WHERE result_table <> '';
CREATE INDEX schedules_next ON logdrain.schedules (next_at) WHERE next_at IS NOT NULL;

CREATE TABLE logdrain.slices (
    schedule       text NOT NULL REFERENCES logdrain.schedules (name) ON DELETE CASCADE,
    scheduled_at   timestamptz NOT NULL,
    state          text NOT NULL CHECK (state IN ('waiting', 'running', 'succeeded', 'failed', 'skipped')),
    cause          text NOT NULL CHECK (cause IN ('schedule', 'manual', 'late')),
    -- A waiting slice may not start earlier; NULL is at once.
    not_before     timestamptz,
    -- Claims since the slice was last asked for.
    attempts       integer NOT NULL DEFAULT 0,
    -- Grows with every claim; a run may only write while it holds the highest.
    fence          bigint NOT NULL DEFAULT 0,
    -- By this server's clock, so that the clocks of workers do not matter.
    lease_until    timestamptz,
    owner          text NOT NULL DEFAULT '',
    forced         boolean NOT NULL DEFAULT false,
    ever_succeeded boolean NOT NULL DEFAULT false,
    error_code     text NOT NULL DEFAULT '',
    error_message  text NOT NULL DEFAULT '',
    error_hint     text NOT NULL DEFAULT '',
    PRIMARY KEY (schedule, scheduled_at),
    CHECK ((state = 'running') = (lease_until IS NOT NULL))
);
-- Per schedule one slice runs at a time: whatever a worker believes, this holds.
CREATE UNIQUE INDEX slices_one_running ON logdrain.slices (schedule) WHERE state = 'running';
CREATE INDEX slices_open ON logdrain.slices (schedule, scheduled_at) WHERE state = 'waiting';

CREATE TABLE logdrain.runs (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    schedule      text NOT NULL REFERENCES logdrain.schedules (name) ON DELETE CASCADE,
    scheduled_at  timestamptz NOT NULL,
    cause         text NOT NULL CHECK (cause IN ('schedule', 'manual', 'late')),
    attempt       integer NOT NULL,
    fence         bigint NOT NULL,
    owner         text NOT NULL,
    state         text NOT NULL DEFAULT 'running' CHECK (state IN ('running', 'succeeded', 'failed', 'lost')),
    started_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    finished_at   timestamptz,
    rows_read     bigint,
    rows_written  bigint,
    warnings      text[] NOT NULL DEFAULT '{}',
    error_code    text NOT NULL DEFAULT '',
    error_message text NOT NULL DEFAULT '',
    error_hint    text NOT NULL DEFAULT '',
    CHECK ((state = 'running') = (finished_at IS NULL))
);
CREATE INDEX runs_of_schedule ON logdrain.runs (schedule, id DESC);
CREATE UNIQUE INDEX runs_of_slice ON logdrain.runs (schedule, scheduled_at, fence);

-- Runs that ended, ever: stays monotone when runs are deleted.
CREATE TABLE logdrain.run_totals (
    state text PRIMARY KEY CHECK (state IN ('succeeded', 'failed', 'lost')),
    count bigint NOT NULL DEFAULT 0
);
INSERT INTO logdrain.run_totals (state) VALUES ('succeeded'), ('failed'), ('lost');
