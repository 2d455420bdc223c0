-- Sales of the past day by category, from the table that pay_hourly writes.
-- `time` is the END of an hour there: the day is the 24 rows from 01:00 to the next 00:00.
SELECT
  TD_SCHEDULED_TIME() AS time,
  category,
  SUM(sum) AS sum
FROM result.heroku_db.payment_history
WHERE TD_TIME_RANGE(
  time,
  TD_TIME_ADD(TD_SCHEDULED_TIME(), '-23h'),
  TD_TIME_ADD(TD_SCHEDULED_TIME(), '1s')
)
GROUP BY TD_SCHEDULED_TIME(), category
