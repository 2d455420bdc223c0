-- Keys that let senders and readers in. Of a secret only its SHA-256 is kept.

CREATE TABLE logdrain.keys (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    scope      text NOT NULL CHECK (scope IN ('drain', 'write', 'read', 'admin')),
    -- Several keys may have one name: while a key is being changed, the old and the new one.
    name       text NOT NULL CHECK (name ~ '^[A-Za-z0-9_.-]{1,64}$'),
    sha256     bytea NOT NULL UNIQUE CHECK (octet_length(sha256) = 32),
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    -- Revoked keys stay, so that it can be told which there were.
    revoked_at timestamptz
);
CREATE INDEX keys_valid ON logdrain.keys (name) WHERE revoked_at IS NULL;
