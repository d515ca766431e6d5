-- Distinct conversations started from first to last: on each day that has any, and in total (whole = 1).
SELECT grouping(day) AS whole, day, uniqExact(conversation_id)
FROM chat_cells_current
WHERE organization_id = {organization_id:UUID} AND day BETWEEN {first:Date} AND {last:Date} AND started > 0
GROUP BY GROUPING SETS ((day), ())
