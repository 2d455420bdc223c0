-- The 20 addresses that were asked for most in the past hour.
-- `time` is the END of the hour: the row at 2012-03-01 00:00 holds 23:00 to 24:00 of 29 February.
SELECT
  TD_SCHEDULED_TIME() AS time,
  url,
  COUNT(*) AS views,
  COUNT(DISTINCT uid) AS users
FROM production.access
WHERE TD_TIME_RANGE(time, TD_TIME_ADD(TD_SCHEDULED_TIME(), '-1h'), TD_SCHEDULED_TIME())
GROUP BY TD_SCHEDULED_TIME(), url
ORDER BY views DESC, url
LIMIT 20
