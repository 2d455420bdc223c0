-- The manifest of the archive: which file of which place holds which hours of a table.

CREATE TABLE logdrain.archive_places (
    id      text PRIMARY KEY,
    seen_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    -- How the last pass went.
    waiting bigint NOT NULL DEFAULT 0,
    failed  bigint NOT NULL DEFAULT 0,
    failure text NOT NULL DEFAULT '',
    behind_since timestamptz
);

-- Where machines have had a place: a folder that was one and is empty is a disk that is not mounted.
CREATE TABLE logdrain.archive_mounts (
    machine text NOT NULL,
    folder  text NOT NULL,
    place   text NOT NULL REFERENCES logdrain.archive_places ON DELETE CASCADE,
    seen_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (machine, folder)
);

CREATE TABLE logdrain.archive_files (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    place        text NOT NULL REFERENCES logdrain.archive_places ON DELETE CASCADE,
    database     text NOT NULL,
    "table"      text NOT NULL,
    -- Event time, unix seconds, whole hours, half-open.
    begins_s     bigint NOT NULL CHECK (begins_s % 3600 = 0),
    ends_s       bigint NOT NULL CHECK (ends_s % 3600 = 0 AND ends_s > begins_s),
    name         text NOT NULL,
    digest       text NOT NULL,
    size_bytes   bigint NOT NULL CHECK (size_bytes > 0),
    rows         bigint NOT NULL CHECK (rows > 0),
    first_id     bytea NOT NULL,
    last_id      bytea NOT NULL CHECK (last_id >= first_id),
    columns      jsonb NOT NULL,
    -- By MongoDB's clock.
    read_began   timestamptz NOT NULL,
    committed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    -- NULL: current. The octets of a replaced file stay for a day, for those who read it.
    replaced_at  timestamptz
);
CREATE INDEX archive_files_current ON logdrain.archive_files (place, database, "table", begins_s)
    WHERE replaced_at IS NULL;
CREATE INDEX archive_files_replaced ON logdrain.archive_files (place, replaced_at) WHERE replaced_at IS NOT NULL;
CREATE INDEX archive_files_named ON logdrain.archive_files (place, name);

CREATE SEQUENCE logdrain.archive_fences;

CREATE TABLE logdrain.archive_leases (
    fence    bigint PRIMARY KEY DEFAULT nextval('logdrain.archive_fences'),
    place    text NOT NULL REFERENCES logdrain.archive_places ON DELETE CASCADE,
    database text NOT NULL,
    "table"  text NOT NULL,
    begins_s bigint NOT NULL,
    ends_s   bigint NOT NULL,
    ends_at  timestamptz NOT NULL
);
CREATE INDEX archive_leases_of_table ON logdrain.archive_leases (place, database, "table");
