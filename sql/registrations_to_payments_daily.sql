-- Of the users who registered in the past day: how many have paid by its end, and how much in all.
-- `time` is the END of the day: the row at 2012-03-02 00:00 holds the first of March.
WITH registered AS (
  SELECT DISTINCT uid
  FROM production.register
  WHERE TD_TIME_RANGE(time, TD_TIME_ADD(TD_SCHEDULED_TIME(), '-1d'), TD_SCHEDULED_TIME())
),
paid AS (
  SELECT uid, SUM(CAST(price AS BIGINT)) AS sum
  FROM production.pay
  WHERE TD_TIME_RANGE(time, TD_TIME_ADD(TD_SCHEDULED_TIME(), '-1d'), TD_SCHEDULED_TIME())
  GROUP BY uid
)
SELECT
  TD_SCHEDULED_TIME() AS time,
  COUNT(*) AS registered,
  COUNT(paid.uid) AS paid,
  COALESCE(SUM(paid.sum), 0) AS sum
FROM registered
LEFT JOIN paid ON paid.uid = registered.uid
