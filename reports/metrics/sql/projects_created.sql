-- Distinct projects created from first to last: on each day that has any, and in total (whole = 1).
SELECT grouping(day) AS whole, day, uniqExact(project_id)
FROM project_cells_current
WHERE organization_id = {organization_id:UUID} AND day BETWEEN {first:Date} AND {last:Date} AND created > 0
GROUP BY GROUPING SETS ((day), ())
