-- View freshness says schema and table; a slice that ran before its time does not count, and a schedule that has
-- never succeeded lags from its creation. The view is replaced, not made anew: roles keep their right to read it.

CREATE FUNCTION logdrain.percent_decoded(encoded text) RETURNS text LANGUAGE sql IMMUTABLE STRICT AS $$
    SELECT convert_from(string_agg(CASE WHEN part[1] ~ '^%..' THEN decode(substr(part[1], 2), 'hex')
                                        ELSE convert_to(part[1], 'UTF8') END, '' ORDER BY place), 'UTF8')
    FROM regexp_matches(encoded, '%[0-9A-F]{2}|[^%]+', 'g') WITH ORDINALITY AS parts (part, place)
$$;

CREATE OR REPLACE VIEW logdrain.freshness AS
SELECT schedule.result_table,
       schedule.name AS schedule,
       newest.scheduled_at AS last_slice,
       newest.finished_at AS last_success_at,
       coalesce(least(schedule.next_at, open.scheduled_at), schedule.next_at) AS next_slice,
       extract(epoch FROM clock_timestamp() - coalesce(newest.scheduled_at, schedule.created_at))::double precision
         AS lag_seconds,
       coalesce(day.runs, 0) AS runs_last_day,
       coalesce(day.failed, 0) AS failed_runs_last_day,
       coalesce(day.late, 0) AS late_reruns_last_day,
       nullif(failed.error_message, '') AS last_error,
       failed.finished_at AS last_error_at,
       schedule.failing_since,
       schedule.paused_at,
       logdrain.percent_decoded(substring(schedule.result_table FROM '\?schema=(.*)$')) AS schema,
       logdrain.percent_decoded(substring(schedule.result_table FROM '([^:/?]*)(?:\?schema=.*)?$')) AS "table"
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
      AND slice.scheduled_at <= clock_timestamp()
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

COMMENT ON COLUMN logdrain.freshness.last_slice IS
    'The newest scheduled time up to now whose rows are there: the end of the newest window.';
COMMENT ON COLUMN logdrain.freshness.lag_seconds IS
    'Seconds to now from last_slice, or from the creation of a schedule that has not succeeded yet. An hourly schedule in good order goes from its delay up to an hour more.';
COMMENT ON COLUMN logdrain.freshness.schema IS 'The schema that the result names; NULL is the first of the search path.';
COMMENT ON COLUMN logdrain.freshness."table" IS 'The table in Postgres, or the folder or file of a result of files.';
