-- Logins of the past day, and how many users they were.
-- `time` is the END of the day: the row at 2012-03-02 00:00 holds the first of March.
SELECT
  TD_SCHEDULED_TIME() AS time,
  COUNT(*) AS logins,
  COUNT(DISTINCT uid) AS users
FROM production.login
WHERE TD_TIME_RANGE(time, TD_TIME_ADD(TD_SCHEDULED_TIME(), '-1d'), TD_SCHEDULED_TIME())
