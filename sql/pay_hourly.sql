-- Sales of the past hour by category.
-- `time` is the END of the hour: the row at 2012-03-01 00:00 holds 23:00 to 24:00 of 29 February.
SELECT
  TD_SCHEDULED_TIME() AS time,
  item_category AS category,
  SUM(CAST(price AS BIGINT)) AS sum
FROM production.pay
WHERE TD_TIME_RANGE(time, TD_TIME_ADD(TD_SCHEDULED_TIME(), '-1h'), TD_SCHEDULED_TIME())
GROUP BY TD_SCHEDULED_TIME(), item_category
